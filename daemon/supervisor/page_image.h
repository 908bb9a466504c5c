/*
 * What a zygote's children start with: which pages it had when they were forked, and which region
 * of the worker's memory each address is in. With it a child's pages are told apart: shared, copied,
 * new. Pure.
 *
 * It is made from a child that did nothing, and stays true as long as the zygote does: after load
 * the zygote writes to no page that children see.
 */
#ifndef ZYGOTED_SUPERVISOR_PAGE_IMAGE_H
#define ZYGOTED_SUPERVISOR_PAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/proto.h"
#include "supervisor/maps_text.h"
#include "supervisor/page_entry.h"
#include "supervisor/page_runs.h"

#define PAGE_ROWS_MAX 192
#define PAGE_ROW_NAME (MAPS_NAME_MAX + 16)

enum page_class {
	PAGES_SHARED,
	PAGES_COPIED,  /* was in the zygote, now the child's own */
	PAGES_NEW,     /* the child's own where the zygote had none */
	PAGES_SWAPPED, /* one of the three, and the kernel does not say which */
	PAGES_CLASS_MAX
};

/* Regions of one name, together. */
struct page_row {
	char name[PAGE_ROW_NAME]; /* "libc.so.6 data", "heap", a name that the worker gave */
	const char *kind;	  /* program, library, image, heap, stack, anonymous, named, new */
};

/* Pages of one row that lie together. */
struct page_span {
	uint64_t first;
	uint64_t end;
	uint32_t row;
	bool is_image;	/* the zygote's frozen memory */
	bool is_drawn;	/* on the map: what a child may write to */
	uint64_t place; /* of its first page, among all that are drawn */
};

struct page_image {
	size_t rows_count;
	struct page_row rows[PAGE_ROWS_MAX];
	size_t spans_count;
	struct page_span *spans; /* by address */
	struct page_runs had;	 /* pages that the zygote had */
	uint64_t drawn;		 /* pages */
	uint64_t state_pages;	 /* of `had`: neither of files nor of the frozen image */
	bool is_frozen;
	bool has_places; /* which page is which is known, and not only how many there are */
};

/* A region that the worker named. */
struct page_region {
	uint64_t first;
	uint64_t end;
	char name[PROTO_NAME_MAX];
};

/* What an image is made from. */
struct page_source {
	const struct mappings *mappings;
	const struct page_runs *states; /* PAGE_STATE_MAX of them, of the child that did nothing */
	const struct page_runs *joined; /* of its own pages: those that the zygote has too */
	const struct page_runs *frozen; /* pages of the frozen image that hold data */
	const struct page_region *regions;
	size_t regions_count;
	bool has_places;
};

/* NULL when out of memory, or when it is too scattered (errno E2BIG). */
struct page_image *page_image_new(const struct page_source *source)
	__attribute__((warn_unused_result));
void page_image_free(struct page_image *image);

/* A part of a child's pages. */
struct page_part {
	uint64_t first;
	uint64_t count;
	enum page_class class;
	bool is_file; /* of a file or of the frozen image: the child has mapped it itself */
	uint32_t row;
	const struct page_span *span; /* NULL: the zygote has no mapping there */
};

typedef void page_part_fn(void *owner, const struct page_part *part);

/* Calls `each` for all parts of a child whose mappings and pages are given. */
void page_image_compare(const struct page_image *image, const struct mappings *mappings,
			const struct page_runs *states, page_part_fn *each, void *owner);

#endif
