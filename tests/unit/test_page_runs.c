/*
 * LINK: daemon/supervisor/page_runs.c
 *
 * Sets of pages: merged, ordered, asked, bounded.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/page_runs.h"

static void
test_neighbours_are_one_run(void **state)
{
	struct page_runs set = { 0 };

	(void)state;
	assert_int_equal(page_runs_add(&set, 10, 2), 0);
	assert_int_equal(page_runs_add(&set, 12, 3), 0);
	assert_int_equal(page_runs_add(&set, 20, 1), 0);
	assert_int_equal(set.count, 2);
	assert_int_equal(set.runs[0].count, 5);
	assert_int_equal(page_runs_pages(&set), 6);
	page_runs_free(&set);
	assert_int_equal(page_runs_pages(&set), 0);
}

static void
test_sorting_merges_what_touches_or_overlaps(void **state)
{
	static const struct page_run added[] = {
		{ 30, 5 }, { 10, 2 }, { 33, 4 }, { 12, 1 }, { 31, 1 }
	};
	struct page_runs set = { 0 };

	(void)state;
	page_runs_sort(&set);
	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		assert_int_equal(page_runs_add(&set, added[i].first, added[i].count), 0);
	page_runs_sort(&set);
	assert_int_equal(set.count, 2);
	assert_int_equal(set.runs[0].first, 10);
	assert_int_equal(set.runs[0].count, 3);
	assert_int_equal(set.runs[1].first, 30);
	assert_int_equal(set.runs[1].count, 7);
	page_runs_free(&set);
}

static void
test_questions(void **state)
{
	static const struct {
		uint64_t page;
		uint64_t limit;
		bool has;
		uint64_t same;
	} rows[] = {
		{ 0, 100, false, 10 }, { 10, 100, true, 5 },  { 14, 100, true, 1 },
		{ 12, 2, true, 2 },    { 15, 100, false, 5 }, { 20, 1, true, 1 },
		{ 21, 7, false, 7 },   { 9, 1, false, 1 },
	};
	struct page_runs set = { 0 };
	uint64_t same;

	(void)state;
	assert_false(page_runs_has(&set, 3, 4, &same));
	assert_int_equal(same, 4);
	assert_int_equal(page_runs_add(&set, 10, 5), 0);
	assert_int_equal(page_runs_add(&set, 20, 1), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(page_runs_has(&set, rows[i].page, rows[i].limit, &same),
				 rows[i].has);
		assert_int_equal(same, rows[i].same);
	}
	page_runs_free(&set);
}

static void
test_runs_are_bounded(void **state)
{
	struct page_runs set = { 0 };

	(void)state;
	for (uint64_t i = 0; i < PAGE_RUNS_MAX; i++)
		assert_int_equal(page_runs_add(&set, 2 * i, 1), 0);
	errno = 0;
	assert_int_equal(page_runs_add(&set, 2 * PAGE_RUNS_MAX, 1), -1);
	assert_int_equal(errno, E2BIG);
	assert_int_equal(set.count, PAGE_RUNS_MAX);
	page_runs_free(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbours_are_one_run),
		cmocka_unit_test(test_sorting_merges_what_touches_or_overlaps),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_runs_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
