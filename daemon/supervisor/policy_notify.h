/*
 * Calls that wait for an answer from outside their filter: the kernel's side of `sandbox = "log"`,
 * seccomp_unotify(2).
 */
#ifndef ZYGOTED_SUPERVISOR_POLICY_NOTIFY_H
#define ZYGOTED_SUPERVISOR_POLICY_NOTIFY_H

#include <stdint.h>

struct policy_call {
	uint64_t id; /* for the answer */
	int number;
	int pid; /* as we see it */
	uint64_t args[6];
};

/*
 * Whether a filter with a listener can be loaded here: 0, or the errno that a short-lived process
 * met which tried. EBUSY: the daemon itself runs under such a filter. Blocks for its milliseconds;
 * at start only.
 */
int policy_notify_probe(void) __attribute__((warn_unused_result));

/*
 * Takes the next call that waits, never blocking. 1: it is in *out and has to be answered. 0: none
 * waits. -1: none will come any more, because no process with that filter is left.
 */
int policy_notify_take(int fd, struct policy_call *out) __attribute__((warn_unused_result));

/* Lets the call be carried out. 0, also when its process died meanwhile; -1 with errno. */
int policy_notify_continue(int fd, uint64_t id) __attribute__((warn_unused_result));

#endif
