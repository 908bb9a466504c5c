/*
 * Figures of `zygotectl top`. Pure but for the allocation of its tables.
 *
 * Runs in: zygotectl. The answers come from whoever listens on the socket: any shape is taken, and
 * what is missing is not known.
 */
#include "zygotectl/top_figures.h"

#include "zygotectl/table.h"
#include "zygotectl/unit.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MAX 64

static double
number_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void
text_at(const json_t *object, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(out, size, "%s", text ? text : "");
}

static const json_t *
find_pool(const json_t *answer, const char *name)
{
	size_t index;
	const json_t *pool;

	json_array_foreach(json_object_get(answer, "pools"), index, pool)
	{
		const char *text = json_string_value(json_object_get(pool, "pool"));
		if (text && strcmp(text, name) == 0)
			return pool;
	}
	return NULL;
}

/* What a counter gained; all of it when it has begun anew. */
static double
gain(double before, double now)
{
	return now >= before ? now - before : now;
}

static double
rate_of(const json_t *before, const json_t *now, const char *key, double seconds)
{
	return before && seconds > 0 ? gain(number_at(before, key), number_at(now, key)) / seconds
				     : NAN;
}

/* ---- quantiles ---- */

static size_t
load_counts(const json_t *before, const json_t *now, double gained[BUCKETS_MAX])
{
	const size_t count = json_array_size(now);

	if (count > BUCKETS_MAX || json_array_size(before) != count)
		return 0;
	for (size_t i = 0; i < count; i++)
		gained[i] = gain(json_number_value(json_array_get(before, i)),
				 json_number_value(json_array_get(now, i)));
	return count;
}

static double
bound_at(const json_t *bounds, size_t index)
{
	return json_number_value(json_array_get(bounds, index));
}

double
top_figures_quantile(const json_t *before, const json_t *now, const json_t *bounds, double quantile)
{
	double gained[BUCKETS_MAX];
	const size_t count = load_counts(before, now, gained);
	double total = 0;
	double below = 0;

	if (count == 0 || json_array_size(bounds) + 1 != count)
		return NAN;
	for (size_t i = 0; i < count; i++)
		total += gained[i];
	if (!(total > 0))
		return NAN;
	for (size_t i = 0; i + 1 < count; i++) {
		const double low = i > 0 ? bound_at(bounds, i - 1) : 0;
		if (gained[i] > 0 && below + gained[i] >= quantile * total)
			return low +
			       (bound_at(bounds, i) - low) * (quantile * total - below) / gained[i];
		below += gained[i];
	}
	return bound_at(bounds, count - 2);
}

/* ---- frames ---- */

static double
quantile_of(const json_t *before, const json_t *now, const json_t *bounds, const char *key,
	    double quantile)
{
	return top_figures_quantile(json_object_get(before, key), json_object_get(now, key), bounds,
				    quantile);
}

static void
fill_row(struct top_row *row, const json_t *before, const struct top_reading *now, double seconds)
{
	const json_t *stats = find_pool(now->stats, row->pool);
	const json_t *earlier = find_pool(before, row->pool);
	const json_t *pool = find_pool(now->pools, row->pool);
	const json_t *memory = find_pool(now->memory, row->pool);
	const json_t *bounds = json_object_get(now->stats, "bucket_bounds_us");

	text_at(pool, "state", row->state, sizeof(row->state));
	row->rate = rate_of(earlier, stats, "requests", seconds);
	row->refused = rate_of(earlier, stats, "refused", seconds);
	row->failed = rate_of(earlier, stats, "failed", seconds);
	row->p50_us = quantile_of(earlier, stats, bounds, "run_histogram", 0.5);
	row->p99_us = quantile_of(earlier, stats, bounds, "run_histogram", 0.99);
	row->queue_p99_us = quantile_of(earlier, stats, bounds, "queue_histogram", 0.99);
	row->queued = number_at(pool, "queued");
	row->parked = number_at(pool, "spare");
	row->busy = number_at(pool, "busy");
	row->draining = number_at(pool, "draining");
	row->max_children = number_at(pool, "max_children");
	row->faults = number_at(stats, "minor_faults_mean");
	row->saved_bytes = number_at(memory, "saved_bytes");
	row->saved_percent = number_at(memory, "saved_percent");
}

void
top_figures_make(const json_t *before, const struct top_reading *now, double seconds,
		 struct top_frame *frame_out)
{
	const json_t *front = json_object_get(now->stats, "front");
	size_t index;
	const json_t *pool;

	memset(frame_out, 0, sizeof(*frame_out));
	frame_out->uptime_seconds = number_at(front, "uptime_seconds");
	frame_out->connections = number_at(front, "connections");
	frame_out->active = number_at(front, "active");
	frame_out->rate = rate_of(json_object_get(before, "front"), front, "requests", seconds);
	json_array_foreach(json_object_get(now->stats, "pools"), index, pool)
	{
		if (frame_out->count == TOP_POOLS_MAX)
			break;
		struct top_row *row = &frame_out->rows[frame_out->count++];
		text_at(pool, "pool", row->pool, sizeof(row->pool));
		fill_row(row, before, now, seconds);
		if (row->saved_bytes > 0)
			frame_out->saved_bytes += row->saved_bytes;
	}
}

/* ---- order ---- */

static const struct {
	const char *name;
	size_t offset;
} sorts[TOP_SORT_MAX] = {
	[TOP_SORT_POOL] = { "pool", 0 },
	[TOP_SORT_RATE] = { "rate", offsetof(struct top_row, rate) },
	[TOP_SORT_P99] = { "p99", offsetof(struct top_row, p99_us) },
	[TOP_SORT_BUSY] = { "busy", offsetof(struct top_row, busy) },
	[TOP_SORT_SAVED] = { "saved", offsetof(struct top_row, saved_bytes) },
};

const char *
top_sort_name(enum top_sort sort)
{
	return sorts[sort].name;
}

static double
key_of(const struct top_row *row, enum top_sort sort)
{
	double value;

	memcpy(&value, (const char *)row + sorts[sort].offset, sizeof(value));
	return isnan(value) ? -1 : value;
}

static int
compare(const void *left, const void *right, void *argument)
{
	const enum top_sort sort = *(const enum top_sort *)argument;
	const struct top_row *a = left;
	const struct top_row *b = right;

	if (sort != TOP_SORT_POOL && key_of(a, sort) != key_of(b, sort))
		return key_of(a, sort) < key_of(b, sort) ? 1 : -1;
	return strcmp(a->pool, b->pool);
}

void
top_figures_sort(struct top_frame *frame, enum top_sort sort)
{
	qsort_r(frame->rows, frame->count, sizeof(frame->rows[0]), compare, &sort);
}

/* ---- printing ---- */

static const struct {
	const char *header;
	enum unit unit;
	size_t offset;
} columns[] = {
	{ "REQ/S", UNIT_COUNT, offsetof(struct top_row, rate) },
	{ "REFUSED/S", UNIT_COUNT, offsetof(struct top_row, refused) },
	{ "FAILED/S", UNIT_COUNT, offsetof(struct top_row, failed) },
	{ "P50", UNIT_US, offsetof(struct top_row, p50_us) },
	{ "P99", UNIT_US, offsetof(struct top_row, p99_us) },
	{ "WAIT P99", UNIT_US, offsetof(struct top_row, queue_p99_us) },
	{ "QUEUED", UNIT_COUNT, offsetof(struct top_row, queued) },
	{ "PARKED", UNIT_COUNT, offsetof(struct top_row, parked) },
	{ "BUSY", UNIT_COUNT, offsetof(struct top_row, busy) },
	{ "DRAINING", UNIT_COUNT, offsetof(struct top_row, draining) },
	{ "MAX", UNIT_COUNT, offsetof(struct top_row, max_children) },
	{ "FAULTS", UNIT_COUNT, offsetof(struct top_row, faults) },
	{ "SAVED", UNIT_BYTES, offsetof(struct top_row, saved_bytes) },
	{ "SAVED %", UNIT_PERCENT, offsetof(struct top_row, saved_percent) },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const char *
format(enum unit unit, double value, char *out, size_t size)
{
	return isnan(value) ? "-" : unit_format(unit, value, out, size);
}

static void
add_row(struct table *table, const struct top_row *row)
{
	char text[UNIT_TEXT_MAX];
	double value;

	table_add(table, row->pool);
	table_add(table, row->state[0] != '\0' ? row->state : "-");
	for (size_t i = 0; i < COLUMNS; i++) {
		memcpy(&value, (const char *)row + columns[i].offset, sizeof(value));
		table_add(table, format(columns[i].unit, value, text, sizeof(text)));
	}
}

static void
print_summary(const struct top_frame *frame, FILE *out)
{
	char up[UNIT_TEXT_MAX];
	char rate[UNIT_TEXT_MAX];
	char connections[UNIT_TEXT_MAX];
	char active[UNIT_TEXT_MAX];
	char saved[UNIT_TEXT_MAX];

	fprintf(out, "front up %s, connections %s, with a request %s, requests/s %s, saved %s\n",
		format(UNIT_SECONDS, frame->uptime_seconds, up, sizeof(up)),
		format(UNIT_COUNT, frame->connections, connections, sizeof(connections)),
		format(UNIT_COUNT, frame->active, active, sizeof(active)),
		format(UNIT_COUNT, frame->rate, rate, sizeof(rate)),
		format(UNIT_BYTES, frame->saved_bytes, saved, sizeof(saved)));
}

int
top_figures_print(const struct top_frame *frame, FILE *out)
{
	struct table *table = table_new(COLUMNS + 2);
	int result;

	if (!table)
		return -1;
	print_summary(frame, out);
	table_add(table, "POOL");
	table_add(table, "STATE");
	for (size_t i = 0; i < COLUMNS; i++) {
		table_align(table, i + 2, TABLE_RIGHT);
		table_add(table, columns[i].header);
	}
	for (unsigned i = 0; i < frame->count; i++)
		add_row(table, &frame->rows[i]);
	result = table_print(table, out);
	table_free(table);
	return result;
}
