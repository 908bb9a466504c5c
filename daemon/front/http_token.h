/*
 * The smallest parts of the HTTP grammar: classes of bytes, spans, comparisons, and how a rejection
 * is told. Pure; every function here takes a pointer and a length and needs no final NUL.
 */
#ifndef ZYGOTED_FRONT_HTTP_TOKEN_H
#define ZYGOTED_FRONT_HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of a head, and of a body's trailers. Line ends count for HTTP_HEAD_MAX only. */
enum http_limits {
	HTTP_LINE_MAX = 8192,
	HTTP_HEADERS_MAX = 64,
	HTTP_HEADER_NAME_MAX = 64,
	HTTP_HEAD_MAX = 32768,
};

/* HTTP_MORE: fine so far. HTTP_BAD is final: nothing is ever resynchronised. */
enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

/* A rejection: status for the client, literal for the log. Status 0 is no rejection. */
struct http_error {
	int status;
	const char *reason;
};

#define HTTP_OK ((struct http_error){ 0, NULL })

/* Part of a buffer that may move: relative to its start. */
struct http_span {
	uint32_t offset;
	uint32_t length;
};

/* Classes of bytes, a bit each. */
enum http_class {
	HTTP_TOKEN = 1,	  /* RFC 9110 5.6.2 tchar */
	HTTP_VISIBLE = 2, /* 0x21..0x7e */
	HTTP_TEXT = 4,	  /* visible, space, tab, 0x80..0xff: what a line may consist of */
	HTTP_HOST = 8,	  /* letters, digits, - . _ ~ */
};

extern const uint8_t http_classes[256];

static inline bool
http_is(char byte, enum http_class class)
{
	return (http_classes[(unsigned char)byte] & class) != 0;
}

/* Whether there is at least one byte and all are of the class. */
bool http_all(const char *text, size_t length, enum http_class class);

/* ASCII case-insensitive; a locale has no say in it. */
bool http_same(const char *one, size_t one_length, const char *other, size_t other_length);
/* The same with a NUL-terminated literal. */
bool http_equals(const char *text, size_t length, const char *literal);

/* The span without spaces and tabs at its ends. */
struct http_span http_trim(const char *buffer, struct http_span span);

/* Value of a hexadecimal digit, -1 for any other byte. */
int http_hex(char byte);

#endif
