/*
 * Strict, incremental parser of HTTP/1.x request heads. Pure: the result depends on the bytes
 * alone, not on the pieces they come in, and each byte is looked at once. Nothing is copied: spans
 * point into the caller's buffer.
 */
#ifndef ZYGOTED_FRONT_HTTP_REQUEST_H
#define ZYGOTED_FRONT_HTTP_REQUEST_H

#include "front/http_header.h"
#include "front/http_token.h"

enum http_body { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED };

struct http_request {
	int minor; /* 0: HTTP/1.0, 1: HTTP/1.1 */
	struct http_span method;
	struct http_span target; /* as received */
	struct http_span path;	 /* of the target, see http_target.h */
	struct http_span query;
	struct http_span host; /* the authority that applies; empty only in HTTP/1.0 */
	uint32_t headers_count;
	struct http_header headers[HTTP_HEADERS_MAX];
	uint64_t content_length; /* 0 unless HTTP_BODY_LENGTH */
	enum http_body body;
	bool keep_alive;      /* the client's wish */
	bool expect_continue; /* it waits for 100; never set without a body to wait for */
	size_t head_bytes;    /* the whole head, empty lines included: the body starts here */
};

struct http_parser {
	struct http_request request; /* complete after HTTP_DONE */
	int status;		     /* after HTTP_BAD: 400, 414, 417, 431, 501 or 505 */
	const char *reason;	     /* after HTTP_BAD: a short literal for the log */
	/* The rest is the parser's own. */
	enum http_result result;
	uint32_t scanned; /* bytes looked at */
	uint32_t line;	  /* where the current line starts */
	bool in_headers;
};

void http_parser_init(struct http_parser *parser);

/*
 * `buffer` holds everything from the request's first byte on; it may move and grow between calls,
 * its bytes must not change. `length` may reach beyond the head, into the body or the next request.
 * At most HTTP_HEAD_MAX bytes are needed to decide. After HTTP_DONE or HTTP_BAD further calls
 * return the same.
 */
enum http_result http_parser_feed(struct http_parser *parser, const char *buffer, size_t length)
	__attribute__((warn_unused_result));

#endif
