/* LINK: daemon/front/fork_pause.c */
/*
 * Pauses grow from 10 ms to 1 s, a burst of failures counts once, a success makes them short again.
 *
 * Runs in: unit tests.
 */
#include "front/fork_pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000ull

static void
test_no_pause_at_first(void **state)
{
	const struct fork_pause pause = { 0 };

	(void)state;
	assert_true(fork_pause_is_over(&pause, 0));
	assert_true(fork_pause_is_over(&pause, 5 * MS));
}

static void
test_pauses_double_up_to_a_second(void **state)
{
	static const unsigned lengths_ms[] = { 10, 20, 40, 80, 160, 320, 640, 1000, 1000 };
	struct fork_pause pause = { 0 };
	uint64_t now = 77 * MS;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths_ms) / sizeof(lengths_ms[0]); i++) {
		assert_true(fork_pause_fail(&pause, now));
		assert_false(fork_pause_is_over(&pause, now + lengths_ms[i] * MS - 1));
		now += lengths_ms[i] * MS;
		assert_true(fork_pause_is_over(&pause, now));
	}
}

static void
test_a_burst_counts_once(void **state)
{
	struct fork_pause pause = { 0 };

	(void)state;
	assert_true(fork_pause_fail(&pause, 0));
	for (int i = 0; i < 100; i++)
		assert_false(fork_pause_fail(&pause, 5 * MS));
	assert_true(fork_pause_is_over(&pause, 10 * MS));
}

static void
test_a_success_makes_the_next_pause_short(void **state)
{
	struct fork_pause pause = { 0 };

	(void)state;
	for (uint64_t now = 0; now < 20000 * MS; now += 2000 * MS)
		assert_true(fork_pause_fail(&pause, now));
	fork_pause_clear(&pause);
	assert_true(fork_pause_fail(&pause, 30000 * MS));
	assert_true(fork_pause_is_over(&pause, 30010 * MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_pause_at_first),
		cmocka_unit_test(test_pauses_double_up_to_a_second),
		cmocka_unit_test(test_a_burst_counts_once),
		cmocka_unit_test(test_a_success_makes_the_next_pause_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
