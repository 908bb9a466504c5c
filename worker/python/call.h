/*
 * One call of the application: for a request, or for a warm-up, which has no client. Everything else of the worker asks here and does
 * not know which it is.
 */
#ifndef ZYGOTED_PYTHON_CALL_H
#define ZYGOTED_PYTHON_CALL_H

#include "worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call {
	struct zy_request *request;	  /* NULL: a warm-up */
	const char *fields[ZY_FIELD_MAX]; /* of a warm-up */
};

/* As the zy_ functions of the same names. A warm-up has neither headers nor a body, and its answer goes nowhere. */
const char *call_field(const struct call *call, enum zy_field field);
size_t call_headers(const struct call *call);
const char *call_header_name(const struct call *call, size_t index);
const char *call_header_value(const struct call *call, size_t index);
uint64_t call_content_length(const struct call *call);
size_t call_read(struct call *call, void *buffer, size_t size);
int call_status(struct call *call, int status);
int call_header_add(struct call *call, const char *name, const char *value);
int call_length(struct call *call, uint64_t bytes);
int call_write(struct call *call, const void *data, size_t size);
int call_flush(struct call *call);

bool call_is_head(const struct call *call);

#endif
