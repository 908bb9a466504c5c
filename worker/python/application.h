/*
 * The WSGI application: found by name, called once for each request or warm-up.
 */
#ifndef ZYGOTED_PYTHON_APPLICATION_H
#define ZYGOTED_PYTHON_APPLICATION_H

#include "call.h"
#include "settings.h"

/* Imports what the settings name, application last. 0, or -1 after zy_load_error. */
int application_load(const struct zy_load *load, const struct settings *settings)
	__attribute__((warn_unused_result));

/*
 * Calls it, and sends what it answers. 0 and the status when the answer is complete; -1 with an exception, or without one for a request that cannot
 * be put into words of WSGI.
 */
int application_call(struct call *call, int *status_out) __attribute__((warn_unused_result));

/* One call without a client for each of the warm-ups. 0, or -1 after zy_load_error. */
int application_warm_up(const struct zy_load *load, const struct settings *settings)
	__attribute__((warn_unused_result));

#endif
