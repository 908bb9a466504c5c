/*
 * What the samples of one generation add up to: by region, by route, and by place on the map. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_SAMPLE_STORE_H
#define ZYGOTED_SUPERVISOR_SAMPLE_STORE_H

#include <stdint.h>

#include "base/proto.h"
#include "supervisor/page_image.h"

#define SAMPLE_CELLS_MAX 2048

struct sample_row {
	uint64_t pages[PAGES_CLASS_MAX]; /* sums over all samples */
	uint32_t copying;		 /* samples that copied some of it */
};

struct sample_route {
	uint32_t samples;
	uint64_t pages[PAGES_CLASS_MAX]; /* sums */
	uint64_t most[PAGES_CLASS_MAX];
};

/* A place on the map: pages_per_cell pages. */
struct sample_cell {
	uint32_t copying; /* samples that copied some of it */
	uint32_t adding;  /* samples with new pages there */
	uint32_t copied;  /* number of the last sample that did, so that each counts once */
	uint32_t added;
};

struct sample_store {
	const struct page_image *image;
	uint32_t samples;
	uint32_t lost; /* the child could not be read in time, or was gone */
	uint64_t first_ms;
	uint64_t last_ms;
	uint64_t pages[PAGES_CLASS_MAX]; /* sums */
	uint64_t page_table_bytes;	 /* sum */
	struct sample_row rows[PAGE_ROWS_MAX];
	struct sample_route routes[PROTO_ROUTES_MAX];
	uint64_t pages_per_cell;
	uint32_t cells_count;
	struct sample_cell cells[SAMPLE_CELLS_MAX];
};

/* One child's, as a sample has it. The sets are in order and live until the call returns. */
struct sample {
	uint32_t route;
	uint64_t page_table_bytes;
	uint64_t pages[PAGES_CLASS_MAX];
	struct page_runs written; /* its own, copied or new, where the zygote has mappings */
	struct page_runs read;	  /* of files and of the frozen image: mapped by the child itself */
	bool is_prefaulted;	  /* it got some of them before its request came */
};

/* The image is kept by reference. NULL when out of memory. */
struct sample_store *sample_store_new(const struct page_image *image)
	__attribute__((warn_unused_result));

/*
 * Adds one child of route `route`, and tells in *sample_out what it had. 0, or -1 when out of
 * memory: then the sets are not complete. sample_free either way.
 */
int sample_store_add(struct sample_store *store, const struct mappings *mappings,
		     const struct page_runs *states, uint64_t now_ms, struct sample *sample)
	__attribute__((warn_unused_result));
void sample_free(struct sample *sample);

/* The cell of a page that is drawn. */
uint32_t sample_store_cell(const struct sample_store *store, const struct page_span *span,
			   uint64_t page);

#endif
