/*
 * Reads figures in kB from files like /proc/self/status and smaps_rollup.
 *
 * Runs in: zygote, before its lock-down.
 */
#include "figures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
has_key(const char *line, const char *const keys[])
{
	for (size_t i = 0; keys[i] != NULL; i++)
		if (strncmp(line, keys[i], strlen(keys[i])) == 0)
			return 1;
	return 0;
}

int
figures_read(const char *path, const char *const keys[], uint64_t *bytes_out)
{
	FILE *file = fopen(path, "re");
	char line[256];
	int found = 0;

	if (file == NULL)
		return -1;
	*bytes_out = 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *colon = strchr(line, ':');
		if (colon == NULL || !has_key(line, keys))
			continue;
		*bytes_out += strtoull(colon + 1, NULL, 10) * 1024;
		found = 1;
	}
	fclose(file);
	if (!found)
		errno = ENOENT;
	return found ? 0 : -1;
}
