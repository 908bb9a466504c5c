/*
 * Reads this process's own mappings, without touching the heap.
 */
#ifndef ZYGOTED_ZYGOTE_MAPS_WALK_H
#define ZYGOTED_ZYGOTE_MAPS_WALK_H

#include "maps.h"

#define MAPS_TEXT_BYTES                                                                            \
	20480 /* longer than any line: a path has up to 4096 bytes, each up to 4 as it is printed */

/*
 * Calls visit(context, entry) for each mapping that /proc/self/smaps, open as `fd`, lists, with `text` of MAPS_TEXT_BYTES to
 * read into. 0; -1 with errno, EPROTO when a line is not understood.
 */
int maps_walk(int fd, char *text, void (*visit)(void *context, const struct maps_entry *entry),
	      void *context) __attribute__((warn_unused_result));

#endif
