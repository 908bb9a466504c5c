/*
 * Calls outside a profile, sorted into kinds.
 * LINK: daemon/supervisor/policy_seen.c daemon/supervisor/policy.c
 */
#include "supervisor/policy_seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct policy_seen seen;

static int
set_up(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	return 0;
}

static const struct policy_sighting *
add(const char *call, int number, uint64_t first, uint64_t second, uint64_t third)
{
	const uint64_t args[6] = { first, second, third, 0, 0, 0 };

	return policy_seen_add(&seen, call, number, args, 77);
}

static void
test_each_kind_is_new_once_and_then_counted(void **state)
{
	(void)state;
	assert_non_null(add("getppid", 110, 1, 2, 3));
	assert_null(add("getppid", 110, 4, 5, 6));
	assert_null(add("getppid", 110, 7, 8, 9));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.sightings[0].count, 3);
	assert_int_equal(seen.sightings[0].args[0], 1);
	assert_int_equal(seen.sightings[0].pid, 77);
}

static void
test_operations_tell_kinds_apart_and_other_arguments_do_not(void **state)
{
	(void)state;
	assert_non_null(add("socket", 41, 1, 1, 0));
	assert_non_null(add("socket", 41, 2, 1, 0));
	assert_null(add("socket", 41, 2, 1, 0));
	/* tested by rows of the table: the operation, not the descriptor */
	assert_non_null(add("fcntl", 72, 5, 1030, 0));
	assert_null(add("fcntl", 72, 6, 1030, 0));
	assert_non_null(add("fcntl", 72, 6, 1031, 0));
	/* the kernel takes 32 bits of an operation, and so do rows */
	assert_null(add("socket", 41, 2 | UINT64_C(5) << 32, 1, 0));
	assert_int_equal(seen.count, 4);
}

static void
test_kinds_are_bounded_and_the_rest_is_counted(void **state)
{
	(void)state;
	for (int i = 0; i < POLICY_SEEN_MAX + 30; i++)
		assert_true((add("?", 1000 + i, 0, 0, 0) != NULL) == (i < POLICY_SEEN_MAX));
	assert_null(add("?", 1000, 0, 0, 0));
	assert_int_equal(seen.count, POLICY_SEEN_MAX);
	assert_int_equal(seen.beyond, 30);
	assert_int_equal(seen.sightings[0].count, 2);
}

static void
test_a_row_is_suggested(void **state)
{
	char text[POLICY_ROW_TEXT_MAX];

	(void)state;
	assert_string_equal(policy_seen_format_row(add("socket", 41, 2, 0x80001, 0), "compute",
						   text, sizeof(text)),
			    "{ \"socket\", ALLOW, ARGS(EQ(0, 0x2), EQ(1, 0x80001), EQ(2, 0x0)), "
			    ".profile = \"compute\", .reason = \"...\" },");
	assert_string_equal(policy_seen_format_row(add("setsid", 112, 9, 9, 9), "files", text,
						   sizeof(text)),
			    "{ \"setsid\", ALLOW, .profile = \"files\", .reason = \"...\" },");
}

static void
test_the_longest_texts_fit(void **state)
{
	const uint64_t args[6] = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
				   UINT64_MAX, UINT64_MAX, UINT64_MAX };
	const struct policy_sighting *sighting =
		policy_seen_add(&seen, "a-name-of-thirty-one-characters", 9, args, INT32_MAX);
	struct policy_sighting worst = *sighting;
	char text[POLICY_ROW_TEXT_MAX];

	(void)state;
	worst.tested = 0xf;
	policy_seen_format_row(&worst, "a-name-of-thirty-one-characters", text, sizeof(text));
	assert_string_equal(text + strlen(text) - 3, " },");
	policy_seen_format_args(&worst, text, 160);
	assert_int_equal(strlen(text), 6 * 18 + 5 * 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_kind_is_new_once_and_then_counted, set_up),
		cmocka_unit_test_setup(test_operations_tell_kinds_apart_and_other_arguments_do_not,
				       set_up),
		cmocka_unit_test_setup(test_kinds_are_bounded_and_the_rest_is_counted, set_up),
		cmocka_unit_test_setup(test_a_row_is_suggested, set_up),
		cmocka_unit_test_setup(test_the_longest_texts_fit, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
