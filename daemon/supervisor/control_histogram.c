/*
 * Distributions to JSON.
 *
 * Runs in: supervisor.
 */
#include "supervisor/control_histogram.h"

#include "base/proto.h"

json_t *
control_histogram_bounds(void)
{
	json_t *list = json_array();

	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++)
		json_array_append_new(list, json_integer((json_int_t)histogram_bound_us(i)));
	return list;
}

static json_t *
histogram_json(const struct histogram *histogram)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		json_array_append_new(list, json_integer((json_int_t)histogram->counts[i]));
	return list;
}

void
control_histogram_set(json_t *object, const struct msg_stats_times *times)
{
	static const char *const names[POOL_TIME_MAX] = {
		[POOL_TIME_RUN] = "run_histogram",
		[POOL_TIME_QUEUE] = "queue_histogram",
		[POOL_TIME_FORK] = "fork_histogram",
	};

	for (int i = 0; i < POOL_TIME_MAX; i++)
		json_object_set_new(object, names[i], histogram_json(&times->times[i]));
}
