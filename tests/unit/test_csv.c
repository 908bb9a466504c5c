/* LINK: worker/table/csv.c
 *
 * The strict CSV and TSV reader: what it takes, what it refuses and on which line.
 */
#include "table/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct csv_case {
	const char *input;
	size_t length;	    /* 0: strlen(input) */
	char separator;	    /* 0: ',' */
	const char *output; /* fields in [], records ended by ';'; for errors "line: text" */
};

static const struct csv_case cases[] = {
	{ .input = "", .output = "" },
	{ .input = "a,b\r\n1,2\r\n", .output = "[a][b];[1][2];" },
	{ .input = "a,b\n1,2\n", .output = "[a][b];[1][2];" },
	{ .input = "a,b\r\n1,2", .output = "[a][b];[1][2];" },
	{ .input = "a\nb\n", .output = "[a];[b];" },
	{ .input = ",\n", .output = "[][];" },
	{ .input = "a,", .output = "[a][];" },
	{ .input = ",a", .output = "[][a];" },
	{ .input = "\n", .output = "[];" },
	{ .input = "a\n\nb\n", .output = "[a];[];[b];" },
	{ .input = " a , b \n", .output = "[ a ][ b ];" },
	{ .input = "\"a\",\"b\"\n", .output = "[a][b];" },
	{ .input = "\"a\"", .output = "[a];" },
	{ .input = "\"\"", .output = "[];" },
	{ .input = "\"\",\"\"\r\n", .output = "[][];" },
	{ .input = "\"a,b\",c\n", .output = "[a,b][c];" },
	{ .input = "\"a\"\"b\",c\n", .output = "[a\"b][c];" },
	{ .input = "\"\"\"\"\n", .output = "[\"];" },
	{ .input = "\"\"\"a\"\"\"\n", .output = "[\"a\"];" },
	{ .input = "\"a\nb\",c\n", .output = "[a\nb][c];" },
	{ .input = "\"a\r\nb\",c\r\n", .output = "[a\r\nb][c];" },
	{ .input = "\xef\xbb\xbf"
		   "a,b\n",
	  .output = "[a][b];" },
	{ .input = "\xef\xbb\xbf\"a\"\n", .output = "[a];" },
	{ .input = "\xef\xbb\xbf", .output = "" },
	{ .input = "\xff\xfe,\x80\n", .output = "[\xff\xfe][\x80];" },
	{ .input = "a,b\tc\n", .separator = '\t', .output = "[a,b][c];" },
	{ .input = "a\t\t\n", .separator = '\t', .output = "[a][][];" },
	{ .input = "\"a\tb\"\tc\n", .separator = '\t', .output = "[a\tb][c];" },
	/* refused */
	{ .input = "a\"b\n", .output = "1: a quote inside a field that is not quoted" },
	{ .input = "a,b\n1, \"2\"\n", .output = "2: a quote inside a field that is not quoted" },
	{ .input = "\"a\" ,b\n", .output = "1: text after a closing quote" },
	{ .input = "\"a\"b\n", .output = "1: text after a closing quote" },
	{ .input = "x\n\"a\"b\n", .output = "2: text after a closing quote" },
	{ .input = "a\rb\n", .output = "1: a carriage return without a line feed" },
	{ .input = "a\r", .output = "1: a carriage return without a line feed" },
	{ .input = "\"a\"\r", .output = "1: a carriage return without a line feed" },
	{ .input = "\"a", .output = "1: a quote that is never closed" },
	{ .input = "\"", .output = "1: a quote that is never closed" },
	{ .input = "a\nb\n\"c\nd\ne", .output = "3: a quote that is never closed" },
	{ .input = "\"a\"\"", .output = "1: a quote that is never closed" },
	{ .input = "\"a\nb\"\nc\"\n", .output = "3: a quote inside a field that is not quoted" },
	{ .input = "a\0b\n", .length = 4, .output = "1: a NUL byte" },
	{ .input = "\"a\0b\"\n", .length = 6, .output = "1: a NUL byte" },
	{ .input = "\"a\n\0b\"\n", .length = 7, .output = "2: a NUL byte" },
};

/*
 * Reads everything from a heap copy without a byte to spare, so that a sanitizer sees each overrun.
 */
static void
read_all(const struct csv_case *test, char *output, size_t size)
{
	size_t length = test->length > 0 ? test->length : strlen(test->input);
	char *data = malloc(length > 0 ? length : 1);
	struct csv_reader reader;
	struct csv_field field;
	enum csv_result result;
	size_t used = 0;

	assert_non_null(data);
	memcpy(data, test->input, length);
	csv_init(&reader, data, length, test->separator != 0 ? test->separator : ',');
	output[0] = '\0';
	while ((result = csv_next(&reader, &field)) == CSV_FIELD || result == CSV_LAST)
		used += (size_t)snprintf(output + used, size - used, "[%.*s]%s", (int)field.length,
					 field.text, result == CSV_LAST ? ";" : "");
	if (result == CSV_BAD)
		snprintf(output, size, "%u: %s", reader.line, reader.error);
	free(data);
}

static void
test_table_of_cases(void **state)
{
	char output[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		read_all(&cases[i], output, sizeof(output));
		assert_string_equal(output, cases[i].output);
	}
}

static void
test_every_line_is_numbered(void **state)
{
	char data[] = "a\n\"b\nb\"\nc\r\n\"d\r\n\",e\nf";
	const unsigned lines[] = { 1, 2, 4, 5, 6, 7 };
	struct csv_reader reader;
	struct csv_field field;

	(void)state;
	csv_init(&reader, data, strlen(data), ',');
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_not_equal(csv_next(&reader, &field), CSV_BAD);
		assert_int_equal(reader.line, lines[i]);
	}
	assert_int_equal(csv_next(&reader, &field), CSV_END);
	assert_int_equal(csv_next(&reader, &field), CSV_END);
}

/* Whatever is written by RFC 4180 reads back as it was. */
static void
test_every_byte_in_quotes_reads_back(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char data[] = { '"', (char)c, '"', '"', '"', ',', 'x' };
		struct csv_reader reader;
		struct csv_field field;

		if (c == '"')
			continue;
		csv_init(&reader, data, sizeof(data), ',');
		assert_int_equal(csv_next(&reader, &field), CSV_FIELD);
		assert_int_equal(field.length, 2);
		assert_int_equal((unsigned char)field.text[0], c);
		assert_int_equal(field.text[1], '"');
		assert_int_equal(csv_next(&reader, &field), CSV_LAST);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_of_cases),
		cmocka_unit_test(test_every_line_is_numbered),
		cmocka_unit_test(test_every_byte_in_quotes_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
