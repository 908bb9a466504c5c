/*
 * What Python code wants done around a fork: os.register_at_fork, and the generators of random numbers.
 */
#ifndef ZYGOTED_PYTHON_FORKS_H
#define ZYGOTED_PYTHON_FORKS_H

#include <Python.h>

/* Before any module is imported that could register something: puts a function of ours in the place of os.register_at_fork. 0, -1 with an exception. */
int forks_prepare(void) __attribute__((warn_unused_result));

/* In the zygote, as its last Python: calls what was registered as `before`, latest first. 0, -1 with an exception. */
int forks_before(void) __attribute__((warn_unused_result));

/*
 * In a child: other seeds than its siblings', then what was registered as `after_in_child`. 0, -1 with an exception.
 */
int forks_after_in_child(void) __attribute__((warn_unused_result));

#endif
