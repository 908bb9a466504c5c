/*
 * How many connections each source has: an IPv4 address, or the /64 of an IPv6 one. Pure.
 */
#ifndef ZYGOTED_FRONT_SOURCE_COUNT_H
#define ZYGOTED_FRONT_SOURCE_COUNT_H

#include "front/penalty.h"

#define SOURCE_COUNT_BUCKETS 4096

struct source_count;

/* There is an entry for each source that has a connection, and no other. */
struct source_counts {
	uint64_t key[2]; /* random */
	struct source_count *buckets[SOURCE_COUNT_BUCKETS];
};

/* One connection more. What source_counts_leave takes, or NULL: the source has `most`, or there is no memory. */
struct source_count *source_counts_enter(struct source_counts *counts,
					 const struct penalty_source *source, uint32_t most)
	__attribute__((warn_unused_result));

/* One less. NULL is ignored. */
void source_counts_leave(struct source_counts *counts, struct source_count *count);

#endif
