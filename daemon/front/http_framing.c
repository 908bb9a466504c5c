/*
 * Framing: Host, Content-Length, Transfer-Encoding, Expect, Connection.
 *
 * Runs in: front. Trusts nobody. Pure. Every doubt about where a request ends is a rejection: two
 * readings of the same bytes, ours and that of a proxy before us, are how one client's request gets
 * another's answer. The method has no say in it.
 */
#include "front/http_framing.h"

#include "front/http_target.h"

#define LENGTH_DIGITS_MAX 19 /* fits uint64_t whatever the digits */
#define OPTIONS_MAX	  32 /* of Connection, all its headers together */

/* Headers that may stand once, and what a second one is answered with. */
enum single { SINGLE_HOST, SINGLE_LENGTH, SINGLE_CODING, SINGLE_EXPECT, SINGLE_MAX };

static const struct {
	const char *name;
	struct http_error repeated;
} singles[SINGLE_MAX] = {
	[SINGLE_HOST] = { "host", { 400, "more than one Host" } },
	[SINGLE_LENGTH] = { "content-length", { 400, "more than one Content-Length" } },
	[SINGLE_CODING] = { "transfer-encoding", { 501, "more than one Transfer-Encoding" } },
	[SINGLE_EXPECT] = { "expect", { 417, "more than one Expect" } },
};

struct found {
	const struct http_header *single[SINGLE_MAX]; /* NULL: not there */
};

static bool
name_is(const char *buffer, const struct http_header *header, const char *name)
{
	return http_equals(buffer + header->name.offset, header->name.length, name);
}

static struct http_error
find_singles(const char *buffer, const struct http_request *request, struct found *found)
{
	for (uint32_t i = 0; i < request->headers_count; i++) {
		for (unsigned kind = 0; kind < SINGLE_MAX; kind++) {
			if (!name_is(buffer, &request->headers[i], singles[kind].name))
				continue;
			if (found->single[kind])
				return singles[kind].repeated;
			found->single[kind] = &request->headers[i];
		}
	}
	return HTTP_OK;
}

/* RFC 9112 3.2; an absolute target must name the same host, byte for byte but for case. */
static struct http_error
apply_host(const char *buffer, const struct http_header *header, struct http_request *request)
{
	const char *value;

	if (!header && request->minor == 1)
		return (struct http_error){ 400, "no Host" };
	if (!header)
		return HTTP_OK;
	value = buffer + header->value.offset;
	if (!http_is_authority(value, header->value.length))
		return (struct http_error){ 400, "invalid Host" };
	if (request->host.length > 0 &&
	    !http_same(buffer + request->host.offset, request->host.length, value,
		       header->value.length))
		return (struct http_error){ 400, "target and Host differ" };
	request->host = header->value;
	return HTTP_OK;
}

static struct http_error
apply_length(const char *text, uint32_t length, struct http_request *request)
{
	uint64_t value = 0;

	if (length == 0 || length > LENGTH_DIGITS_MAX)
		return (struct http_error){ 400, "Content-Length" };
	for (uint32_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return (struct http_error){ 400, "Content-Length" };
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	request->body = HTTP_BODY_LENGTH;
	request->content_length = value;
	return HTTP_OK;
}

static struct http_error
apply_body(const char *buffer, const struct found *found, struct http_request *request)
{
	const struct http_header *length = found->single[SINGLE_LENGTH];
	const struct http_header *coding = found->single[SINGLE_CODING];

	if (length && coding)
		return (struct http_error){ 400, "Content-Length with Transfer-Encoding" };
	if (length)
		return apply_length(buffer + length->value.offset, length->value.length, request);
	if (!coding)
		return HTTP_OK;
	if (request->minor == 0)
		return (struct http_error){ 501, "Transfer-Encoding in HTTP/1.0" };
	if (!http_equals(buffer + coding->value.offset, coding->value.length, "chunked"))
		return (struct http_error){ 501, "Transfer-Encoding" };
	request->body = HTTP_BODY_CHUNKED;
	return HTTP_OK;
}

/* RFC 9110 10.1.1: a 1.0 client does not wait, whatever it says. */
static struct http_error
apply_expect(const char *buffer, const struct http_header *header, struct http_request *request)
{
	if (!header)
		return HTTP_OK;
	if (!http_equals(buffer + header->value.offset, header->value.length, "100-continue"))
		return (struct http_error){ 417, "Expect" };
	request->expect_continue = request->minor == 1 && (request->body == HTTP_BODY_CHUNKED ||
							   request->content_length > 0);
	return HTTP_OK;
}

struct connection_options {
	unsigned count;
	bool close;
	bool keep_alive;
};

static void
mark_named(const char *buffer, struct http_request *request, const char *name, uint32_t length)
{
	for (uint32_t i = 0; i < request->headers_count; i++) {
		struct http_header *header = &request->headers[i];

		if (http_same(buffer + header->name.offset, header->name.length, name, length))
			header->hop_by_hop = HTTP_HEADER_HOP_BY_HOP;
	}
}

/*
 * RFC 9110 7.6.1 forbids to name a header that is meant for every recipient. For Host and the
 * framing headers this is a rejection: a proxy that obeyed would have taken them away, one that did
 * not would have left them, so that what the client sent and what we see need not be the same
 * request. Any other header that is named ends here.
 */
static struct http_error
apply_option(const char *buffer, struct http_span span, struct http_request *request,
	     struct connection_options *options)
{
	const char *name = buffer + span.offset;

	if (!http_all(name, span.length, HTTP_TOKEN))
		return (struct http_error){ 400, "Connection option" };
	if (++options->count > OPTIONS_MAX)
		return (struct http_error){ 400, "too many Connection options" };
	if (http_header_use(name, span.length) == HTTP_HEADER_FRONT ||
	    http_equals(name, span.length, "transfer-encoding"))
		return (struct http_error){ 400, "Connection names a framing header" };
	if (http_equals(name, span.length, "close"))
		options->close = true;
	else if (http_equals(name, span.length, "keep-alive"))
		options->keep_alive = true;
	mark_named(buffer, request, name, span.length);
	return HTTP_OK;
}

/* Walks a comma-separated list; empty elements are allowed (RFC 9110 5.6.1.2). */
static struct http_error
apply_options(const char *buffer, struct http_span list, struct http_request *request,
	      struct connection_options *options)
{
	uint32_t end = list.offset + list.length;
	uint32_t start = list.offset;

	for (uint32_t at = start; at <= end; at++) {
		struct http_error error;
		struct http_span option;

		if (at < end && buffer[at] != ',')
			continue;
		option = http_trim(buffer, (struct http_span){ start, at - start });
		start = at + 1;
		if (option.length == 0)
			continue;
		error = apply_option(buffer, option, request, options);
		if (error.status)
			return error;
	}
	return HTTP_OK;
}

static struct http_error
apply_connection(const char *buffer, struct http_request *request)
{
	struct connection_options options = { 0 };

	for (uint32_t i = 0; i < request->headers_count; i++) {
		struct http_error error;

		if (!name_is(buffer, &request->headers[i], "connection"))
			continue;
		error = apply_options(buffer, request->headers[i].value, request, &options);
		if (error.status)
			return error;
	}
	request->keep_alive = !options.close && (request->minor == 1 || options.keep_alive);
	return HTTP_OK;
}

struct http_error
http_framing_apply(const char *buffer, struct http_request *request)
{
	struct found found = { 0 };
	struct http_error error = find_singles(buffer, request, &found);

	if (!error.status)
		error = apply_host(buffer, found.single[SINGLE_HOST], request);
	if (!error.status)
		error = apply_body(buffer, &found, request);
	if (!error.status)
		error = apply_expect(buffer, found.single[SINGLE_EXPECT], request);
	if (!error.status)
		error = apply_connection(buffer, request);
	return error;
}
