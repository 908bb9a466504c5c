/*
 * `maps` and `map`: which memory is copied.
 *
 * Runs in: supervisor. Names of regions were made printable where they were taken.
 */
#include "supervisor/control_memory.h"

#include <stdlib.h>

#include "supervisor/config.h"
#include "supervisor/control.h"
#include "supervisor/control_commands.h"
#include "supervisor/json_set.h"
#include "supervisor/page_walk.h"
#include "supervisor/sample_store.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

/* ---- maps ---- */

/* A region's mean in a child: of the samples if there are any, else the probe's. */
struct line {
	const struct page_row *row;
	uint64_t bytes[PAGES_CLASS_MAX];
	uint32_t copying; /* samples that copied some */
};

static int
compare_lines(const void *left, const void *right)
{
	static const enum page_class order[] = { PAGES_COPIED, PAGES_NEW, PAGES_SHARED };
	const struct line *a = left;
	const struct line *b = right;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a->bytes[order[i]] != b->bytes[order[i]])
			return a->bytes[order[i]] < b->bytes[order[i]] ? 1 : -1;
	return 0;
}

static size_t
make_lines(const struct survey *survey, const struct sample_store *samples,
	   struct line lines[PAGE_ROWS_MAX])
{
	const uint64_t count = samples != NULL ? samples->samples : 0;
	size_t used = 0;

	for (size_t row = 0; row < survey->image->rows_count; row++) {
		struct line line = { .row = &survey->image->rows[row],
				     .copying = count > 0 ? samples->rows[row].copying : 0 };
		uint64_t all = 0;
		for (int i = 0; i < PAGES_CLASS_MAX; i++) {
			const uint64_t pages =
				count > 0 ? samples->rows[row].pages[i] : survey->rows[row][i];
			line.bytes[i] = pages * PAGE_BYTES / (count > 0 ? count : 1);
			all += pages;
		}
		if (all > 0)
			lines[used++] = line;
	}
	qsort(lines, used, sizeof(lines[0]), compare_lines);
	return used;
}

static void
add_maps(json_t *list, const struct zygote_pool *pool, const struct survey *survey)
{
	const struct sample_store *samples = pool->serving->samples;
	const uint32_t count = samples != NULL ? samples->samples : 0;
	struct line lines[PAGE_ROWS_MAX] = { 0 };
	const size_t used = make_lines(survey, samples, lines);

	for (size_t i = 0; i < used; i++) {
		json_t *object = json_object();
		json_set_text(object, "pool", pool->config->front.name);
		json_set_text(object, "region", lines[i].row->name);
		json_set_text(object, "kind", lines[i].row->kind);
		json_set_number(object, "copied_bytes", lines[i].bytes[PAGES_COPIED]);
		json_set_number(object, "new_bytes", lines[i].bytes[PAGES_NEW]);
		json_set_number(object, "shared_bytes", lines[i].bytes[PAGES_SHARED]);
		json_set_number(object, "swapped_bytes", lines[i].bytes[PAGES_SWAPPED]);
		json_set_real(object, "copying_percent",
			      count > 0 ? 100.0 * lines[i].copying / count : 0);
		json_set_text(object, "method", count > 0 ? "sample" : "probe");
		json_set_number(object, "samples", count > 0 ? count : 1);
		json_set_age(object, "age_seconds",
			     count > 0 ? samples->last_ms : survey->taken_ms);
		json_array_append_new(list, object);
	}
}

static void
on_maps(void *owner)
{
	struct control_request *request = owner;
	json_t *list = json_array();
	const char *error = NULL;

	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(request->supervisor, pool)) != NULL;) {
		if (pool->index < request->pool || pool->index >= request->pools_end)
			continue;
		const struct survey *survey = survey_of(pool, &error);
		if (survey != NULL)
			add_maps(list, pool, survey);
	}
	if (request->words.count > 1 && error != NULL) {
		json_decref(list);
		control_reply_error(request, "%s", error);
		return;
	}
	control_reply(request, json_pack("{s:b, s:o}", "ok", 1, "regions", list));
}

/* ---- map ---- */

static json_t *
counts_json(const struct sample_store *samples, bool of_copies)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < samples->cells_count; i++)
		json_array_append_new(list, json_integer(of_copies ? samples->cells[i].copying
								   : samples->cells[i].adding));
	return list;
}

/* Where the regions lie on the map: neighbours of one name together. */
static json_t *
regions_json(const struct sample_store *samples)
{
	const struct page_image *image = samples->image;
	json_t *list = json_array();
	json_t *last = NULL;
	uint32_t last_row = UINT32_MAX;

	for (size_t i = 0; i < image->spans_count; i++) {
		const struct page_span *span = &image->spans[i];
		if (!span->is_drawn)
			continue;
		if (span->row != last_row) {
			last = json_object();
			json_set_text(last, "region", image->rows[span->row].name);
			json_set_text(last, "kind", image->rows[span->row].kind);
			json_set_number(last, "first_cell",
					sample_store_cell(samples, span, span->first));
			json_array_append_new(list, last);
			last_row = span->row;
		}
		json_set_number(last, "last_cell", sample_store_cell(samples, span, span->end - 1));
	}
	return list;
}

static json_t *
map_json(const struct zygote_pool *pool, const struct sample_store *samples)
{
	json_t *object = json_pack("{s:b}", "ok", 1);

	json_set_text(object, "pool", pool->config->front.name);
	json_set_number(object, "generation", pool->serving->number);
	json_set_text(object, "image", samples->image->is_frozen ? "frozen" : "inherited");
	json_set_number(object, "samples", samples->samples);
	json_set_number(object, "samples_lost", samples->lost);
	json_set_age(object, "age_seconds", samples->last_ms);
	json_set_number(object, "cell_bytes", samples->pages_per_cell * PAGE_BYTES);
	json_object_set_new(object, "copied", counts_json(samples, true));
	json_object_set_new(object, "new", counts_json(samples, false));
	json_object_set_new(object, "regions", regions_json(samples));
	return object;
}

static void
on_map(void *owner)
{
	struct control_request *request = owner;
	const struct zygote_pool *pool = &request->supervisor->pools[request->pool];
	const char *error;

	if (survey_of(pool, &error) == NULL)
		control_reply_error(request, "%s", error);
	else if (!pool->serving->subject.survey.image->has_places)
		control_reply_error(request, "which pages are copied can only be read by a daemon "
					     "that root has started; `maps` shows the regions");
	else if (pool->serving->samples == NULL)
		control_reply_error(request, "no request of the pool has been sampled yet");
	else
		control_reply(request, map_json(pool, pool->serving->samples));
}

/* ---- the commands ---- */

void
control_maps_run(struct control_request *request)
{
	if (control_commands_take_pools(request))
		control_memory_survey(request, on_maps);
}

void
control_map_run(struct control_request *request)
{
	if (!control_commands_take_pools(request))
		return;
	const struct config_pool *config = &request->supervisor->config->pools[request->pool];
	if (config->front.sample == 0)
		control_reply_error(
			request, "pool \"%s\" takes no samples: set `sample` in its configuration",
			config->front.name);
	else
		control_memory_survey(request, on_map);
}
