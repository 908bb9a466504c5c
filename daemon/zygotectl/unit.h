/*
 * Numbers with their units, as people read them. Pure.
 */
#ifndef ZYGOTED_ZYGOTECTL_UNIT_H
#define ZYGOTED_ZYGOTECTL_UNIT_H

#include <stddef.h>

enum unit {
	UNIT_TEXT,    /* not a number */
	UNIT_COUNT,   /* 1234 */
	UNIT_BYTES,   /* 1.2 MiB */
	UNIT_US,      /* microseconds: 850 us, 1.2 ms, 3.4 s */
	UNIT_SECONDS, /* 27 ms, 4.2 s, 3m 20s, 5h 01m, 2d 03h */
	UNIT_PERCENT, /* 97.5 % */
	UNIT_MAX
};

#define UNIT_TEXT_MAX 48 /* bytes that unit_format needs at most */

/* Writes the number into `out` and returns it. Not for UNIT_TEXT, which is formatted as a count. */
char *unit_format(enum unit unit, double number, char *out, size_t size);

#endif
