/* Limits of a request head: each one below, at and above. */
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

static char text[2 * HTTP_HEAD_MAX];

static size_t
add(size_t at, const char *piece)
{
	strcpy(text + at, piece);
	return at + strlen(piece);
}

static size_t
fill(size_t at, char byte, size_t count)
{
	memset(text + at, byte, count);
	return at + count;
}

/* "GET /xxx HTTP/1.1" of `line` bytes, and the rest of a head. */
static size_t
with_request_line(size_t line)
{
	size_t at = add(0, "GET /");

	at = fill(at, 'x', line - strlen("GET / HTTP/1.1"));
	return add(at, " HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void
test_request_line_length(void **state)
{
	(void)state;
	http_try_accepted(text, with_request_line(HTTP_LINE_MAX - 1));
	http_try_accepted(text, with_request_line(HTTP_LINE_MAX));
	http_try_refused(text, with_request_line(HTTP_LINE_MAX + 1), 414, "request line too long");
	http_try_refused(text, with_request_line(HTTP_LINE_MAX + 500), 414,
			 "request line too long");
	/* An empty line before it does not count. */
	memmove(text + 2, text, with_request_line(HTTP_LINE_MAX));
	memcpy(text, "\r\n", 2);
	http_try_accepted(text, HTTP_LINE_MAX + 2 + strlen("\r\nHost: a\r\n\r\n"));
}

/* Refused as soon as it is known, not only when the line ends. */
static void
test_endless_request_line(void **state)
{
	struct http_parser parser;

	(void)state;
	memset(text, 'G', sizeof(text));
	http_try(text, HTTP_LINE_MAX, &parser);
	assert_int_equal(parser.result, HTTP_MORE);
	http_try_refused(text, HTTP_LINE_MAX + 1, 414, "request line too long");
	http_try_refused(text, sizeof(text), 414, "request line too long");
}

static size_t
with_header_line(size_t line)
{
	size_t at = add(0, "GET / HTTP/1.1\r\nHost: a\r\nA: ");

	at = fill(at, 'x', line - strlen("A: "));
	return add(at, "\r\n\r\n");
}

static void
test_header_line_length(void **state)
{
	(void)state;
	http_try_accepted(text, with_header_line(HTTP_LINE_MAX - 1));
	http_try_accepted(text, with_header_line(HTTP_LINE_MAX));
	http_try_refused(text, with_header_line(HTTP_LINE_MAX + 1), 431, "header line too long");
	http_try_refused(text, with_header_line(HTTP_LINE_MAX + 500), 431, "header line too long");
}

static size_t
with_header_name(size_t name)
{
	size_t at = add(0, "GET / HTTP/1.1\r\nHost: a\r\n");

	at = fill(at, 'n', name);
	return add(at, ": x\r\n\r\n");
}

static void
test_header_name_length(void **state)
{
	(void)state;
	http_try_accepted(text, with_header_name(1));
	http_try_accepted(text, with_header_name(HTTP_HEADER_NAME_MAX - 1));
	http_try_accepted(text, with_header_name(HTTP_HEADER_NAME_MAX));
	http_try_refused(text, with_header_name(HTTP_HEADER_NAME_MAX + 1), 400,
			 "header name too long");
}

static size_t
with_headers(unsigned count)
{
	size_t at = add(0, "GET / HTTP/1.1\r\nHost: a\r\n");

	for (unsigned i = 1; i < count; i++)
		at = add(at, "A: b\r\n");
	return add(at, "\r\n");
}

static void
test_header_count(void **state)
{
	(void)state;
	http_try_accepted(text, with_headers(HTTP_HEADERS_MAX - 1));
	http_try_accepted(text, with_headers(HTTP_HEADERS_MAX));
	http_try_refused(text, with_headers(HTTP_HEADERS_MAX + 1), 431, "too many headers");
	http_try_refused(text, with_headers(2 * HTTP_HEADERS_MAX), 431, "too many headers");
}

/* A head of `size` bytes, no line of it too long. */
static size_t
with_head(size_t size)
{
	size_t at = add(0, "GET / HTTP/1.1\r\nHost: a\r\n");

	while (size - at > 4104) {
		at = add(at, "A: ");
		at = fill(at, 'x', 1000);
		at = add(at, "\r\n");
	}
	at = add(at, "B: ");
	at = fill(at, 'x', size - at - 4);
	return add(at, "\r\n\r\n");
}

static void
test_head_size(void **state)
{
	(void)state;
	http_try_accepted(text, with_head(HTTP_HEAD_MAX - 1));
	http_try_accepted(text, with_head(HTTP_HEAD_MAX));
	for (size_t more = 1; more < 6; more++)
		http_try_refused(text, with_head(HTTP_HEAD_MAX + more), 431, "head too large");
}

/* The limit itself must be enough to decide: a caller's buffer may hold no more. */
static void
test_unfinished_head_of_full_size(void **state)
{
	struct http_parser parser;

	(void)state;
	(void)with_head(HTTP_HEAD_MAX + 100);
	http_try(text, HTTP_HEAD_MAX - 1, &parser);
	assert_int_equal(parser.result, HTTP_MORE);
	http_try_refused(text, HTTP_HEAD_MAX, 431, "head too large");
}

/* Bytes behind a head of full size belong to its body. */
static void
test_body_after_head_of_full_size(void **state)
{
	struct http_parser parser;
	size_t length = with_head(HTTP_HEAD_MAX);

	(void)state;
	memset(text + length, '\n', 1000);
	http_try(text, length + 1000, &parser);
	assert_int_equal(parser.result, HTTP_DONE);
	assert_int_equal(parser.request.head_bytes, length);
}

static size_t
with_options(unsigned count)
{
	size_t at = add(0, "GET / HTTP/1.1\r\nHost: a\r\nConnection: a");

	for (unsigned i = 1; i < count; i++)
		at = add(at, i % 7 ? ",b" : "\r\nConnection: c");
	return add(at, "\r\n\r\n");
}

static void
test_connection_options(void **state)
{
	(void)state;
	http_try_accepted(text, with_options(31));
	http_try_accepted(text, with_options(32));
	http_try_refused(text, with_options(33), 400, "too many Connection options");
	http_try_refused(text, with_options(400), 400, "too many Connection options");
}

static size_t
with_host(size_t host)
{
	size_t at = add(0, "GET / HTTP/1.1\r\nHost: ");

	at = fill(at, 'h', host);
	return add(at, ":80\r\n\r\n");
}

static void
test_host_length(void **state)
{
	(void)state;
	http_try_accepted(text, with_host(254));
	http_try_accepted(text, with_host(255));
	http_try_refused(text, with_host(256), 400, "invalid Host");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_line_length),
		cmocka_unit_test(test_endless_request_line),
		cmocka_unit_test(test_header_line_length),
		cmocka_unit_test(test_header_name_length),
		cmocka_unit_test(test_header_count),
		cmocka_unit_test(test_head_size),
		cmocka_unit_test(test_unfinished_head_of_full_size),
		cmocka_unit_test(test_body_after_head_of_full_size),
		cmocka_unit_test(test_connection_options),
		cmocka_unit_test(test_host_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
