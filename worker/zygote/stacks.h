/*
 * Two stacks: one for the zygote's loop, which children do not inherit, and one for each child, fresh.
 */
#ifndef ZYGOTED_ZYGOTE_STACKS_H
#define ZYGOTED_ZYGOTE_STACKS_H

#include <stddef.h>

struct children;

/*
 * Makes the children's stack, and empties the process's first one below the caller's frame. Returns where a child's stack begins
 * and grows down from; the `bytes` above it are zero and the child's too. NULL with errno.
 */
void *stacks_prepare(size_t bytes) __attribute__((warn_unused_result));

/* Makes the loop's stack: each zygote of a generation makes its own. 0, or -1 with errno. */
int stacks_open_loop(void) __attribute__((warn_unused_result));

/* Calls run(children) on the loop's stack. What is on the first one is only to be read from there on. */
_Noreturn void stacks_run(void (*run)(struct children *), struct children *children);

#endif
