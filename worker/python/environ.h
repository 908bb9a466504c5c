/*
 * The dictionary that an application is called with.
 */
#ifndef ZYGOTED_PYTHON_ENVIRON_H
#define ZYGOTED_PYTHON_ENVIRON_H

#include <Python.h>

#include "call.h"

/* What is the same for all requests. `script_name` lives as long as the process. 0, -1 with an exception. */
int environ_prepare(const char *script_name) __attribute__((warn_unused_result));

/*
 * A new dictionary for the call. NULL with an exception; NULL without one when the path cannot be decoded, which deserves
 * a 400.
 */
PyObject *environ_new(struct call *call);

#endif
