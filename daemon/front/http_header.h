/*
 * One header line, and whom a header is for. Pure.
 */
#ifndef ZYGOTED_FRONT_HTTP_HEADER_H
#define ZYGOTED_FRONT_HTTP_HEADER_H

#include "front/http_token.h"

/* Only HTTP_HEADER_FORWARD is meant for the worker. */
enum http_header_use {
	HTTP_HEADER_FORWARD,
	HTTP_HEADER_HOP_BY_HOP, /* ends at this connection; also what Connection names */
	HTTP_HEADER_FRONT,	/* Host, Content-Length, Expect: acted on by the front */
};

struct http_header {
	struct http_span name;
	struct http_span value; /* without white space at its ends; may be empty */
	uint8_t hop_by_hop;	/* enum http_header_use */
};

/* Takes a line without its CRLF apart. All of the line's bytes must be HTTP_TEXT already. */
struct http_error http_header_parse(const char *buffer, struct http_span line,
				    struct http_header *header_out)
	__attribute__((warn_unused_result));

/* By name alone, case-insensitive. */
enum http_header_use http_header_use(const char *name, size_t length);

#endif
