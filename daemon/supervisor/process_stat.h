/*
 * What a process uses, from /proc/PID/stat: reading it takes no lock that a fork waits for.
 */
#ifndef ZYGOTED_SUPERVISOR_PROCESS_STAT_H
#define ZYGOTED_SUPERVISOR_PROCESS_STAT_H

#include <stdint.h>
#include <sys/types.h>

struct process_stat {
	uint64_t cpu_us; /* user and system; not that of its children */
	uint64_t virtual_bytes;
	uint64_t resident_bytes;
};

/* Adds the process's figures to `sums`; nothing when it is gone. */
void process_stat_add(pid_t pid, struct process_stat *sums);

#endif
