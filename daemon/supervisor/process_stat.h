/*
 * What a process uses, from /proc/PID/stat: reading it takes no lock that a fork waits for.
 */
#ifndef ZYGOTED_SUPERVISOR_PROCESS_STAT_H
#define ZYGOTED_SUPERVISOR_PROCESS_STAT_H

#include <stdint.h>
#include <sys/types.h>

struct memory_stat;

struct process_stat {
	uint64_t cpu_us; /* user and system; not that of its children */
	uint64_t virtual_bytes;
	uint64_t resident_bytes;
};

/* What the kernel says of it. 0, or -1 when it is gone. */
int process_stat_read(pid_t pid, struct memory_stat *out) __attribute__((warn_unused_result));

/* Adds the process's figures to `sums`; nothing when it is gone. */
void process_stat_add(pid_t pid, struct process_stat *sums);

#endif
