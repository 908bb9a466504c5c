/* Limits of a chunked body: each one below, at and above. */
/* LINK: tests/unit/http_body_try.c daemon/front/http_body.c daemon/front/http_token.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_body_try.h"

#include <string.h>

static char text[2 * HTTP_HEAD_MAX];

static size_t
with_extension(size_t bytes)
{
	strcpy(text, "1;");
	memset(text + 2, 'e', bytes - 1);
	strcpy(text + 1 + bytes, "\r\na\r\n0\r\n\r\n");
	return strlen(text);
}

static void
test_extension_length(void **state)
{
	(void)state;
	body_assert_decoded(text, with_extension(2), "a");
	body_assert_decoded(text, with_extension(HTTP_CHUNK_EXTENSION_MAX - 1), "a");
	body_assert_decoded(text, with_extension(HTTP_CHUNK_EXTENSION_MAX), "a");
	body_assert_refused(text, with_extension(HTTP_CHUNK_EXTENSION_MAX + 1), 400,
			    "chunk extension too long");
}

static size_t
with_trailer(size_t name, size_t line)
{
	size_t at = 3;

	strcpy(text, "0\r\n");
	memset(text + at, 'n', name);
	at += name;
	text[at++] = ':';
	memset(text + at, 'v', line - name - 1);
	at += line - name - 1;
	strcpy(text + at, "\r\n\r\n");
	return at + 4;
}

static void
test_trailer_line_length(void **state)
{
	(void)state;
	body_assert_decoded(text, with_trailer(64, 100), "");
	body_assert_refused(text, with_trailer(65, 100), 400, "trailer name too long");
	body_assert_decoded(text, with_trailer(1, HTTP_LINE_MAX - 1), "");
	body_assert_decoded(text, with_trailer(1, HTTP_LINE_MAX), "");
	body_assert_refused(text, with_trailer(1, HTTP_LINE_MAX + 1), 431, "trailer line too long");
}

static void
test_trailer_count(void **state)
{
	(void)state;
	for (unsigned count = 63; count <= 65; count++) {
		strcpy(text, "0\r\n");
		for (unsigned i = 0; i < count; i++)
			strcat(text, "A: b\r\n");
		strcat(text, "\r\n");
		if (count <= HTTP_HEADERS_MAX)
			body_assert_decoded(text, strlen(text), "");
		else
			body_assert_refused(text, strlen(text), 431, "too many trailers");
	}
}

/* Trailers of `size` bytes together, the final CRLF included. */
static size_t
with_trailers(size_t size)
{
	size_t at = 3;

	strcpy(text, "0\r\n");
	while (size > 2 + 2 * 4096) {
		memset(text + at, 'v', 4096);
		memcpy(text + at, "A:", 2);
		memcpy(text + at + 4094, "\r\n", 2);
		at += 4096;
		size -= 4096;
	}
	memset(text + at, 'v', size - 4);
	memcpy(text + at, "B:", 2);
	strcpy(text + at + size - 4, "\r\n\r\n");
	return at + size;
}

static void
test_trailers_size(void **state)
{
	(void)state;
	body_assert_decoded(text, with_trailers(HTTP_HEAD_MAX - 1), "");
	body_assert_decoded(text, with_trailers(HTTP_HEAD_MAX), "");
	for (size_t more = 1; more < 6; more++)
		body_assert_refused(text, with_trailers(HTTP_HEAD_MAX + more), 431,
				    "trailers too large");
}

/* The limit is met in the middle of a name, too. */
static void
test_trailers_end_within_a_name(void **state)
{
	size_t length = with_trailers(HTTP_HEAD_MAX - 10) - 2;

	(void)state;
	memset(text + length, 'n', 30);
	body_assert_refused(text, length + 30, 431, "trailers too large");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extension_length),
		cmocka_unit_test(test_trailer_line_length),
		cmocka_unit_test(test_trailer_count),
		cmocka_unit_test(test_trailers_size),
		cmocka_unit_test(test_trailers_end_within_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
