/*
 * Steps by which a process gives up abilities for good, for the processes that do so themselves.
 */
#ifndef ZYGOTED_BASE_CONFINE_H
#define ZYGOTED_BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/* PR_SET_NO_NEW_PRIVS. 0 or errno. */
int confine_no_new_privs(void) __attribute__((warn_unused_result));

/*
 * A Landlock domain with every right that this kernel knows (files, TCP bind and connect, abstract
 * sockets and signals beyond the domain) handled. None is granted but that to read the files which
 * `fds` (O_PATH will do; they stay the caller's) stand for, and what is below the directories among
 * them, or, if `executes`, to execute them as well. Needs no_new_privs. 0 or errno: ENOSYS or
 * EOPNOTSUPP when the kernel has none.
 */
int confine_landlock(const int *fds, size_t count, bool executes)
	__attribute__((warn_unused_result));

/*
 * Loads the BPF program (an array of struct sock_filter) in the memfd `fd`, which it closes, on the
 * calling thread. Needs no_new_privs. With listener_fd_out calls can be answered from outside: it
 * gets a descriptor (close-on-exec, the caller's), seccomp_unotify(2). 0 or errno.
 */
int confine_filter(int fd, int *listener_fd_out) __attribute__((warn_unused_result));

#endif
