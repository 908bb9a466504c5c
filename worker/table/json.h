/*
 * JSON written straight into a request's answer: no tree, no allocation.
 */
#ifndef ZYGOTED_TABLE_JSON_H
#define ZYGOTED_TABLE_JSON_H

#include "worker.h"

/*
 * Writes `length` bytes as a JSON string with its quotes. Valid UTF-8 passes as it is; each byte
 * that is none becomes U+FFFD, so that the answer is valid JSON whatever the table or the client
 * sent. 0, or zy_write's -1.
 */
int json_write_string(struct zy_request *request, const char *text, size_t length);

/*
 * Writes an object: `count` NUL-terminated names lie one after the other at `names`, and as many
 * values at `values`. Both become strings. 0, or -1.
 */
int json_write_object(struct zy_request *request, const char *names, const char *values,
		      unsigned count);

#endif
