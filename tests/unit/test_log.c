/*
 * Escaping of peers' bytes, and level names.
 * LINK: daemon/base/log.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/log.h"

static void
control_bytes_and_quotes_are_escaped(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(log_escape("a\nb\0c\"\\\xff ~", 10, out, sizeof(out)),
			    "a\\x0ab\\x00c\\x22\\x5c\\xff ~");
}

/* Never beyond the buffer, always ended, never half an escape. */
static void
escaping_is_cut_cleanly(void **state)
{
	char out[16];

	(void)state;
	for (size_t size = 1; size < sizeof(out); size++) {
		memset(out, 'Z', sizeof(out));
		log_escape("\n\n\n\n", 4, out, size);
		assert_int_equal(strlen(out), (size - 1) / 4 * 4);
		assert_int_equal(out[size], 'Z');
	}
}

static void
level_names_go_both_ways(void **state)
{
	(void)state;
	for (int level = 0; level < LOG_LEVEL_MAX; level++)
		assert_int_equal(log_level_parse(log_level_name((enum log_level)level)), level);
	assert_int_equal(log_level_parse("loud"), -1);
	assert_string_equal(log_level_name(LOG_LEVEL_MAX), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_bytes_and_quotes_are_escaped),
		cmocka_unit_test(escaping_is_cut_cleanly),
		cmocka_unit_test(level_names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
