/*
 * Steps by which a process gives up abilities for good, for the processes that do so themselves.
 */
#ifndef ZYGOTED_BASE_CONFINE_H
#define ZYGOTED_BASE_CONFINE_H

/* PR_SET_NO_NEW_PRIVS. 0 or errno. */
int confine_no_new_privs(void) __attribute__((warn_unused_result));

/*
 * A Landlock domain with every right that this kernel knows (files, TCP bind and connect, abstract
 * sockets and signals beyond the domain) handled and none granted. Needs no_new_privs. 0 or errno:
 * ENOSYS or EOPNOTSUPP when the kernel has none.
 */
int confine_landlock(void) __attribute__((warn_unused_result));

/*
 * Loads the BPF program (an array of struct sock_filter) in the memfd `fd`, which it closes, on the
 * calling thread. Needs no_new_privs. 0 or errno.
 */
int confine_filter(int fd) __attribute__((warn_unused_result));

#endif
