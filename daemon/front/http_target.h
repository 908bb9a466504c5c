/*
 * The request target: which of its forms it has, and its parts. Pure.
 */
#ifndef ZYGOTED_FRONT_HTTP_TARGET_H
#define ZYGOTED_FRONT_HTTP_TARGET_H

#include "front/http_token.h"

struct http_target {
	struct http_span authority; /* of the absolute form, otherwise empty */
	struct http_span path;	    /* starts with '/', or is "*" */
	struct http_span query;	    /* without '?'; empty when there is none */
};

/*
 * Takes apart the target of a request whose method is not CONNECT. All spans lie in `buffer`. The
 * asterisk form is for OPTIONS only. Only `http` and `https` are known in the absolute form; its
 * authority is checked here.
 */
struct http_error http_target_parse(const char *buffer, struct http_span target, bool is_options,
				    struct http_target *target_out)
	__attribute__((warn_unused_result));

/*
 * host[:port]: a name or an IPv4 address, or an IPv6 address in brackets; port 1..65535. Narrower
 * than RFC 3986: no percent escapes, no sub-delimiters, no empty host or port. Names that resolve
 * have none of these.
 */
bool http_is_authority(const char *text, size_t length);

#endif
