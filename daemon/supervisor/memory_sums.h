/*
 * What one pool's memory comes to with sharing and would come to without.
 */
#ifndef ZYGOTED_SUPERVISOR_MEMORY_SUMS_H
#define ZYGOTED_SUPERVISOR_MEMORY_SUMS_H

#include <stdint.h>

#include "base/proto.h"
#include "supervisor/sample_store.h"

struct survey;
struct zygote_generation;

/* Bytes, but for the counts. */
struct memory_sums {
	uint64_t parked;
	uint64_t busy;
	uint64_t probe_bytes; /* what a parked child alone costs */
	uint64_t
		sample_bytes; /* the same of one that has answered; of a parked one without samples */
	uint64_t rss_bytes;   /* of all processes together */
	uint64_t without_bytes;
	uint64_t with_bytes;
	uint64_t saved_bytes;
};

struct memory_sums memory_sums_of(const struct zygote_generation *generation,
				  const struct survey *survey, const struct msg_stats *stats);

/* Mean over the samples of a generation; 0 when there are none, or `samples` is NULL. */
uint64_t memory_mean_bytes(const struct sample_store *samples, enum page_class class);

#endif
