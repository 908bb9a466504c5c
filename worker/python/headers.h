/*
 * The headers that an application gives to start_response.
 */
#ifndef ZYGOTED_PYTHON_HEADERS_H
#define ZYGOTED_PYTHON_HEADERS_H

#include <Python.h>

#include "call.h"

/* A list of pairs of str, or an exception: the application may change its own afterwards. A new reference. */
PyObject *headers_copy(PyObject *headers);

/*
 * Adds them to the answer, but for those that are the front's; Content-Length goes to *length_out, which stays as it is without one. 0, -1
 * with an exception.
 */
int headers_send(PyObject *headers, struct call *call, uint64_t *length_out)
	__attribute__((warn_unused_result));

#endif
