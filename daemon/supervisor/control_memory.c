/*
 * `memory`: what the sharing saves, each figure with the way it was got.
 *
 *	probe          a child that serves nothing, read by the supervisor
 *	sample         the same for children that have answered; one in `sample` requests
 *	every request  counted by the kernel for each child, or by the front
 *
 * Runs in: supervisor.
 */
#include "supervisor/control_memory.h"

#include "supervisor/config.h"
#include "supervisor/control.h"
#include "supervisor/control_commands.h"
#include "supervisor/front_ask.h"
#include "supervisor/json_set.h"
#include "supervisor/memory_sums.h"
#include "supervisor/page_walk.h"
#include "supervisor/sample_store.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

static void
set_probe(json_t *object, const struct survey *survey)
{
	json_set_text(object, "image", survey->image->is_frozen ? "frozen" : "inherited");
	json_set_number(object, "image_bytes", survey->image_bytes);
	json_set_number(object, "image_resident_bytes", survey->resident_bytes);
	json_set_number(object, "rss_bytes", survey->rollup.rss_bytes);
	json_set_number(object, "pss_bytes", survey->rollup.pss_bytes);
	json_set_number(object, "pss_siblings", survey->siblings);
	json_set_number(object, "shared_bytes", survey->pages[PAGES_SHARED] * PAGE_BYTES);
	json_set_number(object, "copied_bytes", survey->pages[PAGES_COPIED] * PAGE_BYTES);
	json_set_number(object, "new_bytes", survey->pages[PAGES_NEW] * PAGE_BYTES);
	json_set_number(object, "swapped_bytes", survey->pages[PAGES_SWAPPED] * PAGE_BYTES);
	json_set_number(object, "private_bytes",
			(survey->pages[PAGES_COPIED] + survey->pages[PAGES_NEW]) * PAGE_BYTES);
	json_set_number(object, "page_table_bytes", survey->page_table_bytes);
	json_set_text(object, "method", "probe");
	json_set_text(object, "source", survey->image->has_places ? "pagemap" : "smaps");
	json_set_age(object, "age_seconds", survey->taken_ms);
}

static void
set_samples(json_t *object, const struct sample_store *samples)
{
	const uint32_t count = samples != NULL ? samples->samples : 0;

	json_set_number(object, "samples", count);
	json_set_number(object, "samples_lost", samples != NULL ? samples->lost : 0);
	json_set_number(object, "sample_shared_bytes", memory_mean_bytes(samples, PAGES_SHARED));
	json_set_number(object, "sample_copied_bytes", memory_mean_bytes(samples, PAGES_COPIED));
	json_set_number(object, "sample_new_bytes", memory_mean_bytes(samples, PAGES_NEW));
	json_set_number(object, "sample_swapped_bytes", memory_mean_bytes(samples, PAGES_SWAPPED));
	json_set_number(object, "sample_page_table_bytes",
			count > 0 ? samples->page_table_bytes / count : 0);
	json_set_age(object, "sample_age_seconds", samples != NULL ? samples->last_ms : 0);
}

static void
set_sums(json_t *object, const struct memory_sums *sums)
{
	const double part = sums->without_bytes > 0
				    ? (double)sums->saved_bytes / (double)sums->without_bytes
				    : 0;

	json_set_number(object, "children", sums->parked + sums->busy);
	json_set_number(object, "parked", sums->parked);
	json_set_number(object, "busy", sums->busy);
	json_set_number(object, "child_bytes", sums->probe_bytes);
	json_set_number(object, "sample_child_bytes", sums->sample_bytes);
	json_set_number(object, "rss_sum_bytes", sums->rss_bytes);
	json_set_number(object, "without_sharing_bytes", sums->without_bytes);
	json_set_number(object, "with_sharing_bytes", sums->with_bytes);
	json_set_number(object, "saved_bytes", sums->saved_bytes);
	json_set_real(object, "saved_percent", 100.0 * part);
}

static json_t *
pool_json(const struct zygote_pool *pool, const struct msg_stats *stats)
{
	const char *error;
	const struct survey *survey = survey_of(pool, &error);
	json_t *object = json_object();

	json_set_text(object, "pool", pool->config->front.name);
	if (survey == NULL) {
		json_set_text(object, "error", error);
		return object;
	}
	const struct memory_sums sums = memory_sums_of(pool->serving, survey, stats);
	json_set_number(object, "generation", pool->serving->number);
	json_set_number(object, "state_bytes", pool->serving->ready.state_bytes);
	set_probe(object, survey);
	set_samples(object, pool->serving->samples);
	json_set_number(object, "requests", stats->requests);
	json_set_number(object, "minor_faults", stats->minor_faults);
	set_sums(object, &sums);
	return object;
}

/* ---- one line for each figure ---- */

enum method { METHOD_PROBE, METHOD_SAMPLE, METHOD_REQUEST, METHOD_SUM, METHOD_MAX };

static const char *const methods[METHOD_MAX] = {
	[METHOD_PROBE] = "probe",
	[METHOD_SAMPLE] = "sample",
	[METHOD_REQUEST] = "every request",
	[METHOD_SUM] = "computed",
};

static const struct {
	const char *figure;
	const char *key;
	enum method method;
} lines[] = {
	{ "image", "image_bytes", METHOD_PROBE },
	{ "image, resident", "image_resident_bytes", METHOD_PROBE },
	{ "parked child: shared", "shared_bytes", METHOD_PROBE },
	{ "parked child: copied", "copied_bytes", METHOD_PROBE },
	{ "parked child: new", "new_bytes", METHOD_PROBE },
	{ "parked child: swapped", "swapped_bytes", METHOD_PROBE },
	{ "parked child: page tables", "page_table_bytes", METHOD_PROBE },
	{ "parked child: RSS", "rss_bytes", METHOD_PROBE },
	{ "parked child: PSS", "pss_bytes", METHOD_PROBE },
	{ "after a request: shared", "sample_shared_bytes", METHOD_SAMPLE },
	{ "after a request: copied", "sample_copied_bytes", METHOD_SAMPLE },
	{ "after a request: new", "sample_new_bytes", METHOD_SAMPLE },
	{ "after a request: swapped", "sample_swapped_bytes", METHOD_SAMPLE },
	{ "after a request: page tables", "sample_page_table_bytes", METHOD_SAMPLE },
	{ "faults of a request, as pages", "fault_bytes", METHOD_REQUEST },
	{ "without sharing", "without_sharing_bytes", METHOD_SUM },
	{ "with sharing", "with_sharing_bytes", METHOD_SUM },
};

static void
add_lines(json_t *list, const json_t *pool)
{
	const char *error = json_string_value(json_object_get(pool, "error"));

	for (size_t i = 0; error == NULL && i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *samples = lines[i].method == METHOD_REQUEST ? "requests" : "samples";
		const char *age =
			lines[i].method == METHOD_SAMPLE ? "sample_age_seconds" : "age_seconds";
		const bool is_counted =
			lines[i].method == METHOD_SAMPLE || lines[i].method == METHOD_REQUEST;
		json_t *line = json_object();
		json_object_set(line, "pool", json_object_get(pool, "pool"));
		json_set_text(line, "figure", lines[i].figure);
		json_object_set(line, "bytes", json_object_get(pool, lines[i].key));
		json_set_text(line, "method", methods[lines[i].method]);
		if (is_counted)
			json_object_set(line, "samples", json_object_get(pool, samples));
		else
			json_set_number(line, "samples", 1);
		if (lines[i].method == METHOD_REQUEST)
			json_set_real(line, "age_seconds", 0);
		else
			json_object_set(line, "age_seconds", json_object_get(pool, age));
		json_array_append_new(list, line);
	}
}

/* Mean faults of a request that a child had; each brings a page, or makes one the child's own. */
static void
set_faults(json_t *object, const struct msg_stats *stats)
{
	uint64_t ran = 0;

	for (int i = 0; i < OUTCOME_MAX; i++)
		if (proto_outcome_status((enum outcome)i) == 0 ||
		    proto_outcome_status((enum outcome)i) >= 500)
			ran += stats->outcomes[i];
	json_set_number(object, "fault_bytes",
			ran > 0 ? stats->minor_faults * PAGE_BYTES / ran : 0);
}

/* ---- the command ---- */

static bool
is_wanted(const struct control_request *request, const struct zygote_pool *pool)
{
	return pool->index >= request->pool && pool->index < request->pools_end &&
	       (pool->serving != NULL || request->words.count > 1);
}

static void
on_stats(void *owner, const struct front_answer *answer)
{
	struct control_request *request = owner;
	json_t *pools = json_array();
	json_t *figures = json_array();

	/* Without a front there are no children: zero is right, not a guess. */
	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(request->supervisor, pool)) != NULL;) {
		if (!is_wanted(request, pool))
			continue;
		const struct msg_stats *stats = &answer->pools[pool->index];
		json_t *object = pool_json(pool, stats);
		set_faults(object, stats);
		add_lines(figures, object);
		json_array_append_new(pools, object);
	}
	const char *error = json_string_value(json_object_get(json_array_get(pools, 0), "error"));
	if (request->words.count > 1 && error != NULL) {
		control_reply_error(request, "%s", error);
		json_decref(pools);
		json_decref(figures);
		return;
	}
	control_reply(request,
		      json_pack("{s:b, s:o, s:o}", "ok", 1, "pools", pools, "figures", figures));
}

static void
on_surveyed(void *owner)
{
	struct control_request *request = owner;

	front_ask_stats(request->supervisor->asks, on_stats, request);
}

void
control_memory_survey(struct control_request *request, survey_done_fn *done)
{
	const struct zygote_pool *pool = NULL;

	if (request->words.count > 1)
		pool = &request->supervisor->pools[request->pool];
	if (survey_ask(request->supervisor->surveys, pool, done, request) < 0)
		control_reply(request, NULL);
}

void
control_memory_run(struct control_request *request)
{
	if (!control_commands_take_pools(request))
		return;
	control_memory_survey(request, on_surveyed);
}
