/*
 * Runs of pages in one growing array.
 *
 * Runs in: supervisor. Pure. Rule: bounded, because a hostile child chooses how its pages lie.
 */
#include "supervisor/page_runs.h"

#include <errno.h>
#include <stdlib.h>

void
page_runs_free(struct page_runs *set)
{
	free(set->runs);
	*set = (struct page_runs){ 0 };
}

static int
grow(struct page_runs *set)
{
	const size_t room = set->room > 0 ? 2 * set->room : 64;
	struct page_run *runs;

	if (set->count >= PAGE_RUNS_MAX) {
		errno = E2BIG;
		return -1;
	}
	runs = reallocarray(set->runs, room, sizeof(*runs));
	if (runs == NULL)
		return -1;
	set->runs = runs;
	set->room = room;
	return 0;
}

int
page_runs_add(struct page_runs *set, uint64_t first, uint64_t count)
{
	struct page_run *last = set->count > 0 ? &set->runs[set->count - 1] : NULL;

	if (last != NULL && last->first + last->count == first) {
		last->count += count;
		return 0;
	}
	if ((set->runs == NULL || set->count == set->room || set->count >= PAGE_RUNS_MAX) &&
	    grow(set) < 0)
		return -1;
	set->runs[set->count++] = (struct page_run){ first, count };
	return 0;
}

static int
compare_first(const void *left, const void *right)
{
	const struct page_run *a = left;
	const struct page_run *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

void
page_runs_sort(struct page_runs *set)
{
	size_t kept = 0;

	if (set->count == 0)
		return;
	qsort(set->runs, set->count, sizeof(*set->runs), compare_first);
	for (size_t i = 1; i < set->count; i++) {
		struct page_run *last = &set->runs[kept];
		const struct page_run *next = &set->runs[i];
		const uint64_t end = next->first + next->count;
		if (next->first > last->first + last->count)
			set->runs[++kept] = *next;
		else if (end > last->first + last->count)
			last->count = end - last->first;
	}
	set->count = kept + 1;
}

uint64_t
page_runs_pages(const struct page_runs *set)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < set->count; i++)
		pages += set->runs[i].count;
	return pages;
}

/* The first run that ends behind `page`; set->count if none does. */
static size_t
find(const struct page_runs *set, uint64_t page)
{
	size_t low = 0;
	size_t high = set->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct page_run *run = &set->runs[middle];
		if (run->first + run->count <= page)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
page_runs_has(const struct page_runs *set, uint64_t page, uint64_t limit, uint64_t *same_out)
{
	const size_t index = find(set, page);
	uint64_t same = limit;
	bool has = false;

	if (index < set->count) {
		const struct page_run *run = &set->runs[index];
		has = run->first <= page;
		same = has ? run->first + run->count - page : run->first - page;
	}
	*same_out = same < limit ? same : limit;
	return has;
}
