/*
 * What children may read: the pool's read_paths, opened.
 */
#ifndef ZYGOTED_ZYGOTE_READ_PATHS_H
#define ZYGOTED_ZYGOTE_READ_PATHS_H

#include "base/heritage.h"

#include <stdbool.h>
#include <stddef.h>

struct read_path {
	const char *name; /* absolute; lives in the heritage */
	int fd;		  /* O_PATH */
	bool is_directory;
};

struct read_paths {
	size_t count;
	struct read_path paths[HERITAGE_READ_PATHS_COUNT];
};

/*
 * Opens them, none for a profile without files. Ends the zygote with ZY_EXIT_LOAD and the name of a
 * path that is not there, or is nothing to read.
 */
void read_paths_open(const struct heritage_zygote *heritage, struct read_paths *out);

void read_paths_close(struct read_paths *paths);

#endif
