/*
 * The field Accept, RFC 9110 section 12.5.1, as far as metrics need it. Pure.
 */
#ifndef ZYGOTED_FRONT_HTTP_ACCEPT_H
#define ZYGOTED_FRONT_HTTP_ACCEPT_H

#include <stddef.h>

/* What a client would like; the best of all its Accept fields. */
struct http_accept {
	unsigned openmetrics; /* application/openmetrics-text of version 1.0.0: 0..1000 */
	unsigned text;	      /* text/plain */
};

/* Takes one more Accept field. What is malformed in it counts as not there. */
void http_accept_add(struct http_accept *accept, const char *value, size_t length);

#endif
