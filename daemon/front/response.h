/*
 * Response heads and the front's own answers.
 */
#ifndef ZYGOTED_FRONT_RESPONSE_H
#define ZYGOTED_FRONT_RESPONSE_H

#include "base/proto.h"

#include <event2/buffer.h>
#include <stdbool.h>

struct response_error {
	enum outcome outcome;
	int status;	      /* HTTP status; the outcome's own when 0 */
	const char *text;     /* the outcome's own when NULL; a literal */
	unsigned retry_after; /* seconds; 0: no Retry-After */
	int minor;	      /* HTTP/1.minor of the request */
	const char *request_id;
	bool keep_alive;
	bool head_method; /* no body */
};

/*
 * Appends a complete answer in plain text that says what went wrong, with X-Zygoted-Reason. 0, or
 * -1 when out of memory.
 */
int response_add_error(struct evbuffer *out, const struct response_error *error)
	__attribute__((warn_unused_result));

/* Appends "HTTP/1.1 200 OK", Date; the caller adds headers and the empty line. */
int response_add_status(struct evbuffer *out, int status) __attribute__((warn_unused_result));

/* Appends X-Request-Id. */
int response_add_request_id(struct evbuffer *out, const char *request_id)
	__attribute__((warn_unused_result));

/* Appends Connection if the default of the client's version is not what happens. */
int response_add_connection(struct evbuffer *out, int minor, bool keep_alive)
	__attribute__((warn_unused_result));

#endif
