/* LINK: daemon/supervisor/available.c daemon/supervisor/procfs.c
 *
 * What a control group has left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/available.h"

static const struct {
	const char *max;
	const char *current;
	const char *stat;
	uint64_t left;
} groups[] = {
	{ "max\n", "123\n", "", UINT64_MAX }, /* cgroup-v2: no bound */
	{ "1000\n", "300\n", "", 700 },
	{ "1000\n", "1000\n", "", 0 },
	{ "1000\n", "1001\n", "", 0 }, /* it may be over for a moment */
	{ "0\n", "0\n", "", 0 },
	{ "", "5\n", "", UINT64_MAX },
	/* The cache of a file that was read once takes nothing away; what else there is does. */
	{ "1000\n", "900\n", "anon 300\nfile 600\ninactive_file 550\nactive_file 50\n", 650 },
	{ "1000\n", "900\n", "anon 900\nworkingset_inactive_file 7\n", 100 },
	{ "1000\n", "900\n", "anon 0\ninactive_file 901\n", 1000 }, /* read one after the other */
};

static void
test_what_is_left_below_the_bound(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		assert_true(available_in_group(groups[i].max, groups[i].current, groups[i].stat) ==
			    groups[i].left);
}

static void
test_this_machine_has_some(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	assert_int_equal(available_bytes(&bytes), 0);
	assert_true(bytes > 1 << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_left_below_the_bound),
		cmocka_unit_test(test_this_machine_has_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
