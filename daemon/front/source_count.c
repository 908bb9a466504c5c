/*
 * Connections by source.
 *
 * Runs in: front. Bounded by the connections themselves: each has one entry at most, and takes its
 * own away.
 */
#include "front/source_count.h"

#include "front/sip_hash.h"

#include <stdlib.h>

struct source_count {
	struct source_count *next;
	uint64_t high;
	uint64_t low;
	uint32_t connections;
};

static struct source_count **
bucket_of(struct source_counts *counts, uint64_t high, uint64_t low)
{
	return &counts->buckets[sip_hash_pair(counts->key, high, low) % SOURCE_COUNT_BUCKETS];
}

static struct source_count *
add(struct source_count **bucket, const struct penalty_source *source)
{
	struct source_count *count = malloc(sizeof(*count));

	if (count == NULL)
		return NULL;
	*count = (struct source_count){ *bucket, source->high, source->low, 1 };
	*bucket = count;
	return count;
}

struct source_count *
source_counts_enter(struct source_counts *counts, const struct penalty_source *source,
		    uint32_t most)
{
	struct source_count **bucket = bucket_of(counts, source->high, source->low);

	for (struct source_count *count = *bucket; count != NULL; count = count->next) {
		if (count->high != source->high || count->low != source->low)
			continue;
		if (count->connections >= most)
			return NULL;
		count->connections++;
		return count;
	}
	return most > 0 ? add(bucket, source) : NULL;
}

void
source_counts_leave(struct source_counts *counts, struct source_count *count)
{
	struct source_count **at;

	if (count == NULL || --count->connections > 0)
		return;
	at = bucket_of(counts, count->high, count->low);
	while (*at != count)
		at = &(*at)->next;
	*at = count->next;
	free(count);
}
