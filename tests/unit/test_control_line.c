/*
 * LINK: daemon/supervisor/control_line.c
 *
 * Command lines of the control socket: words, and the number of arguments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/control_line.h"

static const char *
split(const char *line, struct control_words *words)
{
	return control_line_split(line, strlen(line), words);
}

static void
test_words_are_separated_by_spaces_and_tabs(void **state)
{
	struct control_words words;

	(void)state;
	assert_null(split("  memory \t oui\t", &words));
	assert_int_equal(words.count, 2);
	assert_string_equal(words.words[0], "memory");
	assert_string_equal(words.words[1], "oui");
}

static void
test_carriage_return_at_the_end_is_dropped(void **state)
{
	struct control_words words;

	(void)state;
	assert_null(split("ping\r", &words));
	assert_string_equal(words.words[0], "ping");
	assert_non_null(split("ping\r\r", &words));
	assert_non_null(split("pi\rng", &words));
}

static void
test_lines_without_words_are_refused(void **state)
{
	struct control_words words;

	(void)state;
	assert_non_null(split("", &words));
	assert_non_null(split("\r", &words));
	assert_non_null(split(" \t ", &words));
	assert_int_equal(words.count, 0);
}

static void
test_every_byte_that_is_not_printable_is_refused(void **state)
{
	struct control_words words;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		const char line[] = { 'a', (char)byte, 'b' };
		const int good = (byte >= 0x20 && byte <= 0x7e) || byte == '\t';
		assert_int_equal(control_line_split(line, sizeof(line), &words) == NULL, good);
	}
}

static void
test_length_is_bounded(void **state)
{
	struct control_words words;
	char line[CONTROL_LINE_MAX + 1];

	(void)state;
	memset(line, 'a', sizeof(line));
	assert_null(control_line_split(line, CONTROL_LINE_MAX, &words));
	assert_int_equal(strlen(words.words[0]), CONTROL_LINE_MAX);
	assert_non_null(control_line_split(line, CONTROL_LINE_MAX + 1, &words));
	assert_int_equal(words.count, 0);
}

static void
test_number_of_words_is_bounded(void **state)
{
	struct control_words words;

	(void)state;
	assert_null(split("1 2 3 4 5 6 7 8", &words));
	assert_int_equal(words.count, CONTROL_WORDS_MAX);
	assert_string_equal(words.words[7], "8");
	assert_non_null(split("1 2 3 4 5 6 7 8 9", &words));
	assert_int_equal(words.count, 0);
}

static void
test_arguments_are_counted(void **state)
{
	static const struct {
		const char *line;
		const char *specification;
		int good;
	} cases[] = {
		{ "ping", "", 1 },
		{ "ping x", "", 0 },
		{ "log", "LEVEL", 0 },
		{ "log debug", "LEVEL", 1 },
		{ "log debug now", "LEVEL", 0 },
		{ "memory", "[POOL]", 1 },
		{ "memory oui", "[POOL]", 1 },
		{ "memory oui x", "[POOL]", 0 },
		{ "c", "A [B]", 0 },
		{ "c a", "A [B]", 1 },
		{ "c a b", "A [B]", 1 },
		{ "c a b d", "A [B]", 0 },
	};
	struct control_words words;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(split(cases[i].line, &words));
		if ((control_line_check(&words, cases[i].specification) == NULL) != cases[i].good)
			fail_msg("\"%s\" against \"%s\"", cases[i].line, cases[i].specification);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_separated_by_spaces_and_tabs),
		cmocka_unit_test(test_carriage_return_at_the_end_is_dropped),
		cmocka_unit_test(test_lines_without_words_are_refused),
		cmocka_unit_test(test_every_byte_that_is_not_printable_is_refused),
		cmocka_unit_test(test_length_is_bounded),
		cmocka_unit_test(test_number_of_words_is_bounded),
		cmocka_unit_test(test_arguments_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
