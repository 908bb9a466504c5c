/*
 * The three ways of delivery, and readable descriptions of what the request parser made of a head.
 *
 * Runs in: unit tests. Every piece lies in an allocation of exactly its size, so that the address
 * sanitizer sees a read beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http_try.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer heads are fed from one buffer, and cut at a sample of positions. */
#define SHORT_HEAD 1024
#define LONG_STEP  251

static enum http_result
feed_prefix(struct http_parser *parser, const char *text, size_t length)
{
	enum http_result result;
	char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	result = http_parser_feed(parser, copy, length);
	free(copy);
	return result;
}

static void
assert_same(const char *text, size_t length, const struct http_parser *one,
	    const struct http_parser *other, size_t cut)
{
	if (one->result == other->result && one->status == other->status &&
	    one->reason == other->reason &&
	    memcmp(&one->request, &other->request, sizeof(one->request)) == 0)
		return;
	fail_msg("cut at %zu: %d (%s) instead of %d (%s): %.*s", cut, other->status,
		 other->reason ? other->reason : "fine", one->status,
		 one->reason ? one->reason : "fine", (int)(length < 200 ? length : 200), text);
}

static void
try_bytes(const char *text, size_t length, const struct http_parser *expected)
{
	struct http_parser parser;

	http_parser_init(&parser);
	for (size_t size = 0; size <= length; size++) {
		enum http_result result = length <= SHORT_HEAD
						  ? feed_prefix(&parser, text, size)
						  : http_parser_feed(&parser, text, size);

		assert_int_equal(result, parser.result);
	}
	assert_same(text, length, expected, &parser, 1);
}

static void
try_cuts(const char *text, size_t length, const struct http_parser *expected)
{
	for (size_t cut = 0; cut <= length; cut += length <= SHORT_HEAD ? 1 : LONG_STEP) {
		struct http_parser parser;

		http_parser_init(&parser);
		(void)feed_prefix(&parser, text, cut);
		(void)feed_prefix(&parser, text, length);
		assert_same(text, length, expected, &parser, cut);
	}
}

void
http_try(const char *text, size_t length, struct http_parser *parser_out)
{
	http_parser_init(parser_out);
	(void)feed_prefix(parser_out, text, length);
	try_bytes(text, length, parser_out);
	try_cuts(text, length, parser_out);
}

static void
describe_body(const struct http_request *request, char *out, size_t size)
{
	if (request->body == HTTP_BODY_LENGTH)
		snprintf(out, size, "%" PRIu64, request->content_length);
	else
		snprintf(out, size, "%s", request->body == HTTP_BODY_CHUNKED ? "chunked" : "none");
}

void
http_try_describe(const char *text, const struct http_request *request, char *out, size_t size)
{
	char body[32];

	describe_body(request, body, sizeof(body));
	snprintf(out, size, "%.*s %.*s%s%.*s @%.*s 1.%d body=%s %s%s", (int)request->method.length,
		 text + request->method.offset, (int)request->path.length,
		 text + request->path.offset, request->query.length ? "?" : "",
		 (int)request->query.length, text + request->query.offset,
		 (int)request->host.length, text + request->host.offset, request->minor, body,
		 request->keep_alive ? "keep" : "close", request->expect_continue ? " expect" : "");
}

void
http_try_describe_headers(const char *text, const struct http_request *request, char *out,
			  size_t size)
{
	static const char *const marks[] = { "", "-", "+" };
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < request->headers_count && used < size; i++) {
		const struct http_header *header = &request->headers[i];

		used += (size_t)snprintf(out + used, size - used, "%s%s%.*s:%.*s", i ? " " : "",
					 marks[header->hop_by_hop], (int)header->name.length,
					 text + header->name.offset, (int)header->value.length,
					 text + header->value.offset);
	}
}

void
http_try_refused(const char *text, size_t length, int status, const char *reason)
{
	struct http_parser parser;

	http_try(text, length, &parser);
	if (parser.result != HTTP_BAD || parser.status != status ||
	    strcmp(parser.reason, reason) != 0)
		fail_msg("result %d status %d (%s) instead of %d (%s): %.*s", parser.result,
			 parser.status, parser.reason ? parser.reason : "fine", status, reason,
			 (int)(length < 200 ? length : 200), text);
}

void
http_try_accepted(const char *text, size_t length)
{
	struct http_parser parser;

	http_try(text, length, &parser);
	if (parser.result != HTTP_DONE)
		fail_msg("result %d status %d (%s): %.*s", parser.result, parser.status,
			 parser.reason ? parser.reason : "fine", (int)(length < 200 ? length : 200),
			 text);
	assert_int_equal(parser.request.head_bytes, length);
}

void
http_try_refusals(const struct http_refusal *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		http_try_refused(cases[i].text, cases[i].length, cases[i].status, cases[i].reason);
}

typedef void describe_fn(const char *, const struct http_request *, char *, size_t);

static void
try_described(const struct http_acceptance *cases, size_t count, describe_fn *describe)
{
	for (size_t i = 0; i < count; i++) {
		struct http_parser parser;
		char description[4096];

		http_try_accepted(cases[i].text, strlen(cases[i].text));
		http_try(cases[i].text, strlen(cases[i].text), &parser);
		describe(cases[i].text, &parser.request, description, sizeof(description));
		assert_string_equal(description, cases[i].description);
	}
}

void
http_try_acceptances(const struct http_acceptance *cases, size_t count)
{
	try_described(cases, count, http_try_describe);
}

void
http_try_headers(const struct http_acceptance *cases, size_t count)
{
	try_described(cases, count, http_try_describe_headers);
}
