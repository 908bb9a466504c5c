/*
 * The three ways to deliver a chunked body.
 *
 * Runs in: unit tests. Every delivery lies in an allocation of exactly its size, so that the
 * address sanitizer sees a read beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_body_try.h"

#include <stdlib.h>
#include <string.h>

#define LONG_CODED 2048

void
body_deliver(struct http_chunked *chunked, const char *data, size_t length,
	     struct body_outcome *outcome)
{
	char *copy = malloc(length ? length : 1);
	size_t at = 0;

	assert_non_null(copy);
	memcpy(copy, data, length);
	while (outcome->result == HTTP_MORE) {
		struct http_piece piece;
		size_t consumed;

		outcome->result =
			http_chunked_feed(chunked, copy + at, length - at, &consumed, &piece);
		assert_true(consumed <= length - at);
		assert_true(piece.length == 0 || outcome->result == HTTP_MORE);
		assert_true(piece.length == 0 || piece.offset + piece.length == consumed);
		assert_true(outcome->length + piece.length <= sizeof(outcome->body));
		memcpy(outcome->body + outcome->length, copy + at + piece.offset, piece.length);
		outcome->length += piece.length;
		at += consumed;
		if (outcome->result == HTTP_MORE && piece.length == 0)
			break;
	}
	assert_true(outcome->result != HTTP_MORE || at == length);
	outcome->consumed += at;
	outcome->status = chunked->status;
	outcome->reason = chunked->reason;
	free(copy);
}

/* Deliveries of at most `step` bytes, the first one of `first`. */
static void
decode(const char *text, size_t length, size_t first, size_t step, struct body_outcome *outcome)
{
	struct http_chunked chunked;
	size_t size = first;

	memset(outcome, 0, offsetof(struct body_outcome, body));
	http_chunked_init(&chunked);
	for (size_t at = 0; at < length && outcome->result == HTTP_MORE; size = step) {
		if (size > length - at)
			size = length - at;
		body_deliver(&chunked, text + at, size, outcome);
		at += size;
	}
}

static void
assert_same(const struct body_outcome *one, const struct body_outcome *other, const char *text,
	    size_t cut)
{
	if (one->result != other->result || one->status != other->status ||
	    one->reason != other->reason || one->consumed != other->consumed ||
	    one->length != other->length || memcmp(one->body, other->body, one->length) != 0)
		fail_msg("cut at %zu: another result: %s", cut, text);
}

void
body_try(const char *text, size_t length, struct body_outcome *whole)
{
	size_t step = length <= LONG_CODED ? 1 : 211;
	struct body_outcome other;

	decode(text, length, length, length, whole);
	decode(text, length, 1, 1, &other);
	assert_same(whole, &other, text, 1);
	for (size_t cut = 1; cut < length; cut += step) {
		decode(text, length, cut, length, &other);
		assert_same(whole, &other, text, cut);
	}
}

void
body_assert_refused(const char *text, size_t length, int status, const char *reason)
{
	struct body_outcome outcome;

	body_try(text, length, &outcome);
	if (outcome.result != HTTP_BAD || outcome.status != status ||
	    strcmp(outcome.reason, reason) != 0)
		fail_msg("result %d status %d (%s) instead of %d (%s): %.*s", outcome.result,
			 outcome.status, outcome.reason ? outcome.reason : "fine", status, reason,
			 (int)(length < 200 ? length : 200), text);
}

void
body_assert_decoded(const char *text, size_t length, const char *body)
{
	struct body_outcome outcome;

	body_try(text, length, &outcome);
	if (outcome.result != HTTP_DONE)
		fail_msg("result %d (%s): %.*s", outcome.result,
			 outcome.reason ? outcome.reason : "fine",
			 (int)(length < 200 ? length : 200), text);
	assert_int_equal(outcome.consumed, length);
	assert_int_equal(outcome.length, strlen(body));
	assert_memory_equal(outcome.body, body, outcome.length);
}
