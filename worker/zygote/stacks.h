/*
 * Two stacks: one for the zygote's loop, which children do not inherit, and one for each child, fresh.
 */
#ifndef ZYGOTED_ZYGOTE_STACKS_H
#define ZYGOTED_ZYGOTE_STACKS_H

struct children;

/*
 * Makes the loop's stack and empties the process's own stack below the caller's frame; *top_out is where a child's
 * begins. 0, or -1 with errno.
 */
int stacks_prepare(void **top_out) __attribute__((warn_unused_result));

/* Calls run(children) on the loop's stack. */
_Noreturn void stacks_run(void (*run)(struct children *), struct children *children);

#endif
