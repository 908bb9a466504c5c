/*
 * What is wrong with a configuration: collected while it is read, written in the order of lines at
 * the end.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_ERRORS_H
#define ZYGOTED_SUPERVISOR_CONFIG_ERRORS_H

#include "base/proto.h"

#include <stdio.h>

#define CONFIG_ERRORS_MAX 64 /* more are counted, not kept */

struct config_errors {
	unsigned count; /* all */
	struct {
		unsigned line; /* 0: of the file as a whole */
		char text[PROTO_TEXT_MAX];
	} items[CONFIG_ERRORS_MAX];
};

/*
 * Takes one: what is wrong, and what to do about it. Always returns -1, for the caller to return.
 */
int config_error(struct config_errors *errors, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes "FILE:LINE: text" for each, sorted by line. */
void config_errors_print(struct config_errors *errors, const char *file, FILE *out);

#endif
