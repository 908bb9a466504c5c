/*
 * What the zygote reads about its own memory, while it still can see /proc.
 */
#ifndef ZYGOTED_ZYGOTE_FIGURES_H
#define ZYGOTED_ZYGOTE_FIGURES_H

#include <stdint.h>

/*
 * Sums the lines of a /proc file that start with one of the NULL-terminated `keys` and give kB, in
 * bytes. 0, or -1 with errno (ENOENT: no such line).
 */
int figures_read(const char *path, const char *const keys[], uint64_t *bytes_out)
	__attribute__((warn_unused_result));

#endif
