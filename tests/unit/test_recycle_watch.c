/*
 * When a generation has had enough.
 * LINK: daemon/front/recycle_watch.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "front/recycle_watch.h"

#define SECOND 1000000000ull

static void
test_requests_are_counted(void **state)
{
	struct recycle_watch watch = { 0 };

	(void)state;
	for (int i = 1; i < 1000; i++)
		assert_false(recycle_watch_add_request(&watch, 1000));
	assert_true(recycle_watch_add_request(&watch, 1000));
	assert_true(recycle_watch_add_request(&watch, 1000));
	assert_false(recycle_watch_add_request(&watch, 0));
}

static void
test_faults_within_a_minute_add_up(void **state)
{
	struct recycle_watch watch = { 0 };
	const uint64_t start = 123456 * SECOND + 789;

	(void)state;
	for (uint64_t i = 0; i < 9; i++)
		assert_false(recycle_watch_add_fault(&watch, 10, start + i * 6 * SECOND));
	assert_true(recycle_watch_add_fault(&watch, 10, start + 59 * SECOND));
	assert_false(recycle_watch_add_fault(&watch, 0, start + 59 * SECOND));
}

static void
test_faults_fade_after_a_minute(void **state)
{
	struct recycle_watch watch = { 0 };
	const uint64_t start = 100 * SECOND;

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_false(recycle_watch_add_fault(&watch, 10, start));
	assert_false(recycle_watch_add_fault(&watch, 10, start + 60 * SECOND));
	assert_false(recycle_watch_add_fault(&watch, 3, start + 60 * SECOND));
	assert_true(recycle_watch_add_fault(&watch, 3, start + 61 * SECOND));
}

/* One a second for ever is 60 a minute, however often the ring went round. */
static void
test_a_steady_rate_is_counted_as_it_is(void **state)
{
	struct recycle_watch watch = { 0 };

	(void)state;
	for (uint64_t second = 1; second < 1000; second++) {
		const uint64_t now = second * SECOND + second;
		assert_false(recycle_watch_add_fault(&watch, 61, now));
		if (second % 7 == 0)
			assert_true(recycle_watch_add_fault(&(struct recycle_watch){ 0 }, 1, now));
	}
	assert_true(recycle_watch_add_fault(&watch, 60, 1000 * SECOND));
}

static void
test_a_long_silence_forgets_all(void **state)
{
	struct recycle_watch watch = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_false(recycle_watch_add_fault(&watch, 6, (uint64_t)(i + 1) * SECOND));
	assert_false(recycle_watch_add_fault(&watch, 2, 1000000007 * SECOND));
}

/* CLOCK_MONOTONIC does not, but an order of two events might. */
static void
test_time_that_goes_back_counts_as_now(void **state)
{
	struct recycle_watch watch = { 0 };

	(void)state;
	assert_false(recycle_watch_add_fault(&watch, 2, 50 * SECOND));
	assert_true(recycle_watch_add_fault(&watch, 2, 49 * SECOND));
}

static void
test_memory_faults_and_nothing_else(void **state)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGSYS };
	static const int others[] = { 0, SIGKILL, SIGTERM, SIGXCPU, SIGPIPE, SIGFPE, SIGHUP };

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		assert_true(recycle_watch_is_fault(faults[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(recycle_watch_is_fault(others[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_are_counted),
		cmocka_unit_test(test_faults_within_a_minute_add_up),
		cmocka_unit_test(test_faults_fade_after_a_minute),
		cmocka_unit_test(test_a_steady_rate_is_counted_as_it_is),
		cmocka_unit_test(test_a_long_silence_forgets_all),
		cmocka_unit_test(test_time_that_goes_back_counts_as_now),
		cmocka_unit_test(test_memory_faults_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
