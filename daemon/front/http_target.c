/*
 * Request targets and authorities.
 *
 * Runs in: front. Trusts nobody. Pure. Nothing is decoded or normalised: a path goes to the route
 * table and to the worker exactly as it came, so that both see the same bytes.
 */
#include "front/http_target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define HOST_MAX 255 /* RFC 1035 2.3.4 */

static bool
is_port(const char *text, size_t length)
{
	unsigned port = 0;

	if (length == 0 || length > 5)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

/* Length of the "[address]" that text begins with, 0 if it does not. */
static size_t
ipv6_literal(const char *text, size_t length)
{
	const char *end = memchr(text, ']', length);
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	size_t size;

	if (!end)
		return 0;
	size = (size_t)(end - text) - 1;
	if (size >= sizeof(address))
		return 0;
	memcpy(address, text + 1, size);
	address[size] = '\0';
	/* A NUL inside would end the string early for inet_pton. */
	if (strlen(address) != size || inet_pton(AF_INET6, address, &parsed) != 1)
		return 0;
	return size + 2;
}

static size_t
host_name(const char *text, size_t length)
{
	size_t size = 0;

	while (size < length && http_is(text[size], HTTP_HOST))
		size++;
	return size <= HOST_MAX ? size : 0;
}

bool
http_is_authority(const char *text, size_t length)
{
	size_t host;

	if (length == 0)
		return false;
	host = text[0] == '[' ? ipv6_literal(text, length) : host_name(text, length);
	if (host == 0)
		return false;
	if (host == length)
		return true;
	return text[host] == ':' && is_port(text + host + 1, length - host - 1);
}

/* Splits `span` at its first '?'. */
static void
split_query(const char *buffer, struct http_span span, struct http_target *target)
{
	const char *mark = memchr(buffer + span.offset, '?', span.length);
	uint32_t length = mark ? (uint32_t)(mark - (buffer + span.offset)) : span.length;

	target->path = (struct http_span){ span.offset, length };
	target->query = (struct http_span){ span.offset + span.length, 0 };
	if (mark)
		target->query =
			(struct http_span){ span.offset + length + 1, span.length - length - 1 };
}

/* Length of the scheme and "://", 0 when there is none that we serve. */
static uint32_t
scheme_length(const char *text, uint32_t length)
{
	if (length > 7 && http_equals(text, 7, "http://"))
		return 7;
	if (length > 8 && http_equals(text, 8, "https://"))
		return 8;
	return 0;
}

static struct http_error
parse_absolute(const char *buffer, struct http_span span, struct http_target *target)
{
	uint32_t scheme = scheme_length(buffer + span.offset, span.length);
	uint32_t start = span.offset + scheme;
	uint32_t end = span.offset + span.length;
	uint32_t at = start;

	if (scheme == 0)
		return (struct http_error){ 400, "target form" };
	while (at < end && buffer[at] != '/' && buffer[at] != '?')
		at++;
	if (!http_is_authority(buffer + start, at - start))
		return (struct http_error){ 400, "authority in target" };
	split_query(buffer, (struct http_span){ at, end - at }, target);
	/* An empty path means "/" (RFC 9110 4.2.3): the scheme has one that a span can point to. */
	if (target->path.length == 0)
		target->path = (struct http_span){ start - 1, 1 };
	target->authority = (struct http_span){ start, at - start };
	return HTTP_OK;
}

struct http_error
http_target_parse(const char *buffer, struct http_span span, bool is_options,
		  struct http_target *target_out)
{
	const char *text = buffer + span.offset;

	*target_out = (struct http_target){ .authority = { span.offset, 0 } };
	if (!http_all(text, span.length, HTTP_VISIBLE))
		return (struct http_error){ 400, "byte in target" };
	/* RFC 9112 3.2: no form has a fragment. */
	if (memchr(text, '#', span.length))
		return (struct http_error){ 400, "fragment in target" };
	if (text[0] == '*' && span.length == 1 && !is_options)
		return (struct http_error){ 400, "asterisk target" };
	if (text[0] == '/' || (text[0] == '*' && span.length == 1)) {
		split_query(buffer, span, target_out);
		return HTTP_OK;
	}
	return parse_absolute(buffer, span, target_out);
}
