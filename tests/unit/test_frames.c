/* Heads of frames on the wire, and which status a reply has. */
/* LINK: daemon/base/frame_wire.c daemon/front/frame_reply.c daemon/base/proto.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/frame_wire.h"
#include "front/frame_reply.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	uint32_t length;
	uint8_t bytes[4];
} lengths[] = {
	{ 0, { 0, 0, 0, 0 } },
	{ 1, { 0, 0, 0, 1 } },
	{ 0x01020304, { 1, 2, 3, 4 } },
	{ 0x80000000, { 0x80, 0, 0, 0 } },
	{ UINT32_MAX, { 0xff, 0xff, 0xff, 0xff } },
};

static void
test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		uint8_t head[FRAME_WIRE_REQUEST_HEAD];
		uint32_t length = 7;

		frame_wire_put_request(lengths[i].length, head);
		assert_memory_equal(head, lengths[i].bytes, sizeof(head));
		for (size_t had = 0; had < sizeof(head); had++)
			assert_false(frame_wire_get_request(head, had, &length));
		assert_int_equal(length, 7);
		assert_true(frame_wire_get_request(head, sizeof(head), &length));
		assert_int_equal(length, lengths[i].length);
	}
}

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		uint8_t head[FRAME_WIRE_REPLY_HEAD];
		uint32_t length = 7;
		unsigned status = 7;

		frame_wire_put_reply(FRAME_STATUS_CRASHED, lengths[i].length, head);
		assert_int_equal(head[0], 5);
		assert_memory_equal(head + 1, lengths[i].bytes, 4);
		for (size_t had = 0; had < sizeof(head); had++)
			assert_false(frame_wire_get_reply(head, had, &status, &length));
		assert_true(frame_wire_get_reply(head, sizeof(head), &status, &length));
		assert_int_equal(status, 5);
		assert_int_equal(length, lengths[i].length);
	}
}

static void
test_what_follows_is_not_looked_at(void **state)
{
	static const uint8_t data[] = { 0, 0, 0, 2, 0xff, 0xff, 0xff };
	uint32_t length;

	(void)state;
	assert_true(frame_wire_get_request(data, sizeof(data), &length));
	assert_int_equal(length, 2);
}

static void
test_outcomes(void **state)
{
	static const struct {
		enum outcome outcome;
		unsigned status;
	} rows[] = {
		{ OUTCOME_OK, 0 },
		{ OUTCOME_WORKER_ERROR, 1 },
		{ OUTCOME_TIMEOUT, 2 },
		{ OUTCOME_CPU_LIMIT, 2 },
		{ OUTCOME_QUEUE_FULL, 3 },
		{ OUTCOME_PENALTY, 3 },
		{ OUTCOME_POOL_DOWN, 3 },
		{ OUTCOME_INTERNAL, 3 },
		{ OUTCOME_BODY_TOO_LARGE, 4 },
		{ OUTCOME_REPLY_TOO_LARGE, 4 },
		{ OUTCOME_CRASHED, 5 },
		{ OUTCOME_SANDBOX, 5 },
		{ OUTCOME_MEMORY_LIMIT, 5 },
		{ OUTCOME_BAD_REPLY, 5 },
		{ OUTCOME_BAD_REQUEST, 6 },
		{ OUTCOME_NO_ROUTE, 6 },
		{ OUTCOME_HEADER_TIMEOUT, 6 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(frame_reply_of_outcome(rows[i].outcome), rows[i].status);
	/* A failure never passes for success. */
	for (enum outcome outcome = OUTCOME_OK + 1; outcome < OUTCOME_MAX; outcome++)
		assert_in_range(frame_reply_of_outcome(outcome), 1, FRAME_STATUS_MAX - 1);
}

static void
test_statuses_of_workers(void **state)
{
	static const struct {
		unsigned from;
		unsigned status;
	} rows[] = { { 200, 0 }, { 400, 6 }, { 413, 4 }, { 414, 6 }, { 429, 3 }, { 430, 6 },
		     { 500, 1 }, { 503, 3 }, { 504, 2 }, { 505, 1 }, { 600, 1 } };

	(void)state;
	for (size_t i = 0; i + 1 < COUNT(rows); i++)
		for (unsigned status = rows[i].from; status < rows[i + 1].from; status++)
			assert_int_equal(frame_reply_of_status(status), rows[i].status);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(frame_wire_status_name(0), "ok");
	assert_string_equal(frame_wire_status_name(6), "bad request");
	assert_string_equal(frame_wire_status_name(7), "?");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_what_follows_is_not_looked_at),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_statuses_of_workers),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
