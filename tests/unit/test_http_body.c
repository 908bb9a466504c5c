/* Chunked bodies: what is decoded, and every way to get one wrong. */
/* LINK: tests/unit/http_body_try.c daemon/front/http_body.c daemon/front/http_token.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_body_try.h"

#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void
test_bodies_are_decoded(void **state)
{
	static const struct {
		const char *coded;
		const char *body;
	} cases[] = {
		{ "0\r\n\r\n", "" },
		{ "0000000000000000\r\n\r\n", "" },
		{ "1\r\na\r\n0\r\n\r\n", "a" },
		{ "5\r\nhello\r\n0\r\n\r\n", "hello" },
		{ "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n", "hello world" },
		{ "000000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789" },
		{ "A\r\n0123456789\r\n0\r\n\r\n", "0123456789" },
		{ "10\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef" },
		{ "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n" },
		{ "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n" },
		{ "1;a\r\nb\r\n0\r\n\r\n", "b" },
		{ "1;a=b\r\nb\r\n0;c=\"d e\"\r\n\r\n", "b" },
		{ "1;a;b = c\t\r\nb\r\n0\r\n\r\n", "b" },
		{ "1;a=\xc3\xa4\r\nb\r\n0\r\n\r\n", "b" },
		{ "0\r\nA: b\r\n\r\n", "" },
		{ "0\r\nA:\r\nB: \t c\r\nA: d\r\n\r\n", "" },
		{ "1\r\na\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n",
		  "a" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		body_assert_decoded(cases[i].coded, strlen(cases[i].coded), cases[i].body);
}

#define REFUSED(status, reason, text)                                                              \
	{                                                                                          \
		text, sizeof(text) - 1, status, reason                                             \
	}

struct refusal {
	const char *text;
	size_t length;
	int status;
	const char *reason;
};

static void
test_chunks_are_refused(void **state)
{
	static const char size[] = "chunk size";
	static const char end[] = "no line end after chunk";
	static const struct refusal cases[] = {
		REFUSED(400, size, "\r\n"),
		REFUSED(400, size, "\r\n5\r\nhello\r\n"),
		REFUSED(400, size, "\n"),
		REFUSED(400, size, ";a\r\n"),
		REFUSED(400, size, " 5\r\nhello\r\n"),
		REFUSED(400, size, "\t5\r\nhello\r\n"),
		REFUSED(400, size, "5 \r\nhello\r\n"),
		REFUSED(400, size, "5\t\r\nhello\r\n"),
		REFUSED(400, size, "5 ;a\r\nhello\r\n"),
		REFUSED(400, size, "5 junk\r\nhello\r\n"),
		REFUSED(400, size, "5junk\r\nhello\r\n"),
		REFUSED(400, size, "+5\r\nhello\r\n"),
		REFUSED(400, size, "-5\r\nhello\r\n"),
		REFUSED(400, size, "-0\r\n\r\n"),
		REFUSED(400, size, "0x5\r\nhello\r\n"),
		REFUSED(400, size, "0X5\r\nhello\r\n"),
		REFUSED(400, size, "x5\r\nhello\r\n"),
		REFUSED(400, size, "5h\r\nhello\r\n"),
		REFUSED(400, size, "5,5\r\nhello\r\n"),
		REFUSED(400, size, "5.0\r\nhello\r\n"),
		REFUSED(400, size, "5_0\r\nhello\r\n"),
		REFUSED(400, size, "\"5\"\r\nhello\r\n"),
		REFUSED(400, size, "\0005\r\nhello\r\n"),
		REFUSED(400, size, "5\0\r\nhello\r\n"),
		REFUSED(400, size, "5\nhello\r\n"),
		REFUSED(400, size, "g\r\n"),
		REFUSED(400, size, "G\r\n"),
		REFUSED(400, size, "/\r\n"),
		REFUSED(400, size, ":\r\n"),
		REFUSED(400, size, "@\r\n"),
		REFUSED(400, size, "`\r\n"),
		REFUSED(400, size, "\xff\r\n"),
		REFUSED(400, "chunk size too long", "00000000000000005\r\nhello\r\n"),
		REFUSED(400, "chunk size too long", "10000000000000005\r\nhello\r\n"),
		REFUSED(400, "chunk size too long", "fffffffffffffffff\r\n"),
		REFUSED(400, "chunk size too long", "00000000000000000\r\n\r\n"),
		REFUSED(400, "bare CR", "5\rhello\r\n"),
		REFUSED(400, "bare CR", "5\r\rhello\r\n"),
		REFUSED(400, "bare CR",
			"5\r"
			"5\r\nhello\r\n"),
		REFUSED(400, "bare CR", "5;a\rb\r\nhello\r\n"),
		REFUSED(400, "bare CR", "0\r\r\n"),
		REFUSED(400, "bare CR", "0\r\n\r\r"),
		REFUSED(400, "bare CR", "0\r\n\rX"),
		REFUSED(400, end, "5\r\nhelloX\r\n"),
		REFUSED(400, end, "5\r\nhello\n0\r\n\r\n"),
		REFUSED(400, end, "5\r\nhello0\r\n\r\n"),
		REFUSED(400, end, "5\r\nhello\r0\r\n\r\n"),
		REFUSED(400, end, "5\r\nhello\r\r\n"),
		REFUSED(400, end, "5\r\nhello \r\n"),
		REFUSED(400, end, "4\r\nhello\r\n"),
		REFUSED(400, size, "5\r\nhello\r\n\r\n"),
		REFUSED(400, size, "5\r\nhello\r\n 0\r\n\r\n"),
		REFUSED(400, end, "6\r\nhello\r\n0\r\n\r\n"),
		REFUSED(400, "chunk extension", "5;\r\nhello\r\n"),
		REFUSED(400, "chunk extension", "5;;\r\nhello\r\n"),
		REFUSED(400, "chunk extension", "5; a\r\nhello\r\n"),
		REFUSED(400, "chunk extension", "5;=b\r\nhello\r\n"),
		REFUSED(400, "chunk extension", "5;\n5\r\nhello\r\n"),
		REFUSED(400, "byte in chunk extension", "5;a\n5\r\nhello\r\n"),
		REFUSED(400, "byte in chunk extension", "5;a=\"\n\"\r\nhello\r\n"),
		REFUSED(400, "byte in chunk extension", "5;a\0\r\nhello\r\n"),
		REFUSED(400, "byte in chunk extension", "5;a\x7f\r\nhello\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		body_assert_refused(cases[i].text, cases[i].length, cases[i].status,
				    cases[i].reason);
}

static void
test_trailers_are_refused(void **state)
{
	static const char name[] = "trailer name";
	static const struct refusal cases[] = {
		REFUSED(400, name, "0\r\n\n"),
		REFUSED(400, name, "0\r\nA\r\n\r\n"),
		REFUSED(400, name, "0\r\nA b: c\r\n\r\n"),
		REFUSED(400, name, "0\r\nA : b\r\n\r\n"),
		REFUSED(400, name, "0\r\n: b\r\n\r\n"),
		REFUSED(400, name, "0\r\n A: b\r\n\r\n"),
		REFUSED(400, name, "0\r\nA: b\r\n c\r\n\r\n"),
		REFUSED(400, name, "0\r\nA: b\r\n\tc\r\n\r\n"),
		REFUSED(400, name, "0\r\nA\0: b\r\n\r\n"),
		REFUSED(400, name, "0\r\nGET / HTTP/1.1\r\n\r\n"),
		REFUSED(400, name, "0\r\n\x80: b\r\n\r\n"),
		REFUSED(400, "byte in trailer", "0\r\nA: b\n\r\n"),
		REFUSED(400, "byte in trailer", "0\r\nA: b\0\r\n\r\n"),
		REFUSED(400, "byte in trailer", "0\r\nA: \x1b\r\n\r\n"),
		REFUSED(400, "bare CR", "0\r\nA: b\rC: d\r\n\r\n"),
		REFUSED(400, "bare CR", "0\r\nA: b\r\r\n\r\n"),
		REFUSED(400, "bare CR", "0\r\nA: b\r\n\r0"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		body_assert_refused(cases[i].text, cases[i].length, cases[i].status,
				    cases[i].reason);
}

/* Every byte in the place of the size's second digit, and of the line end after the data. */
static void
test_every_byte(void **state)
{
	struct body_outcome outcome;
	char text[64];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool hex = byte != 0 && strchr("0123456789abcdefABCDEF", byte) != NULL;
		int length = snprintf(text, sizeof(text), "0%c", byte);

		body_try(text, (size_t)length, &outcome);
		assert_int_equal(outcome.result == HTTP_MORE, hex || byte == ';' || byte == '\r');
		length = snprintf(text, sizeof(text), "1\r\na%c", byte);
		body_try(text, (size_t)length, &outcome);
		assert_int_equal(outcome.result == HTTP_MORE, byte == '\r');
		length = snprintf(text, sizeof(text), "1\r\n%c\r\n0\r\n\r\n", byte);
		body_try(text, (size_t)length, &outcome);
		assert_int_equal(outcome.result, HTTP_DONE);
		assert_int_equal(outcome.body[0], (char)byte);
	}
}

static void
test_unfinished_bodies_wait(void **state)
{
	static const char text[] = "5;a=b\r\nhello\r\n1\r\n \r\n0\r\nA: b\r\n\r\n";
	struct body_outcome outcome;

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		body_try(text, length, &outcome);
		assert_int_equal(outcome.result, HTTP_MORE);
		assert_int_equal(outcome.consumed, length);
	}
}

static void
test_next_request_is_left_alone(void **state)
{
	static const char text[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
	struct http_chunked chunked;
	struct body_outcome outcome = { 0 };
	struct http_piece piece;
	size_t consumed;

	(void)state;
	http_chunked_init(&chunked);
	body_deliver(&chunked, text, sizeof(text) - 1, &outcome);
	assert_int_equal(outcome.result, HTTP_DONE);
	assert_int_equal(outcome.consumed, strlen("1\r\na\r\n0\r\n\r\n"));
	assert_int_equal(http_chunked_feed(&chunked, "GET", 3, &consumed, &piece), HTTP_DONE);
	assert_int_equal(consumed, 0);
}

static void
test_bad_is_final(void **state)
{
	struct http_chunked chunked;
	struct http_piece piece;
	size_t consumed;

	(void)state;
	http_chunked_init(&chunked);
	assert_int_equal(http_chunked_feed(&chunked, "x", 1, &consumed, &piece), HTTP_BAD);
	assert_int_equal(http_chunked_feed(&chunked, "0\r\n\r\n", 5, &consumed, &piece), HTTP_BAD);
	assert_int_equal(consumed, 0);
	assert_int_equal(piece.length, 0);
	assert_string_equal(chunked.reason, "chunk size");
}

/* The largest size does not wrap: the chunk just goes on. */
static void
test_largest_chunk(void **state)
{
	static const char text[] = "ffffffffffffffff\r\nabc";
	struct http_chunked chunked;
	struct body_outcome outcome = { 0 };

	(void)state;
	http_chunked_init(&chunked);
	body_deliver(&chunked, text, sizeof(text) - 1, &outcome);
	assert_int_equal(outcome.result, HTTP_MORE);
	assert_int_equal(outcome.length, 3);
	assert_true(chunked.left == UINT64_MAX - 3);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies_are_decoded),
		cmocka_unit_test(test_chunks_are_refused),
		cmocka_unit_test(test_trailers_are_refused),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_unfinished_bodies_wait),
		cmocka_unit_test(test_next_request_is_left_alone),
		cmocka_unit_test(test_bad_is_final),
		cmocka_unit_test(test_largest_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
