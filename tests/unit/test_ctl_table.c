/* LINK: daemon/zygotectl/table.c daemon/zygotectl/unit.c daemon/zygotectl/view.c
 * LINK: daemon/zygotectl/render.c daemon/zygotectl/map.c
 * PKGS: jansson
 *
 * What zygotectl prints: tables, units, and answers of the expected and of other shapes.
 */
#include "zygotectl/render.h"
#include "zygotectl/table.h"
#include "zygotectl/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *
print_cells(size_t columns, const char *const *cells, size_t count)
{
	struct table *table = table_new(columns);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_align(table, columns - 1, TABLE_RIGHT);
	for (size_t i = 0; i < count; i++)
		table_add(table, cells[i]);
	assert_int_equal(table_print(table, out), 0);
	fclose(out);
	table_free(table);
	return text;
}

static void
test_columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const char *const cells[] = { "POOL", "N", "a", "1000", "Gr\xc3\xbc\xc3\x9f!", "7" };
	char *text = print_cells(2, cells, COUNT(cells));

	(void)state;
	assert_string_equal(text, "POOL      N\n"
				  "a      1000\n"
				  "Gr\xc3\xbc\xc3\x9f!     7\n");
	free(text);
}

static void
test_control_characters_do_not_reach_the_terminal(void **state)
{
	static const char *const cells[] = { "a\033[2Jb\n\x7f", "\xc2\x9b"
								"31m\xc2\xa0" };
	char *text = print_cells(1, cells, COUNT(cells));

	(void)state;
	assert_string_equal(text, "a?[2Jb??\n  ??31m\xc2\xa0\n");
	free(text);
}

static void
test_incomplete_row_is_not_printed(void **state)
{
	static const char *const cells[] = { "a", "b", "c" };
	char *text = print_cells(2, cells, COUNT(cells));

	(void)state;
	assert_string_equal(text, "a  b\n");
	free(text);
}

static void
test_many_rows(void **state)
{
	struct table *table = table_new(1);
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	for (int i = 0; i < 10000; i++)
		table_add(table, "x");
	assert_int_equal(table_print(table, out), 0);
	fclose(out);
	table_free(table);
}

static void
test_units(void **state)
{
	static const struct {
		enum unit unit;
		double number;
		const char *text;
	} cases[] = {
		{ UNIT_COUNT, 1234567, "1234567" },
		{ UNIT_BYTES, 0, "0 B" },
		{ UNIT_BYTES, 1023, "1023 B" },
		{ UNIT_BYTES, 1536, "1.5 KiB" },
		{ UNIT_BYTES, 1288490188.8, "1.2 GiB" },
		{ UNIT_BYTES, -4096, "-4.0 KiB" },
		{ UNIT_BYTES, 1e15, "909.5 TiB" },
		{ UNIT_US, 850, "850 us" },
		{ UNIT_US, 1234, "1.2 ms" },
		{ UNIT_US, 2500000, "2.5 s" },
		{ UNIT_SECONDS, 0.0273, "27 ms" },
		{ UNIT_SECONDS, 4.25, "4.2 s" },
		{ UNIT_SECONDS, 200, "3m 20s" },
		{ UNIT_SECONDS, 18060, "5h 01m" },
		{ UNIT_SECONDS, 183600, "2d 03h" },
		{ UNIT_SECONDS, -1, "-1.0 s" },
		{ UNIT_PERCENT, 97.46, "97.5 %" },
	};
	char text[UNIT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(unit_format(cases[i].unit, cases[i].number, text, sizeof(text)),
				    cases[i].text);
	for (int unit = 0; unit < UNIT_MAX; unit++)
		assert_true(strlen(unit_format((enum unit)unit, 1e300, text, sizeof(text))) <
			    sizeof(text));
}

static char *
render(const char *command, const char *answer)
{
	json_t *json = json_loads(answer, 0, NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(json);
	assert_int_equal(render_answer(command, json, out), 0);
	fclose(out);
	json_decref(json);
	return text;
}

struct answer_case {
	const char *command;
	const char *answer;
	const char *shown;
};

static const struct answer_case answers[] = {
	{ "ping", "{\"ok\":true,\"pong\":true}", "pong\n" },
	{ "stop", "{\"ok\":true}", "stopping\n" },
	{ "log", "{\"ok\":true,\"level\":\"debug\"}", "log level  debug\n" },
	{ "help",
	  "{\"ok\":true,\"commands\":[{\"command\":\"ping\",\"arguments\":\"\",\"text\":\"x\"}]}",
	  "COMMAND  ARGUMENTS  WHAT IT DOES\nping     -          x\n" },
	{ "children",
	  "{\"ok\":true,\"children\":[{\"pool\":\"oui\",\"pid\":7,\"state\":\"busy\","
	  "\"generation\":1,\"request\":12,\"age_us\":1500,\"run_us\":20}]}",
	  "POOL  PID  STATE  GEN  REQUEST     AGE    RUN\n"
	  "oui     7  busy     1       12  1.5 ms  20 us\n" },
	{ "children", "{\"ok\":true,\"children\":[]}",
	  "POOL  PID  STATE  GEN  REQUEST  AGE  RUN\n" },
	{ "children", "{\"ok\":true}", "POOL  PID  STATE  GEN  REQUEST  AGE  RUN\n" },
	{ "children", "{\"ok\":true,\"children\":[3,{\"pool\":[],\"pid\":true}]}",
	  "POOL  PID  STATE  GEN  REQUEST  AGE  RUN\n"
	  "-       -  -        -        -    -    -\n"
	  "-     yes  -        -        -    -    -\n" },
	{ "later", "{\"ok\":true,\"a\":1}", "{\n  \"ok\": true,\n  \"a\": 1\n}\n" },
};

static void
test_answers_are_shown_as_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		char *text = render(answers[i].command, answers[i].answer);

		assert_string_equal(text, answers[i].shown);
		free(text);
	}
}

static void
test_outcomes_that_did_not_happen_are_left_out(void **state)
{
	char *text =
		render("stats", "{\"ok\":true,\"front\":{\"requests\":5,\"outcomes\":{\"ok\":4,"
				"\"no_route\":1,\"crashed\":0}},\"pools\":[{\"pool\":\"oui\","
				"\"outcomes\":{\"ok\":4,\"timeout\":0}}]}");

	(void)state;
	assert_non_null(strstr(text, "no_route         1\n"));
	assert_non_null(strstr(text, "oui   ok              4\n"));
	assert_null(strstr(text, "crashed"));
	assert_null(strstr(text, "timeout"));
	free(text);
}

static void
test_notices_are_shown_when_there_are_some(void **state)
{
	char *with = render("info", "{\"ok\":true,\"notices\":[\"runs as nobody\"]}");
	char *without = render("info", "{\"ok\":true,\"notices\":[]}");

	(void)state;
	assert_non_null(strstr(with, "notices:\nruns as nobody\n"));
	assert_null(strstr(without, "notices"));
	free(with);
	free(without);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(test_control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(test_incomplete_row_is_not_printed),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_answers_are_shown_as_tables),
		cmocka_unit_test(test_outcomes_that_did_not_happen_are_left_out),
		cmocka_unit_test(test_notices_are_shown_when_there_are_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
