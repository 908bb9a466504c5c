/* What a child sends, as hostile input: frames, their order, lengths and ends. */
/* LINK: tests/unit/reply_story.c daemon/front/reply_parse.c daemon/front/http_reply.c */
/* LINK: daemon/front/http_header.c daemon/front/http_token.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "reply_story.h"

#include <stdio.h>
#include <string.h>

static void
test_whole_replies(void **state)
{
	(void)state;
	stream_put_head(204, UNKNOWN, 0, 0);
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 204 -; end");

	stream_put_head(200, 5, 0, 0);
	stream_put_text(FRAME_BODY, "hello");
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 200 5; body hello; end");

	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_text(FRAME_BODY, "hello ");
	stream_put_text(FRAME_BODY, "w");
	stream_put_text(FRAME_BODY, "orld");
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 200 -; body hello world; end");

	stream_put_head(599, 0, 0, 0);
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 599 0; end");

	stream_put_head(304, 0, 0, 0);
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 304 0; end");
}

static void
test_errors_are_told(void **state)
{
	(void)state;
	stream_put_text(FRAME_ERROR, "no luck");
	stream_assert_story("error no luck");

	stream_put_frame(FRAME_ERROR, 0);
	stream_assert_story("error ");

	stream_put_head(200, 5, 0, 0);
	stream_put_text(FRAME_ERROR, "no luck");
	stream_assert_story("head 200 5; error late no luck");

	stream_put_head(200, 5, 0, 0);
	stream_put_text(FRAME_BODY, "hell");
	stream_put_text(FRAME_ERROR, "no luck");
	stream_assert_story("head 200 5; body hell; error late no luck");
}

static void
test_order_of_frames(void **state)
{
	static const char order[] = "bad frame out of order";
	static const char late[] = "head 200 -; bad late frame out of order";

	(void)state;
	stream_put_text(FRAME_BODY, "x");
	stream_assert_story(order);
	stream_put_frame(FRAME_END, 0);
	stream_assert_story(order);
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_assert_story(late);
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_text(FRAME_BODY, "x");
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_assert_story("head 200 -; body x; bad late frame out of order");
}

static void
test_types_of_frames(void **state)
{
	static const uint32_t types[] = { 0, FRAME_REQUEST, FRAME_TYPE_MAX,
					  7, 0x01000000,    UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		stream_put_frame(types[i], 0);
		stream_assert_story("bad frame type");
		stream_put_head(200, UNKNOWN, 0, 0);
		stream_put_frame(types[i], 1);
		stream_assert_story("head 200 -; bad late frame type");
	}
}

/* A length that is wrong is refused before any of the frame's bytes are there. */
static void
test_lengths_of_frames(void **state)
{
	static const struct {
		uint32_t type;
		uint32_t length;
	} cases[] = {
		{ FRAME_REPLY, 0 },
		{ FRAME_REPLY, sizeof(struct frame_reply) - 1 },
		{ FRAME_REPLY, FRAME_HEAD_MAX + 1 },
		{ FRAME_REPLY, UINT32_MAX },
		{ FRAME_ERROR, FRAME_ERROR_MAX + 1 },
		{ FRAME_ERROR, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stream_put_frame(cases[i].type, cases[i].length);
		stream_assert_story("bad frame length");
	}
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_frame(FRAME_BODY, 0);
	stream_assert_story("head 200 -; bad late frame length");
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_frame(FRAME_BODY, FRAME_BODY_MAX + 1);
	stream_assert_story("head 200 -; bad late frame length");
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_frame(FRAME_BODY, UINT32_MAX);
	stream_assert_story("head 200 -; bad late frame length");
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_frame(FRAME_END, 1);
	stream_assert_story("head 200 -; bad late frame length");
}

static void
test_promised_length(void **state)
{
	(void)state;
	stream_put_head(200, 5, 0, 0);
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 200 5; bad late body shorter than promised");
	stream_put_head(200, 5, 0, 0);
	stream_put_text(FRAME_BODY, "hell");
	stream_put_frame(FRAME_END, 0);
	stream_assert_story("head 200 5; body hell; bad late body shorter than promised");
	stream_put_head(200, 5, 0, 0);
	stream_put_text(FRAME_BODY, "hello!");
	stream_assert_story("head 200 5; bad late body longer than promised");
	stream_put_head(200, 5, 0, 0);
	stream_put_text(FRAME_BODY, "hello");
	stream_put_text(FRAME_BODY, "!");
	stream_assert_story("head 200 5; body hello; bad late body longer than promised");
	stream_put_head(200, 0, 0, 0);
	stream_put_text(FRAME_BODY, "!");
	stream_assert_story("head 200 0; bad late body longer than promised");
	stream_put_head(200, UNKNOWN - 1, 0, 0);
	stream_put_text(FRAME_BODY, "x");
	stream_put_frame(FRAME_END, 0);
	stream_assert_story(
		"head 200 18446744073709551614; body x; bad late body shorter than promised");
}

static void
test_statuses_without_body(void **state)
{
	static const unsigned statuses[] = { 204, 304 };
	char expected[128];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		stream_put_head(statuses[i], UNKNOWN, 0, 0);
		stream_put_text(FRAME_BODY, "x");
		snprintf(expected, sizeof(expected),
			 "head %u -; bad late body for a status without body", statuses[i]);
		stream_assert_story(expected);
		stream_put_head(statuses[i], 0, 0, 0);
		stream_put_text(FRAME_BODY, "x");
		snprintf(expected, sizeof(expected),
			 "head %u 0; bad late body for a status without body", statuses[i]);
		stream_assert_story(expected);
		stream_put_head(statuses[i], 1, 0, 0);
		stream_assert_story("bad length promised for a status without body");
	}
}

static void
test_nothing_follows_the_end(void **state)
{
	static struct story story;

	(void)state;
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_frame(FRAME_END, 0);
	stream_put("x", 1);
	stream_read(&story, stream.length, stream.length);
	assert_true(story.parser.trailing);
	assert_int_equal(story.pending_length, 1);
	stream_assert_story("head 200 -; bad late bytes after the end");

	stream_put_head(200, UNKNOWN, 0, 0);
	stream_put_frame(FRAME_END, 0);
	stream_put_head(200, UNKNOWN, 0, 0);
	stream_assert_story("head 200 -; bad late bytes after the end");

	/* Two deliveries: the end is told before the rest is there. */
	stream_put_text(FRAME_ERROR, "x");
	stream_put_frame(FRAME_END, 0);
	stream_read(&story, 9, 8);
	assert_string_equal(story.text, "error x; bad bytes after the end");
	stream_read(&story, 17, 17);
	assert_string_equal(story.text, "bad bytes after the end");
}

static void
test_largest_body_frames(void **state)
{
	static struct story story;

	(void)state;
	stream_put_head(200, 2 * FRAME_BODY_MAX, 0, 0);
	stream_put_bytes(FRAME_BODY, FRAME_BODY_MAX);
	stream_put_bytes(FRAME_BODY, FRAME_BODY_MAX);
	stream_put_frame(FRAME_END, 0);
	for (size_t step = 1000; step < 3 * FRAME_BODY_MAX; step += 7919) {
		stream_read(&story, step, step);
		assert_string_equal(story.text, "head 200 131072; body ; end");
		assert_int_equal(story.body, 2 * FRAME_BODY_MAX);
	}
}

static void
test_bad_is_final(void **state)
{
	struct reply_parser parser;
	struct reply_event event;
	size_t consumed;

	(void)state;
	reply_parser_init(&parser);
	stream_put_frame(0, 0);
	assert_int_equal(reply_parser_feed(&parser, stream.bytes, 8, &consumed, &event), REPLY_BAD);
	assert_int_equal(consumed, 0);
	stream.length = 0;
	stream_put_text(FRAME_ERROR, "x");
	assert_int_equal(reply_parser_feed(&parser, stream.bytes, 9, &consumed, &event), REPLY_BAD);
	assert_string_equal(event.reason, "frame type");
	assert_int_equal(reply_parser_feed(&parser, NULL, 0, &consumed, &event), REPLY_BAD);
}

static enum reply_kind
read_whole(bool is_head)
{
	struct reply_parser parser;
	struct reply_event event;
	enum reply_kind kind;
	size_t used = 0, consumed;

	reply_parser_init(&parser);
	parser.is_head = is_head;
	do {
		kind = reply_parser_feed(&parser, stream.bytes + used, stream.length - used,
					 &consumed, &event);
		used += consumed;
	} while (kind == REPLY_HEAD || kind == REPLY_BODY);
	return kind;
}

static void
test_the_body_of_an_answer_to_head_need_not_come(void **state)
{
	(void)state;
	stream_put_head(200, 5, 0, 0);
	stream_put_frame(FRAME_END, 0);
	assert_int_equal(read_whole(true), REPLY_END);
	assert_int_equal(read_whole(false), REPLY_BAD);
	stream.length = 0;
	stream_put_head(200, 5, 0, 0);
	stream_put_text(FRAME_BODY, "too long");
	assert_int_equal(read_whole(true), REPLY_BAD);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole_replies, stream_clear),
		cmocka_unit_test_setup(test_errors_are_told, stream_clear),
		cmocka_unit_test_setup(test_order_of_frames, stream_clear),
		cmocka_unit_test_setup(test_types_of_frames, stream_clear),
		cmocka_unit_test_setup(test_lengths_of_frames, stream_clear),
		cmocka_unit_test_setup(test_promised_length, stream_clear),
		cmocka_unit_test_setup(test_statuses_without_body, stream_clear),
		cmocka_unit_test_setup(test_nothing_follows_the_end, stream_clear),
		cmocka_unit_test_setup(test_largest_body_frames, stream_clear),
		cmocka_unit_test_setup(test_bad_is_final, stream_clear),
		cmocka_unit_test_setup(test_the_body_of_an_answer_to_head_need_not_come,
				       stream_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
