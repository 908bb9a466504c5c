/*
 * LINK: daemon/supervisor/smaps_pages.c daemon/supervisor/smaps.c daemon/supervisor/page_runs.c
 *
 * Pages counted by mapping, for those who may not read which they are.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "supervisor/smaps_pages.h"

static const struct mapping heap = { .start = 0x200000, .end = 0x240000, .kind = MAPPING_HEAP };

static int
add(struct page_walk *walk, unsigned rss, unsigned shared, unsigned own, unsigned anonymous)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "200000-240000 rw-p 00000000 00:00 0 [heap]\nRss: %u kB\nPss: 1 kB\n"
		 "Shared_Clean: 0 kB\nShared_Dirty: %u kB\nPrivate_Clean: 0 kB\n"
		 "Private_Dirty: %u kB\nAnonymous: %u kB\nSwap: 0 kB\nVmFlags: rd wr\n",
		 rss, shared, own, anonymous);
	return smaps_pages_add(walk, &heap, text);
}

static void
free_all(struct page_walk *walk)
{
	for (int i = 0; i < PAGE_STATE_MAX; i++)
		page_runs_free(&walk->states[i]);
}

static void
test_shared_pages_first_then_its_own(void **state)
{
	struct page_walk walk = { 0 };

	(void)state;
	assert_int_equal(add(&walk, 40, 28, 12, 40), 0);
	assert_int_equal(walk.states[PAGE_JOINT].runs[0].first, 0x200);
	assert_int_equal(walk.states[PAGE_JOINT].runs[0].count, 7);
	assert_int_equal(walk.states[PAGE_OWN].runs[0].first, 0x207);
	assert_int_equal(walk.states[PAGE_OWN].runs[0].count, 3);
	assert_int_equal(walk.states[PAGE_FILE].count, 0);
	free_all(&walk);
}

/* What one process alone maps of an image is private, but not anonymous, and not its own. */
static void
test_pages_of_a_file_that_nobody_else_maps_are_not_its_own(void **state)
{
	struct page_walk walk = { 0 };

	(void)state;
	assert_int_equal(add(&walk, 40, 0, 40, 8), 0);
	assert_int_equal(page_runs_pages(&walk.states[PAGE_OWN]), 2);
	assert_int_equal(page_runs_pages(&walk.states[PAGE_FILE]), 8);
	assert_int_equal(walk.states[PAGE_JOINT].count, 0);
	free_all(&walk);
}

static void
test_malformed_text_is_an_error(void **state)
{
	struct page_walk walk = { 0 };

	(void)state;
	assert_int_equal(smaps_pages_add(&walk, &heap, "200000-240000 rw-p\nRss: 4 kB\n"), -1);
	assert_int_equal(errno, EPROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_pages_first_then_its_own),
		cmocka_unit_test(test_pages_of_a_file_that_nobody_else_maps_are_not_its_own),
		cmocka_unit_test(test_malformed_text_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
