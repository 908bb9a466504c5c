/*
 * Memory that hardly a child needs, out of fork's way.
 */
#ifndef ZYGOTED_ZYGOTE_ASIDE_H
#define ZYGOTED_ZYGOTE_ASIDE_H

#include <stdbool.h>

struct aside;

/*
 * Looks for what is to move: the variables of libraries, but for those that `needed` is among, and, if it is to, the
 * process's first stack. `smaps_fd` is /proc/self/smaps. NULL with errno. What it returns is inherited by siblings.
 */
struct aside *aside_new(int smaps_fd, const void *needed, bool moves_stack)
	__attribute__((warn_unused_result));

/*
 * Moves it to where fork does not look, in this process, which must not run on the first stack, and frees the plan. 0, or an
 * errno: then no child may be forked.
 */
int aside_move(struct aside *aside) __attribute__((warn_unused_result));

#endif
