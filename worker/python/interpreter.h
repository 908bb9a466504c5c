/*
 * The embedded interpreter: started in the zygote, and made ready for forks.
 */
#ifndef ZYGOTED_PYTHON_INTERPRETER_H
#define ZYGOTED_PYTHON_INTERPRETER_H

#include "settings.h"

/* Starts it, with the paths of the settings. 0, or -1 after zy_load_error. */
int interpreter_start(const struct zy_load *load, const struct settings *settings)
	__attribute__((warn_unused_result));

/*
 * After the last line of Python that the zygote runs: nothing may touch a Python object afterwards but children.
 * 0, -1 with an exception.
 */
int interpreter_prepare_fork(void) __attribute__((warn_unused_result));

#endif
