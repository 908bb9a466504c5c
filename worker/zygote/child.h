/*
 * A child: forked from the zygote, locked down, parked, and ended after its one request.
 */
#ifndef ZYGOTED_ZYGOTE_CHILD_H
#define ZYGOTED_ZYGOTE_CHILD_H

#include <stdint.h>
#include <sys/types.h>

struct prefault_table;
struct zy_request;
struct zy_worker;

/* What every child needs to know. Filled in before the lock-down and only read afterwards, so its
 * page stays shared. */
struct child_plan {
	const struct zy_worker *worker;
	void *state;
	struct zy_request *request; /* a child's; its stack is below: see stacks_prepare */
	const struct prefault_table *prefault; /* touched before it parks; NULL: nothing */
	pid_t zygote_pid;		       /* as getppid tells it */
	uint32_t cpu_seconds;		       /* 0: no limit */
	uint32_t open_files;   /* besides those that it starts with; 0: it can open none */
	uint32_t runs_program; /* 1: it gets a process for one beside itself */
};

/*
 * Forks a child that takes `socket_fd` as its channel and `log_fd` as its output; both stay the
 * caller's here. With socket_fd -1 the child starts, parks for ever and serves nothing: a probe.
 * Returns its pid and pidfd, -1 with errno.
 */
pid_t child_fork(const struct child_plan *plan, int socket_fd, int log_fd, int *pidfd_out)
	__attribute__((warn_unused_result));

#endif
