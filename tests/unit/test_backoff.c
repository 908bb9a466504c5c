/*
 * LINK: daemon/supervisor/backoff.c
 *
 * The waits between restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/backoff.h"

static void
test_waits_double_up_to_the_bound(void **state)
{
	static const uint32_t expected_ms[] = { 100,  200,  400,   800,	  1600,
						3200, 6400, 10000, 10000, 10000 };
	struct backoff backoff = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++)
		assert_int_equal(backoff_next(&backoff, 0), expected_ms[i]);
}

static void
test_health_starts_the_series_anew(void **state)
{
	struct backoff backoff = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)backoff_next(&backoff, BACKOFF_HEALTHY_MS - 1);
	assert_int_equal(backoff_next(&backoff, BACKOFF_HEALTHY_MS - 1), BACKOFF_READY_MAX_MS);
	assert_int_equal(backoff_next(&backoff, BACKOFF_HEALTHY_MS), BACKOFF_MIN_MS);
	assert_int_equal(backoff_next(&backoff, 0), 2 * BACKOFF_MIN_MS);
}

static void
test_what_was_ready_never_waits_longer_than_a_second(void **state)
{
	struct backoff backoff = { .delay_ms = BACKOFF_MAX_MS };

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(backoff_next(&backoff, 1), BACKOFF_READY_MAX_MS);
	assert_int_equal(backoff_next(&backoff, 0), 2 * BACKOFF_READY_MAX_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_double_up_to_the_bound),
		cmocka_unit_test(test_health_starts_the_series_anew),
		cmocka_unit_test(test_what_was_ready_never_waits_longer_than_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
