/* What a worker's answer may carry. */
/* LINK: daemon/front/http_reply.c daemon/front/http_header.c daemon/front/http_token.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "front/http_reply.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *
check(const char *name, const char *value)
{
	return http_reply_header_check(name, strlen(name), value, strlen(value));
}

static void
test_statuses(void **state)
{
	static const unsigned bad[] = { 0, 1, 99, 100, 101, 103, 199, 600, 999, 1000, 65535 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(http_reply_status_is_valid(bad[i]));
	for (unsigned status = 200; status < 600; status++)
		assert_true(http_reply_status_is_valid(status));
	assert_false(http_reply_has_body(204));
	assert_false(http_reply_has_body(304));
	assert_true(http_reply_has_body(200));
	assert_true(http_reply_has_body(404));
}

static void
test_phrases(void **state)
{
	(void)state;
	assert_string_equal(http_status_phrase(200), "OK");
	assert_string_equal(http_status_phrase(404), "Not Found");
	assert_string_equal(http_status_phrase(431), "Request Header Fields Too Large");
	assert_string_equal(http_status_phrase(505), "HTTP Version Not Supported");
	assert_string_equal(http_status_phrase(299), "Success");
	assert_string_equal(http_status_phrase(399), "Redirection");
	assert_string_equal(http_status_phrase(499), "Client Error");
	assert_string_equal(http_status_phrase(599), "Server Error");
	for (unsigned status = 0; status < 1000; status++)
		assert_true(strlen(http_status_phrase(status)) > 0);
}

static void
test_reserved_names_are_refused(void **state)
{
	static const char *const names[] = {
		"connection",
		"Connection",
		"keep-alive",
		"Proxy-Connection",
		"proxy-authenticate",
		"PROXY-X",
		"te",
		"Trailer",
		"transfer-encoding",
		"Transfer-Encoding",
		"TRANSFER-ENCODING",
		"upgrade",
		"content-length",
		"Content-Length",
		"date",
		"Date",
		"X-Zygoted-Reason",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(check(names[i], "x"), "reserved header");
}

static void
test_headers_are_accepted(void **state)
{
	(void)state;
	assert_null(check("content-type", "text/plain; charset=utf-8"));
	assert_null(check("Content-Type", "text/plain"));
	assert_null(check("server", "worker"));
	assert_null(check("x", ""));
	assert_null(check("set-cookie", "a=b; Path=/"));
	assert_null(check("x-content-length", "5"));
	assert_null(check("content-length2", "5"));
	assert_null(check("dates", "5"));
	assert_null(check("x", " \t \xc3\xa4\xff "));
	assert_null(check("!#$%&'*+-.^_`|~09", "x"));
}

static void
test_names_are_refused(void **state)
{
	static const char *const names[] = {
		"",    " ",    "a b", "a:",    "a: b", "a\r\nb", "a\n",
		"\ra", "\xff", "a(",  "\"a\"", "a/b",  "a\t",	 " a"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(check(names[i], "x"), "header name");
	assert_string_equal(http_reply_header_check("a\0b", 3, "x", 1), "header name");
}

static void
test_every_byte_in_value(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		const char value[] = { 'a', (char)byte, 'b' };
		bool good = byte == '\t' || (byte >= ' ' && byte != 0x7f);

		assert_int_equal(http_reply_header_check("x", 1, value, 3) == NULL, good);
		assert_int_equal(http_reply_header_check("x", 1, value + 1, 1) == NULL, good);
	}
}

static void
test_lengths(void **state)
{
	static char text[HTTP_REPLY_VALUE_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	assert_null(http_reply_header_check(text, 64, text, 1));
	assert_string_equal(http_reply_header_check(text, 65, text, 1), "header name too long");
	assert_null(http_reply_header_check("x", 1, text, HTTP_REPLY_VALUE_MAX));
	assert_string_equal(http_reply_header_check("x", 1, text, HTTP_REPLY_VALUE_MAX + 1),
			    "header value too long");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_phrases),
		cmocka_unit_test(test_reserved_names_are_refused),
		cmocka_unit_test(test_headers_are_accepted),
		cmocka_unit_test(test_names_are_refused),
		cmocka_unit_test(test_every_byte_in_value),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
