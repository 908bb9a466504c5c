/*
 * Shares of limits.
 * LINK: daemon/supervisor/share.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/share.h"

/* For every number of fronts: the sum is the whole, and nobody has more than one over another. */
static void
shares_add_up(void **state)
{
	(void)state;
	for (uint32_t fronts = 1; fronts <= PROTO_FRONTS_MAX; fronts++) {
		for (uint32_t value = fronts; value < 100; value++) {
			uint32_t sum = 0;
			for (uint32_t i = 0; i < fronts; i++) {
				const uint32_t share = share_of(value, fronts, i);
				assert_in_range(share, value / fronts, value / fronts + 1);
				assert_true(share <= share_of(value, fronts, 0));
				sum += share;
			}
			assert_int_equal(sum, value);
		}
	}
}

static void
little_is_one_each_and_nothing_is_nothing(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(share_of(3, 4, i), 1);
		assert_int_equal(share_of(0, 4, i), 0);
	}
}

static void
a_pool_is_shared(void **state)
{
	const struct heritage_pool whole = { .spare = 16,
					     .max_children = 65,
					     .queue = 0,
					     .zygotes = 3,
					     .timeout_ms = 2000,
					     .recycle_requests = 1000,
					     .recycle_faults = 1,
					     .breaker_crashes = 51 };
	struct heritage_pool first = whole;
	struct heritage_pool second = whole;

	(void)state;
	share_pool(&first, 2, 0);
	share_pool(&second, 2, 1);
	assert_int_equal(first.spare + second.spare, 16);
	assert_int_equal(first.max_children, 33);
	assert_int_equal(second.max_children, 32);
	assert_int_equal(first.queue + second.queue, 0);
	assert_int_equal(first.recycle_requests, 500);
	assert_int_equal(second.recycle_faults, 1);
	assert_int_equal(first.breaker_crashes + second.breaker_crashes, 51);
	assert_int_equal(first.zygotes, 3);
	assert_int_equal(second.timeout_ms, 2000);
}

static void
one_front_has_it_all(void **state)
{
	struct heritage_pool pool = { .spare = 16, .max_children = 64, .queue = 256 };

	(void)state;
	share_pool(&pool, 1, 0);
	assert_int_equal(pool.spare, 16);
	assert_int_equal(pool.max_children, 64);
	assert_int_equal(pool.queue, 256);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_add_up),
		cmocka_unit_test(little_is_one_each_and_nothing_is_nothing),
		cmocka_unit_test(a_pool_is_shared),
		cmocka_unit_test(one_front_has_it_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
