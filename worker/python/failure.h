/*
 * Exceptions and faults, told to the log.
 */
#ifndef ZYGOTED_PYTHON_FAILURE_H
#define ZYGOTED_PYTHON_FAILURE_H

#include <Python.h>

#include "worker.h"

/* Prints the pending exception with its traceback to sys.stderr, and clears it. SystemExit is an exception like any other. */
void failure_print(void);

/*
 * Load failed by the pending exception: the traceback goes to the log, "`what`: TypeError: text" to the operator. Returns -1, to
 * be returned from load.
 */
int failure_load(const struct zy_load *load, const char *what);

/* What print() and a logger have left in the buffers of stdout and stderr; a child never gets to flush them later. */
void failure_flush(void);

/* From now on a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL) prints the Python traceback before it kills. 0, -1 with errno. */
int failure_watch_faults(void) __attribute__((warn_unused_result));

#endif
