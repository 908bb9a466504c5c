/* Heads of replies, as hostile input: status, headers, strings. */
/* LINK: tests/unit/reply_story.c daemon/front/reply_parse.c daemon/front/http_reply.c */
/* LINK: daemon/front/http_header.c daemon/front/http_token.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "reply_story.h"

#include <string.h>

static void
test_headers_are_told(void **state)
{
	(void)state;
	stream_put_header("content-type", "text/plain");
	stream_assert_story("head 200 - content-type=text/plain");

	stream_put_header("x", "");
	stream_assert_story("head 200 - x=");

	stream_put_head(404, UNKNOWN, 2, strlen("aBcccdd") + 4 * 3);
	stream_put_string("a");
	stream_put_string("B");
	stream_put_string("ccc");
	stream_put_string("dd");
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 404 - a=B ccc=dd; end");
}

static void
test_statuses(void **state)
{
	static const unsigned bad[] = { 0, 99, 100, 101, 199, 600, 999, 65535 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		stream_put_head(bad[i], UNKNOWN, 0, 0);
		stream_assert_story("bad status");
	}
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_assert_story("head 200 -");
	stream_put_head(599, UNKNOWN, 0, 0);
	stream_assert_story("head 599 -");
}

static void
test_headers_are_checked(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		const char *story;
	} cases[] = {
		{ "", "x", "bad header name" },
		{ "a b", "x", "bad header name" },
		{ "a:", "x", "bad header name" },
		{ "a\r\nb", "x", "bad header name" },
		{ "a", "b\r\nc: d", "bad byte in header value" },
		{ "a", "b\n", "bad byte in header value" },
		{ "a", "\x7f", "bad byte in header value" },
		{ "content-length", "5", "bad reserved header" },
		{ "Transfer-Encoding", "chunked", "bad reserved header" },
		{ "connection", "close", "bad reserved header" },
		{ "date", "x", "bad reserved header" },
		{ "proxy-x", "x", "bad reserved header" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stream_put_header(cases[i].name, cases[i].value);
		stream_assert_story(cases[i].story);
	}
}

static void
test_strings_of_a_head(void **state)
{
	(void)state;
	stream_put_head(200, UNKNOWN, 1, 0);
	stream_assert_story("bad header cut off");
	stream_put_head(200, UNKNOWN, 1, 1);
	stream_put("\1", 1);
	stream_assert_story("bad header cut off");
	stream_put_head(200, UNKNOWN, 1, 4);
	stream_put_string("a");
	stream_assert_story("bad header cut off");
	stream_put_head(200, UNKNOWN, 1, 7);
	stream_put_string("a");
	stream_put("\1\0b", 3);
	stream_assert_story("bad header cut off");
	/* No NUL where the length says. */
	stream_put_head(200, UNKNOWN, 1, 8);
	stream_put("\1\0ab\1\0c", 8);
	stream_assert_story("bad header cut off");
	/* A length beyond the frame. */
	stream_put_head(200, UNKNOWN, 1, 8);
	stream_put("\377\377a\0\1\0c", 8);
	stream_assert_story("bad header cut off");
	/* A NUL within the name, within the value. */
	stream_put_head(200, UNKNOWN, 1, 10);
	stream_put("\3\0a\0b\0\1\0c", 10);
	stream_assert_story("bad header name");
	stream_put_head(200, UNKNOWN, 1, 10);
	stream_put("\1\0a\0\3\0b\0c", 10);
	stream_assert_story("bad byte in header value");
	stream_put_head(200, UNKNOWN, 0, 1);
	stream_put("", 1);
	stream_assert_story("bad bytes behind the headers");
	stream_put_head(200, UNKNOWN, 1, 9);
	stream_put_string("a");
	stream_put_string("b");
	stream_put("", 1);
	stream_assert_story("bad bytes behind the headers");
}

static void
test_padding(void **state)
{
	struct frame_reply head = { .status = 200, .padding = 1 };

	(void)state;
	stream_put_frame(FRAME_REPLY, sizeof(head));
	stream_put(&head, sizeof(head));
	stream_assert_story("bad padding");
}

static void
test_number_of_headers(void **state)
{
	static struct story story;

	(void)state;
	for (unsigned count = FRAME_HEADERS_MAX - 1; count <= FRAME_HEADERS_MAX + 1; count++) {
		stream_put_head(200, UNKNOWN, count, count * 8ul);
		for (unsigned i = 0; i < count; i++) {
			stream_put_string("a");
			stream_put_string("b");
		}
		stream_read(&story, stream.length, stream.length);
		if (count > FRAME_HEADERS_MAX)
			stream_assert_story("bad too many headers");
		else
			assert_int_equal(strncmp(story.text, "head 200 - a=b a=b", 18), 0);
		stream.length = 0;
	}
}

/* The largest head: FRAME_HEAD_MAX bytes. */
static void
test_largest_head(void **state)
{
	size_t left = FRAME_HEAD_MAX - sizeof(struct frame_reply);
	static struct story story;
	static char value[8193];
	unsigned count = 0;

	(void)state;
	stream_put_head(200, UNKNOWN, 8, left);
	for (; count < 8; count++) {
		size_t size = left / (8 - count) - 7;

		memset(value, 'v', size);
		value[size] = '\0';
		stream_put_string("a");
		stream_put_string(value);
		left -= size + 7;
	}
	assert_int_equal(stream.length, FRAME_HEAD_MAX + sizeof(struct frame_header));
	stream_read(&story, 1000, 999);
	assert_int_equal(strncmp(story.text, "head 200 - a=vv", 15), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_headers_are_told, stream_clear),
		cmocka_unit_test_setup(test_statuses, stream_clear),
		cmocka_unit_test_setup(test_headers_are_checked, stream_clear),
		cmocka_unit_test_setup(test_strings_of_a_head, stream_clear),
		cmocka_unit_test_setup(test_padding, stream_clear),
		cmocka_unit_test_setup(test_number_of_headers, stream_clear),
		cmocka_unit_test_setup(test_largest_head, stream_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
