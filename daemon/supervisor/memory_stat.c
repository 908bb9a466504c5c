/*
 * Takes /proc/PID/stat and statm apart. Pure.
 *
 * Runs in: supervisor. The command in it is the process's own choice and may hold anything: fields
 * are counted from its last parenthesis on.
 */
#include "supervisor/memory_stat.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of fields in proc_pid_stat(5). */
enum {
	STAT_STATE = 3,
	STAT_MINFLT = 10,
	STAT_MAJFLT = 12,
	STAT_UTIME = 14,
	STAT_STIME,
	STAT_STARTTIME = 22,
	STAT_VSIZE,
	STAT_RSS
};

int
memory_stat_parse(const char *text, struct memory_stat *stat_out)
{
	uint64_t fields[STAT_RSS + 1] = { 0 };
	const char *at = strrchr(text, ')');

	if (at == NULL || at[1] != ' ' || at[2] == '\0')
		return -1;
	stat_out->state = at[2];
	at += 3;
	for (int i = STAT_STATE + 1; i <= STAT_RSS; i++) {
		char *end;
		fields[i] = strtoull(at, &end, 10);
		if (end == at)
			return -1;
		at = end;
	}
	stat_out->faults = fields[STAT_MINFLT] + fields[STAT_MAJFLT];
	stat_out->started = fields[STAT_STARTTIME];
	stat_out->resident = fields[STAT_RSS];
	stat_out->cpu_ticks = fields[STAT_UTIME] + fields[STAT_STIME];
	stat_out->virtual_bytes = fields[STAT_VSIZE];
	return 0;
}

/* Its first three fields: pages mapped, resident, and of these a file's; proc_pid_statm(5). */
int
memory_stat_parse_anonymous(const char *statm, uint64_t *pages_out)
{
	uint64_t fields[3];

	for (int i = 0; i < 3; i++) {
		char *end;
		fields[i] = strtoull(statm, &end, 10);
		if (end == statm)
			return -1;
		statm = end;
	}
	*pages_out = fields[1] > fields[2] ? fields[1] - fields[2] : 0;
	return 0;
}
