/* LINK: daemon/supervisor/metrics_text.c daemon/supervisor/metrics_table.c
 * LINK: daemon/supervisor/metrics_emit.c daemon/base/histogram.c daemon/base/proto.c
 *
 * Both text formats: what differs between them, escapes, cumulation; and what the table makes of a
 * snapshot.
 */
#include "supervisor/metrics_snapshot.h"
#include "supervisor/metrics_table.h"
#include "supervisor/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct metrics_family gauge = { "a_bytes", "bytes", "Say \"x\\y\".\nMore.",
					     METRIC_GAUGE };
static const struct metrics_family counter = { "b_seconds", "seconds", "B.", METRIC_COUNTER };
static const struct metrics_family distribution = { "c_seconds", "seconds", "C.",
						    METRIC_HISTOGRAM };

static char *written;
static size_t written_length;

static struct metrics_writer
open_writer(enum metrics_format format)
{
	free(written);
	return (struct metrics_writer){ .out = open_memstream(&written, &written_length),
					.format = format };
}

static const char *
finish(struct metrics_writer *writer)
{
	metrics_text_end(writer);
	fclose(writer->out);
	return written;
}

static const char *
write_two(enum metrics_format format)
{
	static const struct metrics_label labels[] = { { "x", "a\"b\\c\nd" }, { "y", "" }, { 0 } };
	struct metrics_writer writer = open_writer(format);

	metrics_text_begin(&writer, &gauge);
	metrics_text_value(&writer, labels, UINT64_MAX, 1);
	metrics_text_begin(&writer, &counter);
	metrics_text_value(&writer, labels + 2, 12000034, 1000000);
	metrics_text_value(&writer, labels + 2, 5, 1000);
	return finish(&writer);
}

static void
test_the_text_format(void **state)
{
	(void)state;
	assert_string_equal(write_two(METRICS_TEXT),
			    "# HELP a_bytes Say \"x\\\\y\".\\nMore.\n"
			    "# TYPE a_bytes gauge\n"
			    "a_bytes{x=\"a\\\"b\\\\c\\nd\",y=\"\"} 18446744073709551615\n"
			    "# HELP b_seconds_total B.\n"
			    "# TYPE b_seconds_total counter\n"
			    "b_seconds_total 12.000034\n"
			    "b_seconds_total 0.005\n");
}

static void
test_openmetrics(void **state)
{
	(void)state;
	assert_string_equal(write_two(METRICS_OPENMETRICS),
			    "# HELP a_bytes Say \\\"x\\\\y\\\".\\nMore.\n"
			    "# TYPE a_bytes gauge\n"
			    "# UNIT a_bytes bytes\n"
			    "a_bytes{x=\"a\\\"b\\\\c\\nd\",y=\"\"} 18446744073709551615\n"
			    "# HELP b_seconds B.\n"
			    "# TYPE b_seconds counter\n"
			    "# UNIT b_seconds seconds\n"
			    "b_seconds_total 12.000034\n"
			    "b_seconds_total 0.005\n"
			    "# EOF\n");
}

static void
assert_line(const char *line)
{
	if (strstr(written, line) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, written);
}

static void
test_buckets_are_cumulative_and_end_at_infinity(void **state)
{
	static const struct metrics_label labels[] = { { "pool", "p" }, { 0 } };
	static const uint64_t durations_us[] = { 0, 50, 51, 1000000, 1000001, UINT64_MAX };
	struct metrics_writer writer = open_writer(METRICS_TEXT);
	struct histogram histogram = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(durations_us) / sizeof(durations_us[0]); i++)
		histogram_count(&histogram, durations_us[i]);
	metrics_text_begin(&writer, &distribution);
	metrics_text_histogram(&writer, labels, &histogram, 2000102);
	finish(&writer);
	assert_line("c_seconds_bucket{pool=\"p\",le=\"0.00005\"} 2\n");
	assert_line("c_seconds_bucket{pool=\"p\",le=\"0.0001\"} 3\n");
	assert_line("c_seconds_bucket{pool=\"p\",le=\"0.5\"} 3\n");
	assert_line("c_seconds_bucket{pool=\"p\",le=\"1.0\"} 4\n");
	assert_line("c_seconds_bucket{pool=\"p\",le=\"2.5\"} 5\n");
	assert_line("c_seconds_bucket{pool=\"p\",le=\"60.0\"} 5\n");
	assert_line("c_seconds_bucket{pool=\"p\",le=\"+Inf\"} 6\n");
	assert_line("c_seconds_sum{pool=\"p\"} 2.000102\n");
	assert_line("c_seconds_count{pool=\"p\"} 6\n");
}

static void
test_bounds_ascend(void **state)
{
	(void)state;
	for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++)
		assert_true(histogram_bound_us(i) > histogram_bound_us(i - 1));
	assert_true(histogram_bound_us(HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
}

static struct metrics_snapshot snapshot;

static void
render(enum metrics_format format)
{
	free(written);
	written = metrics_table_render(&snapshot, format, &written_length);
	assert_non_null(written);
	assert_int_equal(strlen(written), written_length);
}

static void
fill_snapshot(void)
{
	memset(&snapshot, 0, sizeof(snapshot));
	snapshot.version = "1.2";
	snapshot.has_front = true;
	snapshot.pools_count = 2;
	snapshot.pools[0].name = "a";
	snapshot.pools[1].name = "b";
	snapshot.pools[0].stats.outcomes[OUTCOME_QUEUE_FULL] = 3;
	snapshot.pools[1].stats.outcomes[OUTCOME_QUEUE_FULL] = 4;
	snapshot.front.outcomes[OUTCOME_QUEUE_FULL] = 7;
	snapshot.front.outcomes[OUTCOME_NO_ROUTE] = 5;
	snapshot.pools[0].times.ok_codes[4] = 2;
	snapshot.pools[0].stats.spare = 9;
}

static void
test_requests_without_a_pool_are_what_is_left(void **state)
{
	(void)state;
	fill_snapshot();
	render(METRICS_TEXT);
	assert_line("zygoted_requests_total{pool=\"a\",code=\"4xx\",outcome=\"ok\"} 2\n");
	assert_line("zygoted_requests_total{pool=\"b\",code=\"5xx\",outcome=\"queue_full\"} 4\n");
	assert_line("zygoted_requests_total{pool=\"\",code=\"5xx\",outcome=\"queue_full\"} 0\n");
	assert_line("zygoted_requests_total{pool=\"\",code=\"4xx\",outcome=\"no_route\"} 5\n");
	assert_line("zygoted_requests_total{pool=\"a\",code=\"none\",outcome=\"client_gone\"} 0\n");
	assert_line("zygoted_refusals_total{pool=\"a\",reason=\"queue_full\"} 3\n");
	assert_line("zygoted_refusals_total{pool=\"\",reason=\"no_route\"} 5\n");
	assert_null(strstr(written, "reason=\"crashed\""));
	assert_null(strstr(written, "reason=\"ok\""));
}

static void
test_what_is_not_known_is_not_told(void **state)
{
	(void)state;
	fill_snapshot();
	snapshot.pools[1].memory = (struct metrics_memory){ .is_known = true, .age_ms = 1500 };
	render(METRICS_TEXT);
	assert_line("zygoted_children{pool=\"a\",state=\"parked\"} 9\n");
	assert_line("zygoted_memory_age_seconds{pool=\"b\"} 1.500\n");
	assert_null(strstr(written, "zygoted_memory_age_seconds{pool=\"a\"}"));
	snapshot.has_front = false;
	render(METRICS_TEXT);
	assert_null(strstr(written, "zygoted_children{"));
	assert_null(strstr(written, "zygoted_requests"));
	assert_line("zygoted_zygote_up{pool=\"a\"} 0\n");
}

static size_t
count_lines(const char *begin)
{
	size_t count = 0;

	for (const char *line = written; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += strncmp(line, begin, strlen(begin)) == 0;
	}
	return count;
}

/* The largest daemon that can be configured, all names as long as they may be. */
static void
test_the_largest_text_fits(void **state)
{
	static const struct msg_layer layers[LAYER_MAX];
	static const char name[] = "abcdefghijklmnopqrstuvwxyz01234";

	(void)state;
	fill_snapshot();
	snapshot.pools_count = PROTO_POOLS_MAX;
	for (int i = 0; i < PROTO_POOLS_MAX; i++) {
		memset(&snapshot.pools[i].stats, 0xff, sizeof(snapshot.pools[i].stats));
		memset(&snapshot.pools[i].times, 0xff, sizeof(snapshot.pools[i].times));
		snapshot.pools[i].memory.is_known = true;
		snapshot.pools[i].layers = layers;
		snapshot.pools[i].name = name;
	}
	snapshot.listeners_count = PROTO_LISTENERS_MAX;
	for (int i = 0; i < PROTO_LISTENERS_MAX; i++)
		snapshot.listeners[i].name = name;
	snapshot.processes_count = METRICS_PROCESSES_MAX;
	for (int i = 0; i < METRICS_PROCESSES_MAX; i++)
		snapshot.processes[i] = (struct metrics_process){ .name = name, .pool = name };
	render(METRICS_OPENMETRICS);
	assert_true(written_length < PROTO_METRICS_MAX / 2);
	assert_int_equal(count_lines("# HELP "), count_lines("# TYPE "));
	assert_true(count_lines("# HELP ") > 40);
}

static int
free_written(void **state)
{
	(void)state;
	free(written);
	written = NULL;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_text_format),
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_buckets_are_cumulative_and_end_at_infinity),
		cmocka_unit_test(test_bounds_ascend),
		cmocka_unit_test(test_requests_without_a_pool_are_what_is_left),
		cmocka_unit_test(test_what_is_not_known_is_not_told),
		cmocka_unit_test(test_the_largest_text_fits),
	};

	return cmocka_run_group_tests(tests, NULL, free_written);
}
