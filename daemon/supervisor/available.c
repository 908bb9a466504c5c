/*
 * Memory that can still be had: MemAvailable of the machine (proc(5)), and memory.max of each
 * control group above us (cgroup-v2, "Memory Interface Files").
 *
 * What a group uses counts the cache of files that were read once, and the kernel drops that before it refuses memory.
 *
 * Runs in: supervisor. What cannot be read is no bound: a daemon in a container without these files
 * is not to refuse reloads.
 */
#include "supervisor/available.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/procfs.h"

#define PATH_BYTES 512
#define STAT_BYTES 16384
#define DROPPABLE  "\ninactive_file "

uint64_t
available_in_group(const char *max, const char *current, const char *stat)
{
	char *end;
	const uint64_t bound = strtoull(max, &end, 10);
	const uint64_t all = strtoull(current, NULL, 10);
	const char *line = strstr(stat, DROPPABLE);
	const uint64_t cache = line != NULL ? strtoull(line + strlen(DROPPABLE), NULL, 10) : 0;
	const uint64_t used = all > cache ? all - cache : 0;

	if (end == max)
		return UINT64_MAX;
	return bound > used ? bound - used : 0;
}

static int
read_group_file(const char *group, const char *name, char *text, size_t size)
{
	char path[PATH_BYTES + 64];

	const int length = snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", group, name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -1; /* cut, it would name another file */
	return procfs_read(path, text, size) > 0 ? 0 : -1;
}

static uint64_t
group_bytes(const char *group)
{
	char max[64], current[64], stat[STAT_BYTES];

	if (read_group_file(group, "memory.max", max, sizeof(max)) < 0 ||
	    read_group_file(group, "memory.current", current, sizeof(current)) < 0)
		return UINT64_MAX;
	if (read_group_file(group, "memory.stat", stat, sizeof(stat)) < 0)
		stat[0] = '\0';
	return available_in_group(max, current, stat);
}

/* The group is the line "0::/path" of /proc/self/cgroup: cgroups(7). Each of those above bounds it too. */
static uint64_t
groups_bytes(void)
{
	char text[4096];
	uint64_t least = UINT64_MAX;

	if (procfs_read("/proc/self/cgroup", text, sizeof(text)) <= 0)
		return least;
	char *group = strstr(text, "0::/");
	if (group == NULL || (group != text && group[-1] != '\n'))
		return least;
	group += 3;
	group[strcspn(group, "\n")] = '\0';
	if (strlen(group) >= PATH_BYTES)
		return least;
	while (group[0] != '\0') {
		const uint64_t bytes = group_bytes(group);
		least = bytes < least ? bytes : least;
		*strrchr(group, '/') = '\0';
	}
	return least;
}

int
available_bytes(uint64_t *bytes_out)
{
	const uint64_t group = groups_bytes();
	uint64_t machine = UINT64_MAX;

	if (procfs_available_bytes(&machine) < 0 && group == UINT64_MAX)
		return -1;
	*bytes_out = machine < group ? machine : group;
	return 0;
}
