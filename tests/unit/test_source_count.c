/*
 * Connections of each source.
 *
 * LINK: daemon/front/source_count.c daemon/front/sip_hash.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/source_count.h"

#define MANY 20000

static struct source_counts counts = { .key = { 1, 2 } };

static const struct penalty_source one = { .high = 1, .low = 2 };
static const struct penalty_source other = { .high = 2, .low = 2 };
static const struct penalty_source third = { .high = 1, .low = 3 };

static void
assert_empty(void)
{
	for (int i = 0; i < SOURCE_COUNT_BUCKETS; i++)
		assert_null(counts.buckets[i]);
}

static void
a_source_has_no_more_than_it_may(void **state)
{
	struct source_count *first = source_counts_enter(&counts, &one, 2);
	struct source_count *second = source_counts_enter(&counts, &one, 2);

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	assert_null(source_counts_enter(&counts, &one, 2));
	source_counts_leave(&counts, first);
	assert_non_null(source_counts_enter(&counts, &one, 2));
	source_counts_leave(&counts, second);
	source_counts_leave(&counts, second);
	assert_empty();
}

static void
sources_do_not_count_for_each_other(void **state)
{
	struct source_count *const entries[] = {
		source_counts_enter(&counts, &one, 1),
		source_counts_enter(&counts, &other, 1),
		source_counts_enter(&counts, &third, 1),
	};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_non_null(entries[i]);
	assert_null(source_counts_enter(&counts, &other, 1));
	for (int i = 0; i < 3; i++)
		source_counts_leave(&counts, entries[i]);
	assert_empty();
}

static void
nothing_is_left_of_many(void **state)
{
	static struct source_count *entries[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		const struct penalty_source source = { .high = i, .low = i % 7 };
		entries[i] = source_counts_enter(&counts, &source, 1);
		assert_non_null(entries[i]);
	}
	for (unsigned i = 0; i < MANY; i++)
		source_counts_leave(&counts, entries[(i * 7919u) % MANY]);
	assert_empty();
	source_counts_leave(&counts, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_has_no_more_than_it_may),
		cmocka_unit_test(sources_do_not_count_for_each_other),
		cmocka_unit_test(nothing_is_left_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
