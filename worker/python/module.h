/*
 * The module `zygoted` that applications may import.
 */
#ifndef ZYGOTED_PYTHON_MODULE_H
#define ZYGOTED_PYTHON_MODULE_H

#include <Python.h>

#include "worker.h"

/* Before the interpreter starts. 0, -1 when there is no memory. */
int module_register(const char *pool) __attribute__((warn_unused_result));

/* In a child: what the functions tell of. NULL: no request yet. */
void module_set_request(const struct zy_request *request);

/* In a child: calls what on_child_start was given, in that order. 0, -1 with an exception. */
int module_run_hooks(void) __attribute__((warn_unused_result));

#endif
