/*
 * Surveys: what the children of a generation start with, measured on a probe, a child that serves
 * nothing. A survey is kept with its generation and answers all who ask until it is too old: asking
 * often costs nothing.
 */
#ifndef ZYGOTED_SUPERVISOR_SURVEY_H
#define ZYGOTED_SUPERVISOR_SURVEY_H

#include <stdint.h>

#include "supervisor/page_image.h"
#include "supervisor/smaps.h"

struct msg_buffer;
struct msg_region;
struct supervisor;
struct surveys;
struct zygote_generation;
struct zygote_pool;

/* One that is older is made anew when somebody asks. */
#define SURVEY_FRESH_MS 10000

/* Of a generation, or of its pool where it failed. All zero: not yet. */
struct survey {
	uint64_t taken_ms;
	struct page_image *image;	 /* made by the first survey of the generation, and kept */
	uint64_t pages[PAGES_CLASS_MAX]; /* the probe's */
	uint64_t image_bytes;		 /* the state: counted once, however many share it */
	uint64_t resident_bytes;	 /* of it in memory */
	uint64_t mapped_bytes;		 /* of it mapped by the probe */
	uint64_t page_table_bytes;
	uint32_t siblings; /* children that lived beside the probe: they are in its PSS */
	struct smaps_rollup rollup;
	uint64_t rows[PAGE_ROWS_MAX][PAGES_CLASS_MAX]; /* pages, by row of the image */
};

/* What surveys keep with a generation. */
struct survey_subject {
	struct survey survey;
	size_t regions_count;
	struct page_region *regions; /* that the worker named; PROTO_REGIONS_MAX of them, or NULL */
};

typedef void survey_done_fn(void *owner);

/* NULL when out of memory. */
struct surveys *surveys_new(struct supervisor *supervisor);
/* Drops what is in progress without calling anybody. NULL is allowed. */
void surveys_free(struct surveys *surveys);

/*
 * Sees to it that the serving generation of `pool`, or those of all pools when it is NULL, have a
 * fresh survey, or the pool a fresh error; then calls `done` once, possibly at once. 0, or -1 when
 * out of memory and no call.
 */
int survey_ask(struct surveys *surveys, const struct zygote_pool *pool, survey_done_fn *done,
	       void *owner) __attribute__((warn_unused_result));

/* The survey of the pool's serving generation; NULL with the reason when there is none. */
const struct survey *survey_of(const struct zygote_pool *pool, const char **error_out);

/* MSG_PROBED and MSG_REGION of a zygote. Takes no descriptor. */
void survey_on_probed(struct zygote_generation *generation, const struct msg_buffer *buffer);
void survey_on_region(struct zygote_generation *generation, const struct msg_region *message);

/* The generation is going away: nothing of it is kept. */
void survey_forget(struct zygote_generation *generation);

#endif
