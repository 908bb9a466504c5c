/* LINK: worker/table/json.c
 *
 * The JSON writer: every sequence of bytes becomes valid JSON. Its output goes into a double of the
 * request.
 */
#include "table/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BAD	     "\xef\xbf\xbd" /* U+FFFD */

struct zy_request {
	char text[4096];
	size_t length;
	size_t room; /* zy_write fails beyond it */
};

int
zy_write(struct zy_request *request, const void *data, size_t size)
{
	if (size > request->room - request->length)
		return -1;
	memcpy(request->text + request->length, data, size);
	request->length += size;
	return 0;
}

struct json_case {
	const char *input;
	size_t length; /* 0: strlen(input) */
	const char *output;
};

static const struct json_case cases[] = {
	{ "", 0, "\"\"" },
	{ "abc", 0, "\"abc\"" },
	{ "a\"b", 0, "\"a\\\"b\"" },
	{ "a\\b", 0, "\"a\\\\b\"" },
	{ "a\nb", 0, "\"a\\nb\"" },
	{ "\t\r\x01\x1f", 0, "\"\\u0009\\u000d\\u0001\\u001f\"" },
	{ "a\0b", 3, "\"a\\u0000b\"" },
	{ "\x7f", 0, "\"\x7f\"" },
	{ "</script>", 0, "\"</script>\"" },
	/* well-formed UTF-8 passes: the first and last of each length */
	{ "\xc2\x80", 0, "\"\xc2\x80\"" },
	{ "\xdf\xbf", 0, "\"\xdf\xbf\"" },
	{ "\xe0\xa0\x80", 0, "\"\xe0\xa0\x80\"" },
	{ "\xed\x9f\xbf", 0, "\"\xed\x9f\xbf\"" },
	{ "\xef\xbf\xbf", 0, "\"\xef\xbf\xbf\"" },
	{ "\xf0\x90\x80\x80", 0, "\"\xf0\x90\x80\x80\"" },
	{ "\xf4\x8f\xbf\xbf", 0, "\"\xf4\x8f\xbf\xbf\"" },
	{ "x\xc3\xa4y", 0, "\"x\xc3\xa4y\"" },
	/* everything else is replaced byte by byte */
	{ "\x80", 0, "\"" BAD "\"" },
	{ "\xff\xfe", 0, "\"" BAD BAD "\"" },
	{ "\xc0\x80", 0, "\"" BAD BAD "\"" },
	{ "\xc1\xbf", 0, "\"" BAD BAD "\"" },
	{ "\xc3", 0, "\"" BAD "\"" },
	{ "\xc3(", 0, "\"" BAD "(\"" },
	{ "\xe0\x9f\xbf", 0, "\"" BAD BAD BAD "\"" },
	{ "\xed\xa0\x80", 0, "\"" BAD BAD BAD "\"" },
	{ "\xe2\x82", 0, "\"" BAD BAD "\"" },
	{ "\xf0\x8f\xbf\xbf", 0, "\"" BAD BAD BAD BAD "\"" },
	{ "\xf4\x90\x80\x80", 0, "\"" BAD BAD BAD BAD "\"" },
	{ "\xf5\x80\x80\x80", 0, "\"" BAD BAD BAD BAD "\"" },
	{ "\xf0\x9f\x98", 0, "\"" BAD BAD BAD "\"" },
	{ "\xc3\"", 0, "\"" BAD "\\\"\"" },
};

static void
expect(const struct zy_request *request, const char *text)
{
	assert_int_equal(request->length, strlen(text));
	assert_memory_equal(request->text, text, request->length);
}

static void
test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t length = cases[i].length > 0 ? cases[i].length : strlen(cases[i].input);
		struct zy_request request = { .room = sizeof(request.text) };

		assert_int_equal(json_write_string(&request, cases[i].input, length), 0);
		expect(&request, cases[i].output);
	}
}

static void
test_objects(void **state)
{
	struct zy_request request = { .room = sizeof(request.text) };

	(void)state;
	assert_int_equal(json_write_object(&request, "a\0b \"c\"", "1\0", 2), 0);
	expect(&request, "{\"a\":\"1\",\"b \\\"c\\\"\":\"\"}");
	request.length = 0;
	assert_int_equal(json_write_object(&request, "", "", 0), 0);
	expect(&request, "{}");
}

static void
test_a_failed_write_is_passed_on(void **state)
{
	(void)state;
	for (size_t room = 0; room < strlen("{\"a\":\"x\\ny\"}"); room++) {
		struct zy_request request = { .room = room };

		assert_int_equal(json_write_object(&request, "a", "x\ny", 1), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_a_failed_write_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
