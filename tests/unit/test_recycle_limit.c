/*
 * LINK: daemon/supervisor/recycle_limit.c
 *
 * How often a pool may be recycled by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/recycle_limit.h"

static void
test_the_first_one_is_not_delayed(void **state)
{
	struct recycle_limit limit = { 0 };

	(void)state;
	assert_int_equal(recycle_limit_wait(&limit, 0), 0);
	assert_int_equal(recycle_limit_wait(&limit, 5), 0);
	recycle_limit_note(&limit, 5, true);
	assert_int_equal(recycle_limit_wait(&limit, 5), 10000);
	assert_int_equal(recycle_limit_wait(&limit, 1005), 9000);
	assert_int_equal(recycle_limit_wait(&limit, 10005), 0);
}

static void
test_intervals_double_while_it_goes_on(void **state)
{
	static const uint32_t expected_ms[] = { 10000,	20000,	40000,	80000, 160000,
						320000, 600000, 600000, 600000 };
	struct recycle_limit limit = { 0 };
	uint64_t now_ms = 1000000;

	(void)state;
	for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
		recycle_limit_note(&limit, now_ms, true);
		assert_int_equal(recycle_limit_wait(&limit, now_ms), expected_ms[i]);
		now_ms += expected_ms[i];
	}
}

static void
test_calm_starts_the_intervals_anew(void **state)
{
	struct recycle_limit limit = { 0 };

	(void)state;
	recycle_limit_note(&limit, 1000, true);
	recycle_limit_note(&limit, 11000, true);
	assert_int_equal(recycle_limit_wait(&limit, 11000), 20000);
	recycle_limit_note(&limit, 11000 + 2 * 20000 - 1, true);
	assert_int_equal(recycle_limit_wait(&limit, 50999), 40000);
	recycle_limit_note(&limit, 50999 + 2 * 40000, true);
	assert_int_equal(recycle_limit_wait(&limit, 130999), 10000);
}

static void
test_what_an_operator_set_keeps_its_pace(void **state)
{
	struct recycle_limit limit = { 0 };

	(void)state;
	for (uint64_t now_ms = 1000; now_ms < 200000; now_ms += 10000) {
		assert_int_equal(recycle_limit_wait(&limit, now_ms), 0);
		recycle_limit_note(&limit, now_ms, false);
	}
	recycle_limit_note(&limit, 201000, true);
	recycle_limit_note(&limit, 221000, false);
	assert_int_equal(recycle_limit_wait(&limit, 221000), 20000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_one_is_not_delayed),
		cmocka_unit_test(test_intervals_double_while_it_goes_on),
		cmocka_unit_test(test_calm_starts_the_intervals_anew),
		cmocka_unit_test(test_what_an_operator_set_keeps_its_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
