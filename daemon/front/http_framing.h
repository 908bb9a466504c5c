/*
 * What the headers of a request say together: its host, where its body ends, and what becomes of
 * the connection. Pure.
 */
#ifndef ZYGOTED_FRONT_HTTP_FRAMING_H
#define ZYGOTED_FRONT_HTTP_FRAMING_H

#include "front/http_request.h"

/*
 * `request` has its request line and all its headers; `host` is the authority of an absolute
 * target, or empty. Sets host, body, content_length, keep_alive and expect_continue, and marks the
 * headers that Connection names.
 */
struct http_error http_framing_apply(const char *buffer, struct http_request *request)
	__attribute__((warn_unused_result));

#endif
