/*
 * Reading what /proc says about zygotes and children.
 */
#ifndef ZYGOTED_SUPERVISOR_PROCFS_H
#define ZYGOTED_SUPERVISOR_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads a whole file, NUL-terminated. Its length, or -1 with errno; EFBIG when it does not fit.
 * Files of /proc do not block, but large ones take the kernel its time.
 */
ssize_t procfs_read(const char *path, char *buffer, size_t size)
	__attribute__((warn_unused_result));

/* The process behind a pidfd as our /proc counts it; -1 with errno, ESRCH when it is gone. */
pid_t procfs_pidfd_pid(int pidfd);

/* The last number of the line "NSpid:" in the text of a status file: the pid in the innermost
 * namespace; -1 if none. */
pid_t procfs_parse_inner_pid(const char *status);

/* What a line "NAME   123 kB" of a status or meminfo file's text says; `name` with its colon. 0, or
 * -1 with no such line. */
int procfs_parse_bytes(const char *text, const char *name, uint64_t *bytes_out)
	__attribute__((warn_unused_result));
/* MemAvailable of this machine. 0, or -1 when it is not there. */
int procfs_available_bytes(uint64_t *bytes_out) __attribute__((warn_unused_result));

/* The children of zygotes in one pid namespace: their pids in its namespace, and in ours. */
struct procfs_children {
	unsigned count;
	struct procfs_child {
		pid_t inner;
		pid_t outer;
	} * pids;
};

/*
 * Adds the children of one zygote to a list, which starts as zeros. 0, or -1 with errno and the list as it was. To be freed with
 * procfs_children_free either way.
 */
int procfs_children_add(pid_t zygote, struct procfs_children *list);
/* Whether the process sleeps. False when it is gone, too. */
bool procfs_is_asleep(pid_t pid);

/* How many there are just now. 0, or -1. */
int procfs_children_count(pid_t zygote, uint32_t *count_out) __attribute__((warn_unused_result));
void procfs_children_free(struct procfs_children *children);

/*
 * The outer pid of the child with that inner one; the inner one itself when it is not in the list.
 */
pid_t procfs_children_outer(const struct procfs_children *children, pid_t inner);

#endif
