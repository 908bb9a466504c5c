/*
 * Sets of pages as runs, in ascending order. A page is an address divided by the page size. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_PAGE_RUNS_H
#define ZYGOTED_SUPERVISOR_PAGE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More are refused: a set of that many (1.5 MiB) is no state of a worker but somebody's trick. */
#define PAGE_RUNS_MAX 98304

struct page_run {
	uint64_t first;
	uint64_t count;
};

/* Zero is the empty set. */
struct page_runs {
	struct page_run *runs;
	size_t count;
	size_t room;
};

void page_runs_free(struct page_runs *set);

/*
 * Adds pages, none of which is in the set; merged with the last run where they continue it. 0, or
 * -1 with errno: ENOMEM, E2BIG.
 */
int page_runs_add(struct page_runs *set, uint64_t first, uint64_t count)
	__attribute__((warn_unused_result));

/* Puts runs in order that were added out of it, and merges those that touch or overlap. */
void page_runs_sort(struct page_runs *set);

uint64_t page_runs_pages(const struct page_runs *set);

/*
 * Whether `page` is in the set, which must be in order; *same_out: for how many pages from it on,
 * up to `limit`, the answer is the same. limit is at least 1.
 */
bool page_runs_has(const struct page_runs *set, uint64_t page, uint64_t limit, uint64_t *same_out);

#endif
