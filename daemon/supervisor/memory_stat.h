/*
 * What /proc/PID/stat says of a process's memory. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_MEMORY_STAT_H
#define ZYGOTED_SUPERVISOR_MEMORY_STAT_H

#include <stdint.h>

struct memory_stat {
	char state;	   /* a letter: R running, S asleep, ... */
	uint64_t faults;   /* minor and major, of this process alone */
	uint64_t started;  /* tells two processes with one pid apart */
	uint64_t resident; /* pages */
	uint64_t
		cpu_ticks; /* user and system, of this process alone: sysconf(_SC_CLK_TCK) a second */
	uint64_t virtual_bytes;
};

/* Reads the file's text (NUL-terminated). 0, or -1 when it is malformed. */
int memory_stat_parse(const char *text, struct memory_stat *stat_out)
	__attribute__((warn_unused_result));

/*
 * Reads the text of /proc/PID/statm: pages that are in memory and are no file's. What a process has added is among them,
 * what it maps of a frozen image is not. 0, or -1 when it is malformed.
 */
int memory_stat_parse_anonymous(const char *statm, uint64_t *pages_out)
	__attribute__((warn_unused_result));

#endif
