/*
 * The pages of a process by mapping, from /proc/PID/smaps, for a page_walk.
 */
#ifndef ZYGOTED_SUPERVISOR_SMAPS_PAGES_H
#define ZYGOTED_SUPERVISOR_SMAPS_PAGES_H

#include "supervisor/page_walk.h"

#define SMAPS_PAGES_BYTES 16384 /* of the walk's text: some mappings at a time */

/* Reads on, and adds the pages of the mappings that came. */
enum page_walk_result smaps_pages_step(struct page_walk *walk);

/*
 * Adds the pages of one mapping, whose text (NUL-terminated) smaps has given. 0, or -1 with errno,
 * EPROTO when the text is malformed. Pure.
 */
int smaps_pages_add(struct page_walk *walk, const struct mapping *mapping, const char *text)
	__attribute__((warn_unused_result));

#endif
