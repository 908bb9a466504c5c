/*
 * Counts threads by /proc/self/task, which shows those of any library, whatever made them.
 *
 * Runs in: zygote, before its lock-down.
 */
#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
add_name(const char *thread, char *names, size_t size)
{
	char path[64], name[32] = "?";
	size_t used = strlen(names);

	snprintf(path, sizeof(path), "/proc/self/task/%.10s/comm", thread);
	FILE *file = fopen(path, "re");
	if (file != NULL) {
		if (fgets(name, sizeof(name), file) != NULL)
			name[strcspn(name, "\n")] = '\0';
		fclose(file);
	}
	snprintf(names + used, size - used, " %s", name);
}

/* Threads are numbered as /proc's own pid namespace sees them, so the first one is known by
 * /proc/self. */
int
threads_list(char *names_out, size_t size)
{
	char self[32] = "";
	DIR *directory = opendir("/proc/self/task");
	int count = 0;

	names_out[0] = '\0';
	if (directory == NULL)
		return -1;
	if (readlink("/proc/self", self, sizeof(self) - 1) < 0) {
		closedir(directory);
		return -1;
	}
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, self) == 0)
			continue;
		count++;
		add_name(entry->d_name, names_out, size);
	}
	closedir(directory);
	return count;
}
