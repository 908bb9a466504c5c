/*
 * One call of the application.
 *
 * Runs in: zygote (warm-ups), child (requests).
 */
#include "call.h"

#include <string.h>

const char *
call_field(const struct call *call, enum zy_field field)
{
	if (call->request != NULL)
		return zy_field(call->request, field);
	return call->fields[field] != NULL ? call->fields[field] : "";
}

size_t
call_headers(const struct call *call)
{
	return call->request != NULL ? zy_headers(call->request) : 0;
}

const char *
call_header_name(const struct call *call, size_t index)
{
	return call->request != NULL ? zy_header_name(call->request, index) : NULL;
}

const char *
call_header_value(const struct call *call, size_t index)
{
	return call->request != NULL ? zy_header_value(call->request, index) : NULL;
}

uint64_t
call_content_length(const struct call *call)
{
	return call->request != NULL ? zy_content_length(call->request) : 0;
}

size_t
call_read(struct call *call, void *buffer, size_t size)
{
	return call->request != NULL ? zy_read(call->request, buffer, size) : 0;
}

int
call_status(struct call *call, int status)
{
	return call->request != NULL ? zy_status(call->request, status) : 0;
}

int
call_header_add(struct call *call, const char *name, const char *value)
{
	return call->request != NULL ? zy_header_add(call->request, name, value) : 0;
}

int
call_length(struct call *call, uint64_t bytes)
{
	return call->request != NULL ? zy_length(call->request, bytes) : 0;
}

int
call_write(struct call *call, const void *data, size_t size)
{
	return call->request != NULL ? zy_write(call->request, data, size) : 0;
}

int
call_flush(struct call *call)
{
	return call->request != NULL ? zy_flush(call->request) : 0;
}

bool
call_is_head(const struct call *call)
{
	return strcmp(call_field(call, ZY_METHOD), "HEAD") == 0;
}
