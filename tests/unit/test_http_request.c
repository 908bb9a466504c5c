/* Request lines, targets and line ends. */
/* LINK: tests/unit/http_try.c daemon/front/http_request.c daemon/front/http_framing.c */
/* LINK: daemon/front/http_header.c daemon/front/http_target.c daemon/front/http_token.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_try.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A request line with what else HTTP/1.1 needs. */
#define LINE(line) line "\r\nHost: a\r\n\r\n"

static void
test_request_lines_are_refused(void **state)
{
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "method", LINE(" GET / HTTP/1.1")),
		HTTP_REFUSAL(400, "method", LINE(" / HTTP/1.1")),
		HTTP_REFUSAL(400, "method", LINE("GET\t/ HTTP/1.1")),
		HTTP_REFUSAL(400, "method", LINE("\tGET / HTTP/1.1")),
		HTTP_REFUSAL(400, "method", LINE("GE(T / HTTP/1.1")),
		HTTP_REFUSAL(400, "method", LINE("GET: / HTTP/1.1")),
		HTTP_REFUSAL(400, "method", LINE("G\xc3\x8bT / HTTP/1.1")),
		HTTP_REFUSAL(400, "no target", LINE("GET")),
		HTTP_REFUSAL(400, "no target", LINE("get")),
		HTTP_REFUSAL(400, "no version", LINE("GET ")),
		HTTP_REFUSAL(400, "no version", LINE("GET /")),
		HTTP_REFUSAL(400, "version", LINE("GET / ")),
		HTTP_REFUSAL(400, "version", LINE("GET  ")),
		HTTP_REFUSAL(400, "byte in target", LINE("GET  HTTP/1.1")),
		HTTP_REFUSAL(400, "version", LINE("GET  / HTTP/1.1")),
		HTTP_REFUSAL(400, "version", LINE("GET /  HTTP/1.1")),
		HTTP_REFUSAL(400, "version", LINE("GET / HTTP/1.1 ")),
		HTTP_REFUSAL(400, "version", LINE("GET / HTTP/1.1\t")),
		HTTP_REFUSAL(400, "version", LINE("GET / \tHTTP/1.1")),
		HTTP_REFUSAL(400, "version", LINE("GET / a HTTP/1.1")),
		HTTP_REFUSAL(400, "version", LINE("GET / HTTP/1.1 HTTP/1.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/0.9")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1.2")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1.9")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/2.0")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/3")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1.")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1.10")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1.01")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/01.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/11.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1.1x")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTTP/1,1")),
		HTTP_REFUSAL(505, "version", LINE("GET / http/1.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / Http/1.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / HTP/1.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / XHTTP/1.1")),
		HTTP_REFUSAL(505, "version", LINE("GET / ICY/1.1")),
		HTTP_REFUSAL(505, "version", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		HTTP_REFUSAL(501, "CONNECT", LINE("CONNECT a:443 HTTP/1.1")),
		HTTP_REFUSAL(501, "CONNECT", LINE("CONNECT / HTTP/1.1")),
		HTTP_REFUSAL(501, "CONNECT", LINE("CONNECT * HTTP/1.0")),
		HTTP_REFUSAL(505, "version", LINE("CONNECT a:443 HTTP/2.0")),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

static void
test_targets_are_refused(void **state)
{
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "target form", LINE("GET a HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET a:80 HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET ?a HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET ../ HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET \\ HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET *a HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("OPTIONS ** HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("OPTIONS *?a HTTP/1.1")),
		HTTP_REFUSAL(400, "asterisk target", LINE("GET * HTTP/1.1")),
		HTTP_REFUSAL(400, "asterisk target", LINE("options * HTTP/1.1")),
		HTTP_REFUSAL(400, "asterisk target", LINE("OPTION * HTTP/1.1")),
		HTTP_REFUSAL(400, "asterisk target", LINE("OPTIONSS * HTTP/1.1")),
		HTTP_REFUSAL(400, "byte in target", LINE("GET /\t HTTP/1.1")),
		HTTP_REFUSAL(400, "byte in target", LINE("GET /\xc3\xa4 HTTP/1.1")),
		HTTP_REFUSAL(400, "byte in target", LINE("GET /\x80 HTTP/1.1")),
		HTTP_REFUSAL(400, "byte in target", LINE("GET /?\xff HTTP/1.1")),
		HTTP_REFUSAL(400, "fragment in target", LINE("GET /# HTTP/1.1")),
		HTTP_REFUSAL(400, "fragment in target", LINE("GET /a#b HTTP/1.1")),
		HTTP_REFUSAL(400, "fragment in target", LINE("GET /?a#b HTTP/1.1")),
		HTTP_REFUSAL(400, "fragment in target", LINE("GET http://a/#b HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET http:/a/ HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET http:a HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET http:// HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET https:// HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET ftp://a/ HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET ws://a/ HTTP/1.1")),
		HTTP_REFUSAL(400, "target form", LINE("GET httpx://a/ HTTP/1.1")),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

static void
test_authorities_in_targets_are_refused(void **state)
{
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "authority in target", LINE("GET http:/// HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://?a HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://:80/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://a:/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://u@a/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://u:p@a/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://a\\/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://a:x/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://a:99999/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://[::1/ HTTP/1.1")),
		HTTP_REFUSAL(400, "authority in target", LINE("GET http://a,b/ HTTP/1.1")),
		HTTP_REFUSAL(400, "target and Host differ", LINE("GET http://b/ HTTP/1.1")),
		HTTP_REFUSAL(400, "target and Host differ", LINE("GET http://aa/ HTTP/1.1")),
		HTTP_REFUSAL(400, "target and Host differ", LINE("GET http://a:80/ HTTP/1.1")),
		HTTP_REFUSAL(400, "target and Host differ", LINE("GET http://a. HTTP/1.1")),
		HTTP_REFUSAL(400, "target and Host differ", LINE("GET http://b/ HTTP/1.0")),
		HTTP_REFUSAL(400, "no Host", "GET http://a/ HTTP/1.1\r\n\r\n"),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

static void
test_request_lines_are_accepted(void **state)
{
	static const struct http_acceptance cases[] = {
		{ LINE("GET / HTTP/1.1"), "GET / @a 1.1 body=none keep" },
		{ LINE("GET / HTTP/1.0"), "GET / @a 1.0 body=none close" },
		{ "\r\n" LINE("GET / HTTP/1.1"), "GET / @a 1.1 body=none keep" },
		{ "GET / HTTP/1.0\r\n\r\n", "GET / @ 1.0 body=none close" },
		{ LINE("HEAD / HTTP/1.1"), "HEAD / @a 1.1 body=none keep" },
		{ LINE("get / HTTP/1.1"), "get / @a 1.1 body=none keep" },
		{ LINE("connect / HTTP/1.1"), "connect / @a 1.1 body=none keep" },
		{ LINE("X / HTTP/1.1"), "X / @a 1.1 body=none keep" },
		{ LINE("M-SEARCH / HTTP/1.1"), "M-SEARCH / @a 1.1 body=none keep" },
		{ LINE("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"),
		  "!#$%&'*+-.^_`|~09azAZ / @a 1.1 body=none keep" },
		{ LINE("GET /a/b.c;d=e HTTP/1.1"), "GET /a/b.c;d=e @a 1.1 body=none keep" },
		{ LINE("GET /?a=b HTTP/1.1"), "GET /?a=b @a 1.1 body=none keep" },
		{ LINE("GET /? HTTP/1.1"), "GET / @a 1.1 body=none keep" },
		{ LINE("GET /a?b?c/d HTTP/1.1"), "GET /a?b?c/d @a 1.1 body=none keep" },
		{ LINE("GET //a//b HTTP/1.1"), "GET //a//b @a 1.1 body=none keep" },
		{ LINE("GET //http://a/ HTTP/1.1"), "GET //http://a/ @a 1.1 body=none keep" },
		{ LINE("GET /../.. HTTP/1.1"), "GET /../.. @a 1.1 body=none keep" },
		{ LINE("GET /%00%zz% HTTP/1.1"), "GET /%00%zz% @a 1.1 body=none keep" },
		{ LINE("GET /*<>\"{}|\\^`'[]@:!$&(),+~ HTTP/1.1"),
		  "GET /*<>\"{}|\\^`'[]@:!$&(),+~ @a 1.1 body=none keep" },
		{ LINE("GET /http://b/ HTTP/1.1"), "GET /http://b/ @a 1.1 body=none keep" },
		{ LINE("OPTIONS * HTTP/1.1"), "OPTIONS * @a 1.1 body=none keep" },
		{ LINE("OPTIONS / HTTP/1.1"), "OPTIONS / @a 1.1 body=none keep" },
		{ LINE("GET http://a/ HTTP/1.1"), "GET / @a 1.1 body=none keep" },
		{ LINE("GET http://a HTTP/1.1"), "GET / @a 1.1 body=none keep" },
		{ LINE("GET http://a?b=/ HTTP/1.1"), "GET /?b=/ @a 1.1 body=none keep" },
		{ LINE("GET http://a/b?c HTTP/1.1"), "GET /b?c @a 1.1 body=none keep" },
		{ LINE("GET HTTPS://A/b HTTP/1.1"), "GET /b @a 1.1 body=none keep" },
		{ LINE("OPTIONS http://a HTTP/1.1"), "OPTIONS / @a 1.1 body=none keep" },
		{ "GET http://b:81/c HTTP/1.0\r\n\r\n", "GET /c @b:81 1.0 body=none close" },
		{ "GET http://[::1]:8080/ HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n",
		  "GET / @[::1]:8080 1.1 body=none keep" },
	};

	(void)state;
	http_try_acceptances(cases, COUNT(cases));
}

static void
test_line_ends_are_strict(void **state)
{
	static const struct http_refusal cases[] = {
		HTTP_REFUSAL(400, "bare LF", "\n"),
		HTTP_REFUSAL(400, "bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "bare LF", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
		HTTP_REFUSAL(400, "bare LF", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
		HTTP_REFUSAL(400, "bare LF", "GET / HTTP/1.1\r\nHost: a\r\nA: b\nC: d\r\n\r\n"),
		HTTP_REFUSAL(400, "bare LF", "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "bare CR", "\r\r\n"),
		HTTP_REFUSAL(400, "bare CR", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "bare CR", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "bare CR", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "bare CR", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
		HTTP_REFUSAL(400, "bare CR", "GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n"),
		HTTP_REFUSAL(400, "bare CR", "GET / HTTP/1.1\r\nHost: a\r\n\r\r"),
		HTTP_REFUSAL(400, "bare CR", "GET / HTTP/1.1\r\nHost: a\r\n\rX"),
		HTTP_REFUSAL(400, "bare CR", "GET / HTTP/1.1\r\nHost: a\r\0\n\r\n"),
		HTTP_REFUSAL(400, "empty request line",
			     "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "empty request line", "\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET / HTTP/1.1\0\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "\0GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET / HTTP/1.1\r\nHost\0: a\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET / HTTP/1.1\r\nHost: a\r\n\0\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET / HTTP/1.1\r\nHost: a\v\r\n\r\n"),
		HTTP_REFUSAL(400, "control byte", "GET / HTTP/1.1\r\nA: b\fc\r\nHost: a\r\n\r\n"),
		/* The first bytes of TLS on a port without it. */
		HTTP_REFUSAL(400, "control byte", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	};

	(void)state;
	http_try_refusals(cases, COUNT(cases));
}

/* Every byte in the middle of each word; told from independent lists of what is allowed. */
static void
test_every_byte_in_request_line(void **state)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char text[64];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		int length = snprintf(text, sizeof(text), LINE("G%cT / HTTP/1.1"), byte);
		struct http_parser parser;

		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE,
				 byte != 0 && strchr(token, byte) != NULL);

		length = snprintf(text, sizeof(text), LINE("GET /a%cb HTTP/1.1"), byte);
		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE,
				 byte > 0x20 && byte < 0x7f && byte != '#');

		length = snprintf(text, sizeof(text), LINE("GET / HTTP/1.%c"), byte);
		http_try(text, (size_t)length, &parser);
		assert_int_equal(parser.result == HTTP_DONE, byte == '0' || byte == '1');
		assert_true(parser.result == HTTP_DONE || parser.status == 400 ||
			    parser.status == 505);
	}
}

static void
test_unfinished_heads_wait(void **state)
{
	static const char text[] = "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
	struct http_parser parser;

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		http_try(text, length, &parser);
		assert_int_equal(parser.result, HTTP_MORE);
		assert_int_equal(parser.status, 0);
	}
}

static void
test_what_follows_the_head_is_left_alone(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
	static const char *const rests[] = { "abc", "\0\r\n", "\n\n\n",
					     "abcGET / HTTP/1.1\r\n\r\n" };
	struct http_parser parser;
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rests); i++) {
		memset(text, 0, sizeof(text));
		memcpy(text, head, sizeof(head) - 1);
		strcpy(text + sizeof(head) - 1, rests[i]);
		http_try(text, sizeof(text), &parser);
		assert_int_equal(parser.result, HTTP_DONE);
		assert_int_equal(parser.request.head_bytes, sizeof(head) - 1);
	}
}

static void
test_parser_can_be_used_again(void **state)
{
	static const char bad[] = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: \0";
	static const char good[] = "GET / HTTP/1.0\r\n\r\n";
	struct http_parser parser;
	char description[128];

	(void)state;
	http_parser_init(&parser);
	assert_int_equal(http_parser_feed(&parser, bad, sizeof(bad) - 1), HTTP_BAD);
	assert_int_equal(http_parser_feed(&parser, bad, sizeof(bad) - 1), HTTP_BAD);
	http_parser_init(&parser);
	assert_int_equal(http_parser_feed(&parser, good, sizeof(good) - 1), HTTP_DONE);
	assert_int_equal(http_parser_feed(&parser, good, sizeof(good) - 1), HTTP_DONE);
	http_try_describe(good, &parser.request, description, sizeof(description));
	assert_string_equal(description, "GET / @ 1.0 body=none close");
	assert_int_equal(parser.request.headers_count, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_lines_are_refused),
		cmocka_unit_test(test_targets_are_refused),
		cmocka_unit_test(test_authorities_in_targets_are_refused),
		cmocka_unit_test(test_request_lines_are_accepted),
		cmocka_unit_test(test_line_ends_are_strict),
		cmocka_unit_test(test_every_byte_in_request_line),
		cmocka_unit_test(test_unfinished_heads_wait),
		cmocka_unit_test(test_what_follows_the_head_is_left_alone),
		cmocka_unit_test(test_parser_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
