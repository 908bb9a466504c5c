/*
 * Bytes and tokens of HTTP.
 *
 * Runs in: front. Trusts nobody: any byte may come in. No I/O, no allocation, no state. The class
 * table decides what is let through to children, logs and replies: a bit set here is a byte that
 * all of them must bear.
 */
#include "front/http_token.h"

#include <string.h>

#define TEXT	HTTP_TEXT
#define VISIBLE (HTTP_TEXT | HTTP_VISIBLE)
#define TOKEN	(HTTP_TEXT | HTTP_VISIBLE | HTTP_TOKEN)
#define NAME	(HTTP_TEXT | HTTP_VISIBLE | HTTP_TOKEN | HTTP_HOST)

const uint8_t http_classes[256] = {
	['\t'] = TEXT,		[' '] = TEXT,
	['!'] = TOKEN,		['"'] = VISIBLE,
	['#' ... '\''] = TOKEN, ['(' ... ')'] = VISIBLE,
	['*' ... '+'] = TOKEN,	[','] = VISIBLE,
	['-' ... '.'] = NAME,	['/'] = VISIBLE,
	['0' ... '9'] = NAME,	[':' ... '@'] = VISIBLE,
	['A' ... 'Z'] = NAME,	['[' ... ']'] = VISIBLE,
	['^'] = TOKEN,		['_'] = NAME,
	['`'] = TOKEN,		['a' ... 'z'] = NAME,
	['{'] = VISIBLE,	['|'] = TOKEN,
	['}'] = VISIBLE,	['~'] = NAME,
	[0x80 ... 0xff] = TEXT,
};

bool
http_all(const char *text, size_t length, enum http_class class)
{
	for (size_t i = 0; i < length; i++)
		if (!http_is(text[i], class))
			return false;
	return length > 0;
}

static unsigned char
fold(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : (unsigned char)byte;
}

bool
http_same(const char *one, size_t one_length, const char *other, size_t other_length)
{
	if (one_length != other_length)
		return false;
	for (size_t i = 0; i < one_length; i++)
		if (fold(one[i]) != fold(other[i]))
			return false;
	return true;
}

bool
http_equals(const char *text, size_t length, const char *literal)
{
	return http_same(text, length, literal, strlen(literal));
}

struct http_span
http_trim(const char *buffer, struct http_span span)
{
	while (span.length > 0 && (buffer[span.offset] == ' ' || buffer[span.offset] == '\t')) {
		span.offset++;
		span.length--;
	}
	while (span.length > 0) {
		char last = buffer[span.offset + span.length - 1];

		if (last != ' ' && last != '\t')
			break;
		span.length--;
	}
	return span;
}

int
http_hex(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}
