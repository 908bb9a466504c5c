/*
 * Mappings of a process as /proc/PID/smaps lists them. Pure.
 */
#ifndef ZYGOTED_ZYGOTE_MAPS_H
#define ZYGOTED_ZYGOTE_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#define MAPS_NAME_MAX 32 /* as much of a name as anybody here asks for, with the final NUL */

/* What a mapping was made or advised to be that a mapping of a file would not be. */
enum maps_flag {
	MAPS_SHARED = 1 << 0,
	MAPS_NO_FORK = 1 << 1, /* MADV_DONTFORK: of the zygote alone */
	MAPS_WIPED = 1 << 2,   /* MADV_WIPEONFORK: empty in a child */
	MAPS_LOCKED = 1 << 3,  /* mlock */
	MAPS_STACK = 1 << 4,   /* MAP_GROWSDOWN, or a shadow stack */
	MAPS_SPECIAL = 1 << 5, /* a device's, of huge pages, watched by userfaultfd */
	MAPS_IMMOVABLE =
		1 << 6,	    /* mseal, or a protection key, which a new mapping would not have */
	MAPS_HUGE = 1 << 7, /* MADV_HUGEPAGE */
};

struct maps_entry {
	uint64_t start;
	uint64_t end;
	int prot;		  /* PROT_READ | ... */
	unsigned flags;		  /* of enum maps_flag */
	uint64_t inode;		  /* 0: of no file */
	uint64_t anonymous_bytes; /* that are in memory or in swap and are no page of a file */
	char name[MAPS_NAME_MAX]; /* path, "[heap]", or "" */
};

enum maps_line { MAPS_LINE_BAD, MAPS_LINE_ENTRY, MAPS_LINE_DETAIL };

/*
 * Reads a line without its newline. One that begins a mapping (MAPS_LINE_ENTRY) sets all of *entry, one about a mapping
 * (MAPS_LINE_DETAIL) adds to it. MAPS_LINE_BAD when it is neither; then *entry is as it was.
 */
enum maps_line maps_parse_line(const char *line, struct maps_entry *entry)
	__attribute__((warn_unused_result));

#endif
