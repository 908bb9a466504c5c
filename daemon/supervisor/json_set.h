/*
 * Setting members of JSON objects, numbers in the units of their names.
 */
#ifndef ZYGOTED_SUPERVISOR_JSON_SET_H
#define ZYGOTED_SUPERVISOR_JSON_SET_H

#include <jansson.h>
#include <stdint.h>

#include "supervisor/clock.h"

/* json_int_t is signed; no counter gets there, but a wrong one must not turn negative. */
static inline void
json_set_number(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name,
			    json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

static inline void
json_set_real(json_t *object, const char *name, double value)
{
	json_object_set_new(object, name, json_real(value));
}

static inline void
json_set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, json_string(text));
}

/* How long ago a clock_ms() was, as "NAME_seconds"; null when it never was. */
static inline void
json_set_age(json_t *object, const char *name, uint64_t since_ms)
{
	if (since_ms == 0)
		json_object_set_new(object, name, json_null());
	else
		json_set_real(object, name, (double)(clock_ms() - since_ms) / 1000);
}

#endif
