/*
 * Threads of the own process other than the caller's.
 */
#ifndef ZYGOTED_ZYGOTE_THREADS_H
#define ZYGOTED_ZYGOTE_THREADS_H

#include <stddef.h>

/*
 * How many there are; their names, each after a space, go to `names_out` as far as they fit. -1
 * with errno when /proc cannot be read.
 */
int threads_list(char *names_out, size_t size) __attribute__((warn_unused_result));

#endif
