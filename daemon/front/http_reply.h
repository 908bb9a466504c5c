/*
 * What a worker may set in its answer: status and headers, checked again in the front whatever the
 * child's runtime has checked; and the phrase of each status. Pure.
 */
#ifndef ZYGOTED_FRONT_HTTP_REPLY_H
#define ZYGOTED_FRONT_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_REPLY_VALUE_MAX 8192

/* 200..599: interim answers are the front's own. */
bool http_reply_status_is_valid(unsigned status);

/* Whether an answer of that status has a body; that one to HEAD has none is left to the caller. */
bool http_reply_has_body(unsigned status);

/*
 * NULL when the header may be sent to the client, otherwise why not. Name: a token of 1..64 bytes,
 * and none of the framing and hop-by-hop names, nor Date. Value: at most 8 KiB of visible ASCII,
 * space, tab, bytes from 0x80.
 */
const char *http_reply_header_check(const char *name, size_t name_length, const char *value,
				    size_t value_length) __attribute__((warn_unused_result));

/* "Not Found"; for a status without a registered phrase that of its class: "Client Error". */
const char *http_status_phrase(unsigned status);

#endif
