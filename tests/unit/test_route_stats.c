/*
 * LINK: daemon/front/route_stats.c
 *
 * Histograms by powers of two: each value in the bucket whose bound it does not pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/route_stats.h"

static void
test_each_value_is_in_its_bucket(void **state)
{
	static const struct {
		uint64_t value;
		unsigned bucket;
	} rows[] = {
		{ 0, 0 },	    { 1, 0 }, { 2, 1 },	       { 3, 2 },
		{ 4, 2 },	    { 5, 3 }, { 1 << 22, 22 }, { (1 << 22) + 1, 23 },
		{ UINT64_MAX, 23 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct route_usage usage = { .faults = rows[i].value };
		struct route_stats stats = { 0 };
		route_stats_add(&stats, &usage);
		assert_int_equal(stats.faults.buckets[rows[i].bucket], 1);
		assert_int_equal(stats.cpu_us.buckets[0], 1);
	}
}

static void
test_sums_and_largest(void **state)
{
	struct route_stats stats = { 0 };
	struct msg_route message = { 0 };

	(void)state;
	route_stats_add(&stats, &(struct route_usage){ 10, 200, 3000 });
	route_stats_add(&stats, &(struct route_usage){ 30, 100, 1000 });
	route_stats_report(&stats, &message);
	assert_int_equal(message.requests, 2);
	assert_int_equal(message.faults.sum, 40);
	assert_int_equal(message.faults.max, 30);
	assert_int_equal(message.cpu_us.max, 200);
	assert_int_equal(message.wall_us.sum, 4000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_value_is_in_its_bucket),
		cmocka_unit_test(test_sums_and_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
