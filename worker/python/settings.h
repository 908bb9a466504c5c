/*
 * The options of a pool with the worker `python`, checked as far as that needs no interpreter. Strings and the arrays live as
 * long as the process.
 */
#ifndef ZYGOTED_PYTHON_SETTINGS_H
#define ZYGOTED_PYTHON_SETTINGS_H

#include "worker.h"

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_VALUES_MAX 64 /* of one option */

struct settings_list {
	const char *values[SETTINGS_VALUES_MAX];
	size_t count;
};

struct settings {
	const char *app;	   /* "module:callable" */
	const char *venv;	   /* absolute; NULL: none */
	const char *script_name;   /* "" or "/prefix" */
	struct settings_list path; /* absolute directories */
	struct settings_list preload;
	struct settings_list warmup; /* "GET /path" */
	bool places_objects;
	bool learns_placement; /* from the warm-ups */
};

/*
 * Reads the options and sets the environment variables that one of them holds. 0, or -1 after zy_load_error.
 */
int settings_read(const struct zy_load *load, struct settings *out)
	__attribute__((warn_unused_result));

#endif
