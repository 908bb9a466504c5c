/*
 * wsgi.input: the request's body as a file to read from.
 */
#ifndef ZYGOTED_PYTHON_INPUT_H
#define ZYGOTED_PYTHON_INPUT_H

#include <Python.h>

#include "call.h"

/* Makes the type. 0, -1 with an exception. */
int input_prepare(void) __attribute__((warn_unused_result));

/* A new reference, NULL with an exception. `call` must outlive it. */
PyObject *input_new(struct call *call);

#endif
