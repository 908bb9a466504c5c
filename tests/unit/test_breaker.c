/*
 * When a pool's breaker opens, probes and closes.
 * LINK: daemon/front/breaker.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/breaker.h"

#define MS     1000000ull
#define SECOND (1000 * MS)
#define START  (123456 * SECOND + 789)

static const struct breaker_rule rule = { .crashes = 5, .window_ms = 10000 };

static enum breaker_change
end(struct breaker *breaker, enum outcome outcome, uint64_t now)
{
	return breaker_end(breaker, &rule, outcome, false, now);
}

static enum breaker_change
end_probe(struct breaker *breaker, enum outcome outcome, uint64_t now)
{
	return breaker_end(breaker, &rule, outcome, true, now);
}

static struct breaker
opened(void)
{
	struct breaker breaker = { 0 };

	for (int i = 0; i < 4; i++)
		assert_int_equal(end(&breaker, OUTCOME_CRASHED, START), BREAKER_SAME);
	assert_int_equal(end(&breaker, OUTCOME_CRASHED, START), BREAKER_HAS_OPENED);
	return breaker;
}

static void
test_what_counts_as_a_crash(void **state)
{
	(void)state;
	assert_true(breaker_is_crash(OUTCOME_CRASHED));
	assert_true(breaker_is_crash(OUTCOME_SANDBOX));
	assert_true(breaker_is_crash(OUTCOME_CPU_LIMIT));
	assert_true(breaker_is_crash(OUTCOME_MEMORY_LIMIT));
	assert_true(breaker_is_crash(OUTCOME_BAD_REPLY));
	assert_false(breaker_is_crash(OUTCOME_OK));
	assert_false(breaker_is_crash(OUTCOME_TIMEOUT));
	assert_false(breaker_is_crash(OUTCOME_WORKER_ERROR));
	assert_false(breaker_is_crash(OUTCOME_CLIENT_GONE));
}

static void
test_it_opens_when_there_were_enough_crashes(void **state)
{
	struct breaker breaker = opened();

	(void)state;
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker.opened, 1);
	assert_int_equal(breaker_admit(&breaker, START), BREAKER_REFUSE);
	assert_int_equal(breaker_retry_after(&breaker, START), 2);
}

static void
test_other_ends_do_not_open_it(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(end(&breaker, OUTCOME_TIMEOUT, START), BREAKER_SAME);
	assert_int_equal(breaker_admit(&breaker, START), BREAKER_RUN);
}

static void
test_crashes_of_long_ago_are_forgotten(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(end(&breaker, OUTCOME_CRASHED, START + i * 2600 * MS),
				 BREAKER_SAME);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(end(&breaker, OUTCOME_CRASHED, START + 1000 * SECOND),
				 BREAKER_SAME);
}

static void
test_it_never_opens_when_it_is_off(void **state)
{
	const struct breaker_rule off = { .crashes = 0, .window_ms = 10000 };
	struct breaker breaker = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(breaker_end(&breaker, &off, OUTCOME_CRASHED, false, START),
				 BREAKER_SAME);
}

static void
test_one_probe_at_a_time(void **state)
{
	struct breaker breaker = opened();
	const uint64_t later = START + BREAKER_PROBE_MS * MS;

	(void)state;
	assert_int_equal(breaker_admit(&breaker, later - 1), BREAKER_REFUSE);
	assert_int_equal(breaker_admit(&breaker, later), BREAKER_PROBE);
	assert_int_equal(breaker_admit(&breaker, later + 100 * SECOND), BREAKER_REFUSE);
	assert_int_equal(breaker_retry_after(&breaker, later + 100 * SECOND), 1);
}

static void
test_a_good_probe_closes_it_and_old_crashes_are_gone(void **state)
{
	struct breaker breaker = opened();
	const uint64_t later = START + BREAKER_PROBE_MS * MS;

	(void)state;
	assert_int_equal(breaker_admit(&breaker, later), BREAKER_PROBE);
	assert_int_equal(end_probe(&breaker, OUTCOME_OK, later), BREAKER_HAS_CLOSED);
	assert_int_equal(breaker_admit(&breaker, later), BREAKER_RUN);
	for (int i = 0; i < 4; i++)
		assert_int_equal(end(&breaker, OUTCOME_CRASHED, later), BREAKER_SAME);
	assert_int_equal(end(&breaker, OUTCOME_CRASHED, later), BREAKER_HAS_OPENED);
	assert_int_equal(breaker.opened, 2);
}

static void
test_probes_that_crash_come_more_and_more_seldom(void **state)
{
	static const unsigned waits[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	struct breaker breaker = opened();
	uint64_t now = START;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_int_equal(breaker_admit(&breaker, now + waits[i] * SECOND - 1),
				 BREAKER_REFUSE);
		now += waits[i] * SECOND;
		assert_int_equal(breaker_admit(&breaker, now), BREAKER_PROBE);
		assert_int_equal(end_probe(&breaker, OUTCOME_CRASHED, now), BREAKER_SAME);
	}
}

static void
test_a_probe_whose_client_left_decides_nothing(void **state)
{
	struct breaker breaker = opened();
	uint64_t now = START + SECOND;

	(void)state;
	for (int i = 0; i < 5; i++, now += SECOND) {
		assert_int_equal(breaker_admit(&breaker, now), BREAKER_PROBE);
		assert_int_equal(end_probe(&breaker, OUTCOME_CLIENT_GONE, now), BREAKER_SAME);
	}
}

static void
test_ends_of_older_requests_change_nothing_while_it_is_open(void **state)
{
	struct breaker breaker = opened();

	(void)state;
	assert_int_equal(end(&breaker, OUTCOME_OK, START + 1), BREAKER_SAME);
	assert_int_equal(end(&breaker, OUTCOME_CRASHED, START + 1), BREAKER_SAME);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker_admit(&breaker, START + SECOND), BREAKER_PROBE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_counts_as_a_crash),
		cmocka_unit_test(test_it_opens_when_there_were_enough_crashes),
		cmocka_unit_test(test_other_ends_do_not_open_it),
		cmocka_unit_test(test_crashes_of_long_ago_are_forgotten),
		cmocka_unit_test(test_it_never_opens_when_it_is_off),
		cmocka_unit_test(test_one_probe_at_a_time),
		cmocka_unit_test(test_a_good_probe_closes_it_and_old_crashes_are_gone),
		cmocka_unit_test(test_probes_that_crash_come_more_and_more_seldom),
		cmocka_unit_test(test_a_probe_whose_client_left_decides_nothing),
		cmocka_unit_test(test_ends_of_older_requests_change_nothing_while_it_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
