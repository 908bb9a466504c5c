/* LINK: worker/table/index.c worker/table/key.c
 *
 * Lookups by exact key and by longest prefix, and the normal form of keys.
 */
#include "table/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Rows of two strings: key, value. The literal's own NUL ends the last value. */
static const char rows[] = "0022\0short\0"
			   "002272\0six\0"
			   "0022725\0seven\0"
			   "002272555\0nine\0"
			   "FF\0other\0"
			   "002272\0again";

static const char *
value_of(const char *row)
{
	return row != NULL ? row + strlen(row) + 1 : "-";
}

static void
test_exact_finds_only_the_whole_key(void **state)
{
	struct index index;

	(void)state;
	assert_int_equal(index_init(&index, rows, sizeof(rows), 2), 0);
	assert_string_equal(value_of(index_find(&index, "002272", 6)), "six");
	assert_string_equal(value_of(index_find(&index, "FF", 2)), "other");
	assert_string_equal(value_of(index_find(&index, "00227", 5)), "-");
	assert_string_equal(value_of(index_find(&index, "0022720", 7)), "-");
	assert_string_equal(value_of(index_find(&index, "", 0)), "-");
	assert_string_equal(value_of(index_find(&index, "FF\0", 3)), "-");
	assert_string_equal(value_of(index_find(&index, "six", 3)), "-");
	index_fini(&index);
}

static void
test_longest_prefix_wins(void **state)
{
	static const struct {
		const char *key, *value;
	} cases[] = {
		{ "0022", "short" },
		{ "00227", "short" },
		{ "002272", "six" },
		{ "00227299", "six" },
		{ "0022725", "seven" },
		{ "00227255", "seven" },
		{ "002272555", "nine" },
		{ "002272555ABC", "nine" },
		{ "002", "-" },
		{ "F", "-" },
		{ "FFFFFFFFFFFF", "other" },
		{ "", "-" },
	};
	struct index index;

	(void)state;
	assert_int_equal(index_init(&index, rows, sizeof(rows), 2), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(value_of(index_find_prefix(&index, cases[i].key,
							       strlen(cases[i].key))),
				    cases[i].value);
	index_fini(&index);
}

static void
test_the_first_of_repeated_keys_counts(void **state)
{
	struct index index;

	(void)state;
	assert_int_equal(index_init(&index, rows, sizeof(rows), 2), 0);
	assert_int_equal(index.rows, 5);
	assert_int_equal(index.repeated, 1);
	index_fini(&index);
}

static void
test_an_empty_table_finds_nothing(void **state)
{
	struct index index;

	(void)state;
	assert_int_equal(index_init(&index, "", 0, 2), 0);
	assert_null(index_find(&index, "a", 1));
	assert_null(index_find_prefix(&index, "a", 1));
	index_fini(&index);
}

static void
test_keys_of_the_greatest_length(void **state)
{
	static char arena[KEY_BYTES_MAX + 1 + 6], key[KEY_BYTES_MAX + 1];
	struct index index;

	(void)state;
	memset(arena, 'k', KEY_BYTES_MAX);
	memcpy(arena + KEY_BYTES_MAX + 1, "value", 6);
	memset(key, 'k', sizeof(key));
	assert_int_equal(index_init(&index, arena, sizeof(arena), 2), 0);
	assert_string_equal(value_of(index_find(&index, key, KEY_BYTES_MAX)), "value");
	assert_string_equal(value_of(index_find(&index, key, KEY_BYTES_MAX + 1)), "-");
	assert_string_equal(value_of(index_find_prefix(&index, key, KEY_BYTES_MAX + 1)), "value");
	index_fini(&index);
}

/* 50,000 rows: each is found, and as many keys that are not there are not. */
static void
test_many_rows(void **state)
{
	enum { ROWS = 50000, STRIDE = 9 };
	char *arena = malloc((size_t)ROWS * STRIDE);
	struct index index;
	char key[16];

	(void)state;
	assert_non_null(arena);
	for (int i = 0; i < ROWS; i++) {
		snprintf(key, sizeof(key), "%06X", i * 2);
		memcpy(arena + (ptrdiff_t)i * STRIDE, key, 7);
		memcpy(arena + (ptrdiff_t)i * STRIDE + 7, "v", 2);
	}
	assert_int_equal(index_init(&index, arena, (size_t)ROWS * STRIDE, 2), 0);
	for (int i = 0; i < 2 * ROWS; i++) {
		snprintf(key, sizeof(key), "%06X", i);
		const char *row = index_find(&index, key, 6);

		assert_ptr_equal(row, i % 2 == 0 ? arena + (ptrdiff_t)i / 2 * STRIDE : NULL);
	}
	index_fini(&index);
	free(arena);
}

static void
test_keys_in_normal_form(void **state)
{
	static const struct {
		enum key_form form;
		const char *key, *normal, *wrong;
	} cases[] = {
		{ KEY_AS_IS, "aB:c", "aB:c", NULL },
		{ KEY_AS_IS, "", NULL, "empty key" },
		{ KEY_HEX, "002272", "002272", NULL },
		{ KEY_HEX, "00:22:72:01:02:03", "002272010203", NULL },
		{ KEY_HEX, "00-22-72", "002272", NULL },
		{ KEY_HEX, "0022.72aB", "002272AB", NULL },
		{ KEY_HEX, " 00 22 72 ", "002272", NULL },
		{ KEY_HEX, "abcdef", "ABCDEF", NULL },
		{ KEY_HEX, "", NULL, "empty key" },
		{ KEY_HEX, ":-. ", NULL, "empty key" },
		{ KEY_HEX, "00:2g", NULL, "key has other than hex digits" },
		{ KEY_HEX, "\xc3\xa4", NULL, "key has other than hex digits" },
		{ KEY_HEX, "00/22", NULL, "key has other than hex digits" },
		{ KEY_HEX, "@G`g", NULL, "key has other than hex digits" },
	};
	char key[32];
	size_t length;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		strcpy(key, cases[i].key);
		const char *wrong = key_normalise(cases[i].form, key, strlen(key), &length);

		if (cases[i].wrong != NULL) {
			assert_non_null(wrong);
			assert_string_equal(wrong, cases[i].wrong);
			continue;
		}
		assert_null(wrong);
		assert_int_equal(length, strlen(cases[i].normal));
		assert_memory_equal(key, cases[i].normal, length);
	}
	assert_int_equal(key_form_parse("hex"), KEY_HEX);
	assert_int_equal(key_form_parse("none"), KEY_AS_IS);
	assert_int_equal(key_form_parse("HEX"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_finds_only_the_whole_key),
		cmocka_unit_test(test_longest_prefix_wins),
		cmocka_unit_test(test_the_first_of_repeated_keys_counts),
		cmocka_unit_test(test_an_empty_table_finds_nothing),
		cmocka_unit_test(test_keys_of_the_greatest_length),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_keys_in_normal_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
