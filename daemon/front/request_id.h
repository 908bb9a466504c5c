/*
 * The name of a request: what its client calls it by X-Request-Id, or one of our own. It is the
 * same in the answer, in the log and for the worker.
 */
#ifndef ZYGOTED_FRONT_REQUEST_ID_H
#define ZYGOTED_FRONT_REQUEST_ID_H

#include "base/proto.h"
#include "front/http_request.h"

#include <stdbool.h>
#include <stddef.h>

/* 1..REQUEST_ID_MAX bytes that may stand in a token (RFC 9110 section 5.6.2): nothing in it needs to
 * be escaped in a header, in JSON or in a log line. */
bool request_id_is_valid(const char *text, size_t length);

/* The client's, if it names exactly one and that is valid: written to `out`, with NUL. False: it
 * names none. */
bool request_id_find(const struct http_request *request, const char *head,
		     char out[REQUEST_ID_MAX + 1]) __attribute__((warn_unused_result));

/* 32 hexadecimal digits of these bytes. */
void request_id_format(const unsigned char bytes[16], char out[REQUEST_ID_MAX + 1]);

#endif
