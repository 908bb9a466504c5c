/*
 * Figures of the daemon's own processes.
 *
 * Runs in: supervisor, for the metrics.
 */
#include "supervisor/process_stat.h"

#include <stdio.h>
#include <unistd.h>

#include "supervisor/memory_stat.h"
#include "supervisor/procfs.h"

#define STAT_BYTES 2048

int
process_stat_read(pid_t pid, struct memory_stat *out)
{
	char path[64];
	char text[STAT_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pid <= 0 || procfs_read(path, text, sizeof(text)) < 0)
		return -1;
	return memory_stat_parse(text, out);
}

void
process_stat_add(pid_t pid, struct process_stat *sums)
{
	const uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	struct memory_stat stat;

	if (process_stat_read(pid, &stat) < 0)
		return;
	sums->cpu_us += stat.cpu_ticks * (1000000 / ticks);
	sums->virtual_bytes += stat.virtual_bytes;
	sums->resident_bytes += stat.resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
