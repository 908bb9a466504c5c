/*
 * The environment of a CGI program: RFC 3875, 4.1.
 */
#ifndef ZYGOTED_EXEC_VARIABLES_H
#define ZYGOTED_EXEC_VARIABLES_H

#include "worker.h"

#define VARIABLES_MAX                                                                              \
	256 /* the operator's, some thirty of the request, and one for each of its headers */

struct variables {
	const char *list[VARIABLES_MAX + 1]; /* "NAME=value", NULL-terminated */
	size_t count;
	char *place; /* where the next one goes */
	char *end;
};

/*
 * Makes them; `fixed` are the operator's, which cannot stand for one of the request's. 0; or -1 without memory, with too many; or the
 * status 400 when the path cannot be decoded.
 */
int variables_make(struct variables *variables, const struct zy_request *request,
		   const char *const fixed[]);

#endif
