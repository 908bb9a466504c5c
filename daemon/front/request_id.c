/*
 * Request ids: taken from a head, or written from random bytes. Pure.
 *
 * Runs in: front. A client's id goes into logs and answers as it is: so it is a token or nothing.
 */
#include "front/request_id.h"

#include "front/http_token.h"

#include <string.h>

static const char header_name[] = "x-request-id";

bool
request_id_is_valid(const char *text, size_t length)
{
	return length <= REQUEST_ID_MAX && http_all(text, length, HTTP_TOKEN);
}

bool
request_id_find(const struct http_request *request, const char *head, char out[REQUEST_ID_MAX + 1])
{
	const struct http_header *found = NULL;

	for (uint32_t i = 0; i < request->headers_count; i++) {
		const struct http_header *header = &request->headers[i];
		if (!http_equals(head + header->name.offset, header->name.length, header_name))
			continue;
		if (found != NULL)
			return false; /* which of them would others go by? */
		found = header;
	}
	if (found == NULL || !request_id_is_valid(head + found->value.offset, found->value.length))
		return false;
	memcpy(out, head + found->value.offset, found->value.length);
	out[found->value.length] = '\0';
	return true;
}

void
request_id_format(const unsigned char bytes[16], char out[REQUEST_ID_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[32] = '\0';
}
