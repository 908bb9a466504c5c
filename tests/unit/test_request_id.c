/*
 * Request ids: which ones of clients are taken, and what the front's own look like.
 *
 * LINK: daemon/front/request_id.c daemon/front/http_token.c daemon/front/http_request.c
 * LINK: daemon/front/http_header.c daemon/front/http_framing.c daemon/front/http_target.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/request_id.h"

/* The id that a request with these header lines goes by; "" when it names none. */
static const char *
id_of(const char *lines)
{
	static char id[REQUEST_ID_MAX + 1];
	static char head[HTTP_HEAD_MAX];
	struct http_parser parser;
	int length = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);

	http_parser_init(&parser);
	assert_int_equal(http_parser_feed(&parser, head, (size_t)length), HTTP_DONE);
	id[0] = '\0';
	if (!request_id_find(&parser.request, head, id))
		id[0] = '\0';
	return id;
}

static void
takes_a_token(void **state)
{
	(void)state;
	assert_string_equal(id_of("X-Request-Id: a-1_b.C~\r\n"), "a-1_b.C~");
	assert_string_equal(id_of("A: b\r\nx-REQUEST-id:   7f  \r\nC: d\r\n"), "7f");
	assert_string_equal(id_of("X-Request-Id: !#$%&'*+-.^_`|~\r\n"), "!#$%&'*+-.^_`|~");
}

static void
takes_nothing_else(void **state)
{
	static const char *const lines[] = {
		"",
		"X-Request-Id:\r\n",
		"X-Request-Id: two words\r\n",
		"X-Request-Id: \"quoted\"\r\n",
		"X-Request-Id: a,b\r\n",
		"X-Request-Id: a\\b\r\n",
		"X-Request-Id: caf\xc3\xa9\r\n",
		"X-Request-Id: a\r\nX-Request-Id: a\r\n",
		"X-Request-Ids: a\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(id_of(lines[i]), "");
}

static void
bounds_the_length(void **state)
{
	char id[REQUEST_ID_MAX + 2];
	char lines[REQUEST_ID_MAX + 32];

	(void)state;
	memset(id, 'x', sizeof(id));
	id[REQUEST_ID_MAX] = '\0';
	snprintf(lines, sizeof(lines), "X-Request-Id: %s\r\n", id);
	assert_string_equal(id_of(lines), id);
	id[REQUEST_ID_MAX] = 'x';
	id[REQUEST_ID_MAX + 1] = '\0';
	snprintf(lines, sizeof(lines), "X-Request-Id: %s\r\n", id);
	assert_string_equal(id_of(lines), "");
	assert_false(request_id_is_valid("", 0));
}

static void
writes_own_ones_that_it_would_take(void **state)
{
	static const unsigned char bytes[16] = { 0x00, 0x1f, 0xf0, [15] = 0xff };
	char id[REQUEST_ID_MAX + 1];

	(void)state;
	request_id_format(bytes, id);
	assert_string_equal(id, "001ff0000000000000000000000000ff");
	assert_true(request_id_is_valid(id, strlen(id)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_token),
		cmocka_unit_test(takes_nothing_else),
		cmocka_unit_test(bounds_the_length),
		cmocka_unit_test(writes_own_ones_that_it_would_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
