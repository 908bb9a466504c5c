/*
 * Regions, and the comparison of a child's pages with those that its zygote had.
 *
 * Runs in: supervisor. Pure. The rule of the comparison: a page that others map too is shared; one
 * of the child's own is copied where the zygote had a page, and new where it had none. A private
 * mapping of a file counts as had: what is written there is a copy of the file's page.
 */
#include "supervisor/page_image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/page_walk.h"

/* Rows that every image has, so that what grows in a child has a place. */
enum { ROW_HEAP, ROW_STACK, ROW_NEW, ROW_OTHERS, ROWS_FIXED };

static const struct page_row fixed_rows[ROWS_FIXED] = {
	[ROW_HEAP] = { "heap", "heap" },
	[ROW_STACK] = { "stack", "stack" },
	[ROW_NEW] = { "new mappings", "new" },
	[ROW_OTHERS] = { "others", "others" },
};

/* ---- rows ---- */

static uint32_t
find_row(struct page_image *image, const char *name, const char *kind)
{
	struct page_row *row;

	for (size_t i = 0; i < image->rows_count; i++)
		if (strcmp(image->rows[i].name, name) == 0 &&
		    strcmp(image->rows[i].kind, kind) == 0)
			return (uint32_t)i;
	if (image->rows_count == PAGE_ROWS_MAX)
		return ROW_OTHERS;
	row = &image->rows[image->rows_count];
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->kind = kind;
	return (uint32_t)image->rows_count++;
}

static const char *
part_name(const struct mapping *mapping)
{
	if (mapping->executable)
		return "text";
	return mapping->writable || mapping->kind == MAPPING_DATA ? "data" : "read-only";
}

static uint32_t
row_of(struct page_image *image, const struct mapping *mapping, const char *program)
{
	char name[PAGE_ROW_NAME];

	switch (mapping->kind) {
	case MAPPING_FILE:
	case MAPPING_DATA:
		snprintf(name, sizeof(name), "%s %s", mapping->name, part_name(mapping));
		return find_row(image, name,
				strcmp(mapping->name, program) == 0 ? "program" : "library");
	case MAPPING_IMAGE:
		return find_row(image, "image", "image");
	case MAPPING_HEAP:
		return ROW_HEAP;
	case MAPPING_STACK:
		return ROW_STACK;
	default:
		return find_row(image, "anonymous", "anonymous");
	}
}

/* ---- spans ---- */

/* The program is mapped first, below its libraries; with an image in its place, the first file. */
static const char *
program_name(const struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++)
		if (mappings->list[i].kind == MAPPING_FILE)
			return mappings->list[i].name;
	return "";
}

static void
add_span(struct page_image *image, const struct mapping *mapping, struct page_span span)
{
	span.is_image = mapping->kind == MAPPING_IMAGE;
	span.is_drawn = !mapping->is_shared && mapping->readable && !mapping->executable &&
			(mapping->writable || mapping->kind != MAPPING_FILE);
	span.place = image->drawn;
	if (span.is_drawn)
		image->drawn += span.end - span.first;
	image->spans[image->spans_count++] = span;
}

/* One mapping: the parts with names, and what is between them. */
static void
add_mapping(struct page_image *image, const struct page_source *source,
	    const struct mapping *mapping, uint32_t row)
{
	const uint64_t end = mapping->end >> PAGE_BITS;
	uint64_t at = mapping->start >> PAGE_BITS;

	for (size_t i = 0; i < source->regions_count && at < end; i++) {
		const struct page_region *region = &source->regions[i];
		if (region->end <= at || region->first >= end)
			continue;
		if (region->first > at)
			add_span(image, mapping,
				 (struct page_span){
					 .first = at, .end = region->first, .row = row });
		at = region->first > at ? region->first : at;
		const uint64_t stop = region->end < end ? region->end : end;
		add_span(image, mapping,
			 (struct page_span){ .first = at,
					     .end = stop,
					     .row = find_row(image, region->name, "named") });
		at = stop;
	}
	if (at < end)
		add_span(image, mapping, (struct page_span){ .first = at, .end = end, .row = row });
}

static int
add_spans(struct page_image *image, const struct page_source *source)
{
	const char *program = program_name(source->mappings);
	/* Each region ends a span and begins one, in each mapping that it reaches into. */
	const size_t room = source->mappings->count * (1 + 2 * source->regions_count);

	image->spans = calloc(room + 1, sizeof(*image->spans));
	if (image->spans == NULL)
		return -1;
	for (size_t i = 0; i < source->mappings->count; i++) {
		const struct mapping *mapping = &source->mappings->list[i];
		if (mapping->kind == MAPPING_KERNEL)
			continue;
		image->is_frozen |= mapping->kind == MAPPING_IMAGE;
		add_mapping(image, source, mapping, row_of(image, mapping, program));
	}
	return 0;
}

/* ---- what the zygote had ---- */

static int
add_all(struct page_runs *set, const struct page_runs *more)
{
	for (size_t i = 0; more != NULL && i < more->count; i++)
		if (page_runs_add(set, more->runs[i].first, more->runs[i].count) < 0)
			return -1;
	return 0;
}

static int
add_files(struct page_runs *set, const struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->list[i];
		const uint64_t first = mapping->start >> PAGE_BITS;
		if (mapping->kind == MAPPING_FILE &&
		    page_runs_add(set, first, (mapping->end >> PAGE_BITS) - first) < 0)
			return -1;
	}
	return 0;
}

static int
add_had(struct page_image *image, const struct page_source *source)
{
	struct page_runs *had = &image->had;

	if (add_all(had, &source->states[PAGE_JOINT]) < 0 ||
	    add_all(had, &source->states[PAGE_SWAPPED]) < 0 || add_all(had, source->joined) < 0)
		return -1;
	page_runs_sort(had);
	image->state_pages = page_runs_pages(had);
	if (add_all(had, source->frozen) < 0 || add_files(had, source->mappings) < 0)
		return -1;
	page_runs_sort(had);
	return 0;
}

struct page_image *
page_image_new(const struct page_source *source)
{
	struct page_image *image = calloc(1, sizeof(*image));

	if (image == NULL)
		return NULL;
	memcpy(image->rows, fixed_rows, sizeof(fixed_rows));
	image->rows_count = ROWS_FIXED;
	image->has_places = source->has_places;
	if (add_spans(image, source) == 0 && add_had(image, source) == 0)
		return image;
	int saved = errno;
	page_image_free(image);
	errno = saved;
	return NULL;
}

void
page_image_free(struct page_image *image)
{
	if (image == NULL)
		return;
	free(image->spans);
	page_runs_free(&image->had);
	free(image);
}

/* ---- comparison ---- */

/* The span that `page` is in, or NULL; *end_out: where that ends, span or gap. */
static const struct page_span *
find_span(const struct page_image *image, uint64_t page, uint64_t *end_out)
{
	size_t low = 0;
	size_t high = image->spans_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (image->spans[middle].end <= page)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == image->spans_count) {
		*end_out = UINT64_MAX;
		return NULL;
	}
	const struct page_span *span = &image->spans[low];
	*end_out = span->first <= page ? span->end : span->first;
	return span->first <= page ? span : NULL;
}

/* Where the zygote has no mapping: heap and stack have grown, the rest the child has mapped. */
static uint32_t
row_of_new(const struct mappings *mappings, uint64_t page, uint64_t *end_out)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *mapping = &mappings->list[i];
		if (page < mapping->start >> PAGE_BITS || page >= mapping->end >> PAGE_BITS)
			continue;
		if (*end_out > mapping->end >> PAGE_BITS)
			*end_out = mapping->end >> PAGE_BITS;
		if (mapping->kind == MAPPING_HEAP)
			return ROW_HEAP;
		return mapping->kind == MAPPING_STACK ? ROW_STACK : ROW_NEW;
	}
	return ROW_NEW;
}

/* False: the kernel's page of zeros, which takes no memory. */
static bool
classify(enum page_state state, bool had, enum page_class *out)
{
	switch (state) {
	case PAGE_FILE:
		*out = PAGES_SHARED;
		return true;
	case PAGE_SWAPPED:
		*out = PAGES_SWAPPED;
		return true;
	case PAGE_OWN:
		*out = had ? PAGES_COPIED : PAGES_NEW;
		return true;
	default:
		*out = PAGES_SHARED;
		return had;
	}
}

static void
compare_run(const struct page_image *image, const struct mappings *mappings, enum page_state state,
	    struct page_run run, page_part_fn *each, void *owner)
{
	while (run.count > 0) {
		struct page_part part = { .first = run.first, .is_file = state == PAGE_FILE };
		uint64_t end;
		part.span = find_span(image, run.first, &end);
		part.row =
			part.span != NULL ? part.span->row : row_of_new(mappings, run.first, &end);
		const uint64_t limit = end - run.first < run.count ? end - run.first : run.count;
		const bool had = page_runs_has(&image->had, run.first, limit, &part.count);
		if (classify(state, had, &part.class))
			each(owner, &part);
		run.first += part.count;
		run.count -= part.count;
	}
}

void
page_image_compare(const struct page_image *image, const struct mappings *mappings,
		   const struct page_runs *states, page_part_fn *each, void *owner)
{
	for (int state = 0; state < PAGE_STATE_MAX; state++)
		for (size_t i = 0; i < states[state].count; i++)
			compare_run(image, mappings, (enum page_state)state, states[state].runs[i],
				    each, owner);
}
