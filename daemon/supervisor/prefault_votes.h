/*
 * Which pages the requests of a generation touch: each sampled child has a vote on each page. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_PREFAULT_VOTES_H
#define ZYGOTED_SUPERVISOR_PREFAULT_VOTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/prefault_table.h"
#include "supervisor/page_runs.h"

/* Of both lists each: a child that touches more has no vote. */
#define PREFAULT_VOTES_MAX 65536

struct prefault_vote {
	uint64_t page;
	uint32_t count; /* children that touched it */
};

struct prefault_list {
	struct prefault_vote *votes; /* by address */
	size_t count;
};

/* Zero is none. */
struct prefault_votes {
	uint32_t samples;
	struct prefault_list written; /* by page */
	struct prefault_list read;    /* by window, with a page in it that can be read */
};

void prefault_votes_free(struct prefault_votes *votes);

/*
 * One child's. Both sets are in order. After many samples older ones count less. 0, or -1 with errno: ENOMEM, E2BIG; then
 * nothing was counted.
 */
int prefault_votes_add(struct prefault_votes *votes, const struct page_runs *written,
		       const struct page_runs *read) __attribute__((warn_unused_result));

/*
 * What more than half of the children touched: of pages to write to at most `pages_max`, those with the most votes first.
 * Writes up to PREFAULT_RUNS_MAX runs to `runs_out` and returns how many.
 */
uint32_t prefault_votes_choose(const struct prefault_votes *votes, uint64_t pages_max,
			       struct prefault_run *runs_out);

#endif
