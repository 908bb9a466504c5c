/*
 * Guilt of sources: points, refusals, fading, and a table that cannot grow.
 * LINK: daemon/front/penalty.c daemon/front/sip_hash.c daemon/front/recycle_watch.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>

#include "front/penalty.h"

#define MS     1000000ull
#define SECOND (1000 * MS)
#define START  (123456 * SECOND)

static struct penalty_table table;

static int
reset(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	table.threshold = 100;
	table.key[0] = 0x0123456789abcdefull;
	table.key[1] = 42;
	return 0;
}

static struct penalty_source
source(const char *address)
{
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, address, bytes) != 1)
		assert_int_equal(inet_pton(AF_INET, address, bytes + 12), 1);
	return penalty_source_make(bytes);
}

static struct penalty_source
numbered(uint32_t number)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	memcpy(bytes + 4, &number, sizeof(number));
	return penalty_source_make(bytes);
}

static void
test_sources_are_addresses_or_networks(void **state)
{
	const struct penalty_source v4 = source("192.0.2.1");
	const struct penalty_source other = source("192.0.2.2");
	const struct penalty_source mapped = source("::ffff:192.0.2.1");
	const struct penalty_source v6 = source("2001:db8:1:2::1");
	const struct penalty_source same = source("2001:db8:1:2:ffff::9");
	const struct penalty_source next = source("2001:db8:1:3::1");

	(void)state;
	assert_true(v4.high == mapped.high && v4.low == mapped.low && v4.low != 0);
	assert_true(v6.high == same.high && v6.low == same.low && v6.high != 0);
	assert_true(v4.low != other.low);
	assert_true(v6.high != next.high);
}

static void
test_what_weighs_how_much(void **state)
{
	const unsigned fault = penalty_exit_points(true, SIGSEGV);

	(void)state;
	assert_int_equal(penalty_exit_points(true, SIGABRT), fault);
	assert_int_equal(penalty_exit_points(true, SIGSYS), fault);
	assert_true(penalty_exit_points(true, SIGFPE) < fault);
	assert_int_equal(penalty_exit_points(true, SIGKILL), 0);
	assert_int_equal(penalty_exit_points(true, SIGXCPU), 0);
	assert_int_equal(penalty_exit_points(false, 1), 0);
	assert_true(penalty_outcome_points(OUTCOME_TIMEOUT) < fault);
	assert_true(penalty_outcome_points(OUTCOME_BAD_REQUEST) > 0);
	assert_true(penalty_outcome_points(OUTCOME_BODY_TOO_SLOW) > 0);
	assert_true(penalty_outcome_points(OUTCOME_CLIENT_SLOW) > 0);
	assert_int_equal(penalty_outcome_points(OUTCOME_CRASHED), 0); /* its exit has told */
	assert_int_equal(penalty_outcome_points(OUTCOME_OK), 0);
	assert_int_equal(penalty_outcome_points(OUTCOME_PENALTY), 0);
}

static void
test_refused_from_the_threshold_on(void **state)
{
	const struct penalty_source guilty = source("192.0.2.1");
	const struct penalty_source other = source("192.0.2.2");

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(penalty_add(&table, &guilty, 20, START), 0);
	assert_int_equal(penalty_check(&table, &guilty, START), 0);
	assert_int_equal(penalty_add(&table, &guilty, 20, START), 1000);
	assert_true(penalty_check(&table, &guilty, START) > 0);
	assert_int_equal(penalty_check(&table, &guilty, START + SECOND - 1), 1);
	assert_int_equal(penalty_check(&table, &guilty, START + SECOND), 0);
	assert_int_equal(penalty_check(&table, &other, START), 0);
	assert_int_equal(table.begun, 1);
}

static void
test_relapses_double_the_time_up_to_a_bound(void **state)
{
	const struct penalty_source guilty = source("2001:db8::1");
	uint64_t now = START;
	uint32_t expected = PENALTY_FIRST_MS;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(penalty_add(&table, &guilty, 100, now), expected);
		assert_int_equal(penalty_add(&table, &guilty, 100, now), 0); /* refused already */
		now += expected * MS;
		expected = 2 * expected < PENALTY_LONGEST_MS ? 2 * expected : PENALTY_LONGEST_MS;
	}
}

static void
test_a_relapse_takes_half_of_the_points(void **state)
{
	const struct penalty_source guilty = source("192.0.2.1");

	(void)state;
	assert_int_equal(penalty_add(&table, &guilty, 100, START), 1000);
	assert_int_equal(penalty_add(&table, &guilty, 40, START + SECOND), 0);
	assert_int_equal(penalty_add(&table, &guilty, 20, START + SECOND), 2000);
}

static void
test_points_fade(void **state)
{
	const struct penalty_source slow = source("192.0.2.1");

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(penalty_add(&table, &slow, 20, START + i * 12 * SECOND), 0);
}

static void
test_relapses_are_forgotten(void **state)
{
	const struct penalty_source guilty = source("192.0.2.1");
	uint64_t now = START;

	(void)state;
	assert_int_equal(penalty_add(&table, &guilty, 100, now), 1000);
	now += SECOND;
	assert_int_equal(penalty_add(&table, &guilty, 100, now), 2000);
	now += 2 * SECOND + 2 * PENALTY_FORGET_MS * MS + 1;
	assert_int_equal(penalty_add(&table, &guilty, 100, now), 1000);
}

static void
test_the_exempt_are_never_refused(void **state)
{
	struct penalty_source proxy = source("10.0.0.1");

	(void)state;
	proxy.exempt = true;
	for (int i = 0; i < 100; i++)
		assert_int_equal(penalty_add(&table, &proxy, 100, START), 0);
	assert_int_equal(penalty_check(&table, &proxy, START), 0);
}

static void
test_a_threshold_of_zero_penalises_nobody(void **state)
{
	const struct penalty_source guilty = source("192.0.2.1");

	(void)state;
	table.threshold = 0;
	assert_int_equal(penalty_add(&table, &guilty, 1000, START), 0);
	assert_int_equal(penalty_check(&table, &guilty, START), 0);
}

static void
test_a_flood_of_lesser_sources_does_not_free_the_refused(void **state)
{
	const struct penalty_source guilty = source("192.0.2.1");
	uint64_t now = START;

	(void)state;
	for (int i = 0; i < 12; i++) /* refused for 10 minutes in the end */
		now += penalty_add(&table, &guilty, 100, now) * MS;
	now -= SECOND;
	for (uint32_t i = 0; i < 100000; i++) {
		const struct penalty_source lesser = numbered(i);
		(void)penalty_add(&table, &lesser, 99, now);
	}
	assert_true(penalty_check(&table, &guilty, now) > 0);
}

static void
test_sources_spread_over_the_sets(void **state)
{
	struct penalty_entry list[PENALTY_ENTRIES];

	(void)state;
	for (uint32_t i = 0; i < PENALTY_SETS; i++) {
		const struct penalty_source one = numbered(i);
		(void)penalty_add(&table, &one, 1, START);
	}
	/* With 4 places to a set 0.4 % of a random spread find theirs taken. */
	assert_true(penalty_list(&table, START, list, PENALTY_ENTRIES) > PENALTY_SETS * 98 / 100);
}

static void
test_the_list_has_the_most_guilty_first(void **state)
{
	struct penalty_entry list[10];

	(void)state;
	for (uint32_t i = 0; i < 90; i++) {
		const struct penalty_source one = numbered(i);
		(void)penalty_add(&table, &one, i + 1, START);
	}
	const struct penalty_source worst = source("192.0.2.1");
	(void)penalty_add(&table, &worst, 100, START);
	(void)penalty_check(&table, &worst, START);
	assert_int_equal(penalty_list(&table, START, list, 10), 10);
	assert_int_equal(list[0].low, worst.low);
	assert_int_equal(list[0].refused, 1);
	for (unsigned i = 1; i < 10; i++)
		assert_int_equal(list[i].milli, (91 - i) * 1000);
	assert_int_equal(penalty_list(&table, START + 2000 * SECOND, list, 10), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sources_are_addresses_or_networks, reset),
		cmocka_unit_test_setup(test_what_weighs_how_much, reset),
		cmocka_unit_test_setup(test_refused_from_the_threshold_on, reset),
		cmocka_unit_test_setup(test_relapses_double_the_time_up_to_a_bound, reset),
		cmocka_unit_test_setup(test_a_relapse_takes_half_of_the_points, reset),
		cmocka_unit_test_setup(test_points_fade, reset),
		cmocka_unit_test_setup(test_relapses_are_forgotten, reset),
		cmocka_unit_test_setup(test_the_exempt_are_never_refused, reset),
		cmocka_unit_test_setup(test_a_threshold_of_zero_penalises_nobody, reset),
		cmocka_unit_test_setup(test_a_flood_of_lesser_sources_does_not_free_the_refused,
				       reset),
		cmocka_unit_test_setup(test_sources_spread_over_the_sets, reset),
		cmocka_unit_test_setup(test_the_list_has_the_most_guilty_first, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
