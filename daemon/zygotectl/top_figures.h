/*
 * What `zygotectl top` shows: rates and latencies from two readings of the daemon's counters.
 */
#ifndef ZYGOTED_ZYGOTECTL_TOP_FIGURES_H
#define ZYGOTED_ZYGOTECTL_TOP_FIGURES_H

#include <jansson.h>
#include <stdio.h>

#define TOP_POOLS_MAX 64

/* Answers of the daemon; each may be NULL: not there yet. */
struct top_reading {
	const json_t *stats;
	const json_t *pools;
	const json_t *memory;
};

/* One pool. NAN: not known. */
struct top_row {
	char pool[64];
	char state[32];
	double rate; /* requests per second; so are the next two */
	double refused;
	double failed;
	double p50_us;
	double p99_us;
	double queue_p99_us;
	double queued;
	double parked;
	double busy;
	double draining;
	double max_children;
	double faults;
	double saved_bytes;
	double saved_percent;
};

struct top_frame {
	double uptime_seconds;
	double connections;
	double active;
	double rate;
	double saved_bytes;
	unsigned count;
	struct top_row rows[TOP_POOLS_MAX];
};

enum top_sort {
	TOP_SORT_POOL,
	TOP_SORT_RATE,
	TOP_SORT_P99,
	TOP_SORT_BUSY,
	TOP_SORT_SAVED,
	TOP_SORT_MAX
};

const char *top_sort_name(enum top_sort sort);

/*
 * Fills a frame. `before` is the answer to `stats` that came `seconds` earlier, NULL if there is
 * none: then what takes two readings is not known. Counters that have fallen began anew.
 */
void top_figures_make(const json_t *before, const struct top_reading *now, double seconds,
		      struct top_frame *frame_out);

/* By name upwards, by numbers downwards. */
void top_figures_sort(struct top_frame *frame, enum top_sort sort);

/* Prints it as lines of text. 0, or -1 when out of memory. */
int top_figures_print(const struct top_frame *frame, FILE *out) __attribute__((warn_unused_result));

/*
 * Quantile of what came to a histogram between two readings: lists of counts, each with one element
 * more than the upper bounds. Within a bucket it is taken to be evenly spread, in the last one to be
 * at its lower bound. NAN when nothing came, or the lists do not fit.
 */
double top_figures_quantile(const json_t *before, const json_t *now, const json_t *bounds,
			    double quantile);

#endif
