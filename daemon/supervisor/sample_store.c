/*
 * Adding up samples.
 *
 * Runs in: supervisor. Pure. Rule: what is kept is of fixed size, however many samples and pages
 * there are.
 */
#include "supervisor/sample_store.h"

#include <stdlib.h>

/* What one sample is added with. */
struct adding {
	struct sample_store *store;
	struct sample *sample;
	uint64_t row_copied[PAGE_ROWS_MAX];
	int result;
};

struct sample_store *
sample_store_new(const struct page_image *image)
{
	struct sample_store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	store->image = image;
	store->pages_per_cell = image->drawn / SAMPLE_CELLS_MAX + 1;
	store->cells_count =
		(uint32_t)((image->drawn + store->pages_per_cell - 1) / store->pages_per_cell);
	return store;
}

uint32_t
sample_store_cell(const struct sample_store *store, const struct page_span *span, uint64_t page)
{
	return (uint32_t)((span->place + page - span->first) / store->pages_per_cell);
}

static void
mark_cells(struct sample_store *store, const struct page_part *part)
{
	const uint32_t last = sample_store_cell(store, part->span, part->first + part->count - 1);

	for (uint32_t i = sample_store_cell(store, part->span, part->first); i <= last; i++) {
		struct sample_cell *cell = &store->cells[i];
		if (part->class == PAGES_COPIED && cell->copied != store->samples) {
			cell->copied = store->samples;
			cell->copying++;
		}
		if (part->class == PAGES_NEW && cell->added != store->samples) {
			cell->added = store->samples;
			cell->adding++;
		}
	}
}

static void
add_part(void *owner, const struct page_part *part)
{
	struct adding *adding = owner;
	struct sample_store *store = adding->store;

	adding->sample->pages[part->class] += part->count;
	store->rows[part->row].pages[part->class] += part->count;
	if (part->class == PAGES_COPIED)
		adding->row_copied[part->row] += part->count;
	if (part->span == NULL)
		return;
	if (part->class == PAGES_COPIED || part->class == PAGES_NEW)
		adding->result |= page_runs_add(&adding->sample->written, part->first, part->count);
	if (part->is_file)
		adding->result |= page_runs_add(&adding->sample->read, part->first, part->count);
	if (part->span->is_drawn)
		mark_cells(store, part);
}

static void
add_sums(struct sample_store *store, const struct sample *sample)
{
	struct sample_route *route = &store->routes[sample->route];

	route->samples++;
	store->page_table_bytes += sample->page_table_bytes;
	for (int i = 0; i < PAGES_CLASS_MAX; i++) {
		store->pages[i] += sample->pages[i];
		route->pages[i] += sample->pages[i];
		if (sample->pages[i] > route->most[i])
			route->most[i] = sample->pages[i];
	}
}

int
sample_store_add(struct sample_store *store, const struct mappings *mappings,
		 const struct page_runs *states, uint64_t now_ms, struct sample *sample)
{
	struct adding adding = { .store = store, .sample = sample };

	store->samples++;
	store->last_ms = now_ms;
	if (store->first_ms == 0)
		store->first_ms = now_ms;
	page_image_compare(store->image, mappings, states, add_part, &adding);
	for (size_t i = 0; i < store->image->rows_count; i++)
		store->rows[i].copying += adding.row_copied[i] > 0;
	add_sums(store, sample);
	page_runs_sort(&sample->written);
	page_runs_sort(&sample->read);
	return adding.result;
}

void
sample_free(struct sample *sample)
{
	page_runs_free(&sample->written);
	page_runs_free(&sample->read);
}
