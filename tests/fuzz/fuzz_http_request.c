/* Request heads: any bytes, and the same result for one piece, for two, and byte by byte. */
/* LINK: daemon/front/http_request.c daemon/front/http_framing.c daemon/front/http_header.c */
/* LINK: daemon/front/http_target.c daemon/front/http_token.c */
#include "front/http_request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
feed(struct http_parser *parser, const char *data, size_t size)
{
	enum http_result result = http_parser_feed(parser, data, size);

	require(result == parser->result);
}

/* An allocation of exactly the piece's size shows a read behind it. */
static void
feed_copy(struct http_parser *parser, const char *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	require(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	feed(parser, copy, size);
	free(copy);
}

static void
require_same(const struct http_parser *one, const struct http_parser *other)
{
	require(one->result == other->result && one->status == other->status &&
		one->reason == other->reason);
	require(memcmp(&one->request, &other->request, sizeof(one->request)) == 0);
}

static void
require_inside(struct http_span span, const struct http_request *request)
{
	require(span.offset <= request->head_bytes);
	require(span.length <= request->head_bytes - span.offset);
}

static void
check_header(const char *text, const struct http_header *header, const struct http_request *request)
{
	const char *value = text + header->value.offset;
	uint32_t length = header->value.length;

	require_inside(header->name, request);
	require_inside(header->value, request);
	require(http_all(text + header->name.offset, header->name.length, HTTP_TOKEN));
	require(header->name.length <= HTTP_HEADER_NAME_MAX);
	require(length == 0 || http_all(value, length, HTTP_TEXT));
	require(length == 0 || (value[0] != ' ' && value[0] != '\t' && value[length - 1] != ' ' &&
				value[length - 1] != '\t'));
}

static void
check_request(const char *text, size_t size, const struct http_request *request)
{
	require(request->head_bytes <= size && request->head_bytes <= HTTP_HEAD_MAX);
	require(memcmp(text + request->head_bytes - 4, "\r\n\r\n", 4) == 0);
	require_inside(request->method, request);
	require_inside(request->target, request);
	require_inside(request->path, request);
	require_inside(request->query, request);
	require_inside(request->host, request);
	require(request->method.length > 0 && request->target.length > 0);
	require(text[request->path.offset] == '/' ||
		(text[request->path.offset] == '*' && request->path.length == 1));
	require(request->minor == 0 || request->host.length > 0);
	require(request->minor == 1 || request->body != HTTP_BODY_CHUNKED);
	require(request->body == HTTP_BODY_LENGTH || request->content_length == 0);
	require(!request->expect_continue || request->body != HTTP_BODY_NONE);
	require(request->headers_count <= HTTP_HEADERS_MAX);
	for (uint32_t i = 0; i < request->headers_count; i++)
		check_header(text, &request->headers[i], request);
}

static void
check_refusal(const struct http_parser *parser)
{
	require(parser->status == 400 || parser->status == 414 || parser->status == 417 ||
		parser->status == 431 || parser->status == 501 || parser->status == 505);
	require(parser->reason != NULL);
}

/* The first two bytes say where the head is cut in two. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 2;
	struct http_parser whole;
	struct http_parser cut;
	struct http_parser bytes;
	size_t length = size < 2 ? 0 : size - 2;

	if (size < 2)
		return 0;
	http_parser_init(&whole);
	feed(&whole, text, length);
	http_parser_init(&bytes);
	for (size_t i = 0; i <= length; i++)
		feed(&bytes, text, i);
	require_same(&whole, &bytes);
	http_parser_init(&cut);
	feed_copy(&cut, text, ((size_t)data[0] << 8 | data[1]) % (length + 1));
	feed_copy(&cut, text, length);
	require_same(&whole, &cut);
	if (whole.result == HTTP_DONE)
		check_request(text, length, &whole.request);
	else if (whole.result == HTTP_BAD)
		check_refusal(&whole);
	else
		require(length < HTTP_HEAD_MAX);
	return 0;
}
