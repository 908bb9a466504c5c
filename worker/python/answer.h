/*
 * The answer of an application: start_response, write, and the blocks that it returns.
 */
#ifndef ZYGOTED_PYTHON_ANSWER_H
#define ZYGOTED_PYTHON_ANSWER_H

#include <Python.h>

#include "call.h"

/* Makes the type. 0, -1 with an exception. */
int answer_prepare(void) __attribute__((warn_unused_result));

/* What an application gets as start_response: a new reference, NULL with an exception. `call` must outlive it. */
PyObject *answer_new(struct call *call);

/*
 * Sends what the application has returned. Takes over the reference to `blocks`, whose close() is called in any case. 0 when the answer is
 * complete, -1 with an exception.
 */
int answer_send(PyObject *answer, PyObject *blocks) __attribute__((warn_unused_result));

/* The status that start_response was given last; 0: none. */
int answer_status(PyObject *answer);

#endif
