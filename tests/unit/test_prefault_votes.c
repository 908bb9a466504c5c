/*
 * LINK: daemon/supervisor/prefault_votes.c daemon/supervisor/page_runs.c
 *
 * Pages are chosen by majority, bounded, and old habits are forgotten.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/prefault_votes.h"

static struct prefault_run runs[PREFAULT_RUNS_MAX];

static int
vote(struct prefault_votes *votes, uint64_t first, uint64_t count, uint64_t read)
{
	struct page_run written = { first, count };
	struct page_run mapped = { read, 3 };
	const struct page_runs write_set = { &written, count > 0, 1 };
	const struct page_runs read_set = { &mapped, read > 0, 1 };

	return prefault_votes_add(votes, &write_set, &read_set);
}

static void
expect_run(const struct prefault_run *run, uint64_t first, uint32_t pages,
	   enum prefault_access access)
{
	assert_int_equal(run->address, first << 12);
	assert_int_equal(run->pages, pages);
	assert_int_equal(run->access, access);
}

static void
test_what_most_wrote_is_chosen(void **state)
{
	struct prefault_votes votes = { 0 };

	(void)state;
	assert_int_equal(vote(&votes, 100, 10, 0), 0);
	assert_int_equal(vote(&votes, 105, 10, 0), 0);
	assert_int_equal(vote(&votes, 105, 2, 0), 0);
	assert_int_equal(vote(&votes, 300, 1, 0), 0);
	assert_int_equal(prefault_votes_choose(&votes, 100, runs), 1);
	expect_run(&runs[0], 105, 2, PREFAULT_WRITE); /* three of four; 107..109 have but two */
	prefault_votes_free(&votes);
}

static void
test_one_page_in_sixteen_is_read(void **state)
{
	struct prefault_votes votes = { 0 };

	(void)state;
	assert_int_equal(vote(&votes, 0, 0, 0x1e), 0); /* 0x1e and 0x20, in two windows */
	assert_int_equal(vote(&votes, 0, 0, 0x1d), 0); /* 0x1d */
	assert_int_equal(vote(&votes, 0, 0, 0x11), 0); /* 0x11 */
	assert_int_equal(prefault_votes_choose(&votes, 100, runs), 1);
	expect_run(&runs[0], 0x11, 1, PREFAULT_READ);
	prefault_votes_free(&votes);
}

static void
test_pages_with_most_votes_come_first_where_room_is_short(void **state)
{
	struct prefault_votes votes = { 0 };

	(void)state;
	assert_int_equal(vote(&votes, 10, 60, 0), 0);
	assert_int_equal(vote(&votes, 10, 60, 0), 0);
	assert_int_equal(vote(&votes, 40, 20, 0), 0);
	assert_int_equal(prefault_votes_choose(&votes, 30, runs), 1);
	expect_run(&runs[0], 40, 20, PREFAULT_WRITE);
	assert_int_equal(prefault_votes_choose(&votes, 5, runs), 1);
	expect_run(&runs[0], 40, 5, PREFAULT_WRITE);
	assert_int_equal(prefault_votes_choose(&votes, 60, runs), 1);
	expect_run(&runs[0], 10, 60, PREFAULT_WRITE);
	prefault_votes_free(&votes);
}

static void
test_there_are_never_more_runs_than_the_table_holds(void **state)
{
	struct prefault_votes votes = { 0 };
	struct page_runs written = { 0 };
	const struct page_runs none = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 2 * PREFAULT_RUNS_MAX; i++)
		assert_int_equal(page_runs_add(&written, 1000 + 2 * i, 1), 0);
	assert_int_equal(prefault_votes_add(&votes, &written, &none), 0);
	assert_int_equal(prefault_votes_choose(&votes, UINT64_MAX, runs), PREFAULT_RUNS_MAX);
	page_runs_free(&written);
	prefault_votes_free(&votes);
}

static void
test_a_child_that_touches_too_much_has_no_vote(void **state)
{
	struct prefault_votes votes = { 0 };

	(void)state;
	assert_int_equal(vote(&votes, 10, 5, 0x40), 0);
	assert_int_equal(vote(&votes, 0, UINT64_C(1) << 40, 0), -1);
	assert_int_equal(errno, E2BIG);
	assert_int_equal(vote(&votes, 100, PREFAULT_VOTES_MAX, 0), -1); /* with what is there */
	assert_int_equal(votes.samples, 1);
	assert_int_equal(prefault_votes_choose(&votes, 100, runs), 2);
	prefault_votes_free(&votes);
}

static void
test_new_habits_replace_old_ones(void **state)
{
	struct prefault_votes votes = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_int_equal(vote(&votes, 10, 5, 0x40), 0);
	for (int i = 0; i < 200; i++)
		assert_int_equal(vote(&votes, 900, 5, 0x80), 0);
	assert_int_equal(prefault_votes_choose(&votes, 100, runs), 2);
	expect_run(&runs[0], 900, 5, PREFAULT_WRITE);
	expect_run(&runs[1], 0x80, 1, PREFAULT_READ);
	assert_true(votes.samples < 64);
	prefault_votes_free(&votes);
}

static void
test_nothing_is_chosen_of_nothing(void **state)
{
	const struct prefault_votes votes = { 0 };

	(void)state;
	assert_int_equal(prefault_votes_choose(&votes, 100, runs), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_most_wrote_is_chosen),
		cmocka_unit_test(test_one_page_in_sixteen_is_read),
		cmocka_unit_test(test_pages_with_most_votes_come_first_where_room_is_short),
		cmocka_unit_test(test_there_are_never_more_runs_than_the_table_holds),
		cmocka_unit_test(test_a_child_that_touches_too_much_has_no_vote),
		cmocka_unit_test(test_new_habits_replace_old_ones),
		cmocka_unit_test(test_nothing_is_chosen_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
