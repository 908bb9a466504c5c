/*
 * The process beside a child in which a program is executed, in pools whose profile runs programs.
 */
#ifndef ZYGOTED_ZYGOTE_PROGRAM_H
#define ZYGOTED_ZYGOTE_PROGRAM_H

#include <sys/types.h>

/*
 * Forks it, as the last process that this child can fork: the caller sets RLIMIT_NPROC to 0 in both. The child gets the descriptors of
 * enum program_fd; in the other process 0 and 1 are their other ends, and the channel is closed. Returns its pid, 0 in it, or -1.
 */
pid_t program_fork(void) __attribute__((warn_unused_result));

/* In that process, when it is confined: waits for what zy_program_start sends, and becomes the program. */
_Noreturn void program_become(void);

#endif
