/*
 * Header lines.
 *
 * Runs in: front. Trusts nobody. Pure. A header that is not in the table below goes to the worker:
 * whatever steers the connection or the framing must be in it.
 */
#include "front/http_header.h"

#include <string.h>

static const struct {
	const char *name;
	enum http_header_use use;
} uses[] = {
	/* RFC 9110 7.6.1, RFC 9112 9 */
	{ "connection", HTTP_HEADER_HOP_BY_HOP },
	{ "keep-alive", HTTP_HEADER_HOP_BY_HOP },
	{ "te", HTTP_HEADER_HOP_BY_HOP },
	{ "trailer", HTTP_HEADER_HOP_BY_HOP },
	{ "transfer-encoding", HTTP_HEADER_HOP_BY_HOP },
	{ "upgrade", HTTP_HEADER_HOP_BY_HOP },
	{ "host", HTTP_HEADER_FRONT },
	{ "content-length", HTTP_HEADER_FRONT },
	{ "expect", HTTP_HEADER_FRONT },
};

#define PROXY_PREFIX "proxy-"

enum http_header_use
http_header_use(const char *name, size_t length)
{
	size_t prefix = strlen(PROXY_PREFIX);

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (http_equals(name, length, uses[i].name))
			return uses[i].use;
	if (length >= prefix && http_equals(name, prefix, PROXY_PREFIX))
		return HTTP_HEADER_HOP_BY_HOP;
	return HTTP_HEADER_FORWARD;
}

struct http_error
http_header_parse(const char *buffer, struct http_span line, struct http_header *header_out)
{
	const char *text = buffer + line.offset;
	const char *colon = memchr(text, ':', line.length);
	uint32_t name = colon ? (uint32_t)(colon - text) : line.length;

	if (line.length > 0 && (text[0] == ' ' || text[0] == '\t'))
		return (struct http_error){ 400, "folded header" };
	if (!colon)
		return (struct http_error){ 400, "header without colon" };
	/* White space before the colon, too, which hides a header from other parsers. */
	if (!http_all(text, name, HTTP_TOKEN))
		return (struct http_error){ 400, "header name" };
	if (name > HTTP_HEADER_NAME_MAX)
		return (struct http_error){ 400, "header name too long" };
	header_out->name = (struct http_span){ line.offset, name };
	header_out->value = http_trim(buffer, (struct http_span){ line.offset + name + 1,
								  line.length - name - 1 });
	header_out->hop_by_hop = (uint8_t)http_header_use(text, name);
	return HTTP_OK;
}
