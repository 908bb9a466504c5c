/*
 * Votes in two sorted lists.
 *
 * Runs in: supervisor. Pure. Children are hostile: one that touches pages without need has one vote among many, and what
 * all of them together can do is make parked children touch up to `pages_max` pages.
 *
 * Gaps between runs are not joined: another call costs 0.2 us, another page copied and freed over 1 us.
 */
#include "supervisor/prefault_votes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SHIFT 12

/* A read fault maps up to 16 pages of a file at once, aligned (fault_around_bytes in mm/memory.c): one page of them is enough. */
#define WINDOW_SHIFT 4

/* Then all counts are halved, so that a program's new habits are learned. */
#define SAMPLES_MAX 64

void
prefault_votes_free(struct prefault_votes *votes)
{
	free(votes->written.votes);
	free(votes->read.votes);
	*votes = (struct prefault_votes){ 0 };
}

/* The pages of a set, or the first one in each window. */
struct cursor {
	const struct page_runs *set;
	size_t run;
	uint64_t page;
	unsigned shift;
};

static bool
settle(struct cursor *cursor)
{
	while (cursor->run < cursor->set->count) {
		const struct page_run *run = &cursor->set->runs[cursor->run];
		if (cursor->page < run->first)
			cursor->page = run->first;
		if (cursor->page < run->first + run->count)
			return true;
		cursor->run++;
	}
	return false;
}

static void
advance(struct cursor *cursor)
{
	cursor->page = ((cursor->page >> cursor->shift) + 1) << cursor->shift;
}

static size_t
count_keys(const struct page_runs *set, unsigned shift)
{
	struct cursor cursor = { .set = set, .shift = shift };
	size_t count = 0;

	for (; count <= PREFAULT_VOTES_MAX && settle(&cursor); count++)
		advance(&cursor);
	return count;
}

static size_t
merge(const struct prefault_list *list, const struct page_runs *set, unsigned shift,
      struct prefault_vote *out)
{
	struct cursor cursor = { .set = set, .shift = shift };
	bool more = settle(&cursor);
	size_t used = 0;

	for (size_t i = 0; more || i < list->count;) {
		const uint64_t old = i < list->count ? list->votes[i].page >> shift : UINT64_MAX;
		const uint64_t new = more ? cursor.page >> shift : UINT64_MAX;
		struct prefault_vote vote = { .page = old <= new ? list->votes[i].page
								 : cursor.page };
		if (old <= new)
			vote.count = list->votes[i++].count;
		if (new <= old) {
			vote.count++;
			vote.page = cursor.page;
			advance(&cursor);
			more = settle(&cursor);
		}
		out[used++] = vote;
	}
	return used;
}

/* The list with the set's votes, in new memory. */
static int
join(const struct prefault_list *list, const struct page_runs *set, unsigned shift,
     struct prefault_list *out)
{
	const size_t room = list->count + count_keys(set, shift);

	*out = (struct prefault_list){ 0 };
	out->votes = calloc(room + 1, sizeof(*out->votes));
	if (out->votes == NULL)
		return -1;
	out->count = merge(list, set, shift, out->votes);
	if (out->count <= PREFAULT_VOTES_MAX)
		return 0;
	free(out->votes);
	errno = E2BIG;
	return -1;
}

static void
halve_list(struct prefault_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		list->votes[i].count /= 2;
		if (list->votes[i].count > 0)
			list->votes[kept++] = list->votes[i];
	}
	list->count = kept;
}

int
prefault_votes_add(struct prefault_votes *votes, const struct page_runs *written,
		   const struct page_runs *read)
{
	struct prefault_list lists[2];

	if (count_keys(written, 0) > PREFAULT_VOTES_MAX ||
	    count_keys(read, WINDOW_SHIFT) > PREFAULT_VOTES_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (join(&votes->written, written, 0, &lists[0]) < 0)
		return -1;
	if (join(&votes->read, read, WINDOW_SHIFT, &lists[1]) < 0) {
		free(lists[0].votes);
		return -1;
	}
	free(votes->written.votes);
	free(votes->read.votes);
	votes->written = lists[0];
	votes->read = lists[1];
	if (++votes->samples >= SAMPLES_MAX) {
		votes->samples /= 2;
		halve_list(&votes->written);
		halve_list(&votes->read);
	}
	return 0;
}

/* The least number of votes with which no more than `pages_max` pages are chosen; `samples` if there is none. */
static uint32_t
find_threshold(const struct prefault_votes *votes, uint64_t pages_max)
{
	uint64_t pages[SAMPLES_MAX + 1] = { 0 };
	uint64_t chosen = 0;
	uint32_t threshold = votes->samples;

	for (size_t i = 0; i < votes->written.count; i++)
		pages[votes->written.votes[i].count]++;
	for (uint32_t count = votes->samples; count > votes->samples / 2; count--) {
		chosen += pages[count];
		if (chosen > pages_max)
			break;
		threshold = count;
	}
	return threshold;
}

/* Adds a page to the last run if it continues that one. False when there is no room. */
static bool
add_page(struct prefault_run *runs, uint32_t *count, uint64_t page, enum prefault_access access)
{
	struct prefault_run *last = *count > 0 ? &runs[*count - 1] : NULL;
	const uint64_t address = page << PAGE_SHIFT;

	if (last != NULL && last->access == access &&
	    last->address + ((uint64_t)last->pages << PAGE_SHIFT) == address) {
		last->pages++;
		return true;
	}
	if (*count == PREFAULT_RUNS_MAX)
		return false;
	runs[(*count)++] =
		(struct prefault_run){ .address = address, .pages = 1, .access = access };
	return true;
}

uint32_t
prefault_votes_choose(const struct prefault_votes *votes, uint64_t pages_max,
		      struct prefault_run *runs_out)
{
	const uint32_t threshold = find_threshold(votes, pages_max);
	const struct prefault_list *written = &votes->written;
	const struct prefault_list *read = &votes->read;
	uint32_t count = 0;
	uint64_t pages = 0;

	for (size_t i = 0; i < written->count && pages < pages_max; i++)
		if (written->votes[i].count >= threshold) {
			if (!add_page(runs_out, &count, written->votes[i].page, PREFAULT_WRITE))
				return count;
			pages++;
		}
	for (size_t i = 0; i < read->count; i++)
		if (read->votes[i].count > votes->samples / 2 &&
		    !add_page(runs_out, &count, read->votes[i].page, PREFAULT_READ))
			return count;
	return count;
}
