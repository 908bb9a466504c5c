/*
 * The calls that a pool's children made outside their profile, each kind counted: a table that
 * cannot grow. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_POLICY_SEEN_H
#define ZYGOTED_SUPERVISOR_POLICY_SEEN_H

#include <stddef.h>
#include <stdint.h>

#define POLICY_SEEN_MAX	    64 /* kinds of calls per pool */
#define POLICY_ROW_TEXT_MAX 320

/*
 * A kind of call: its number, and those arguments that policies are written about, such as the
 * operation of fcntl or the family of socket.
 */
struct policy_sighting {
	char call[32];	  /* "?" when it has no name here */
	int number;	  /* on x86-64 */
	unsigned tested;  /* bit i: args[i] belongs to the kind, its low 32 bits */
	int pid;	  /* who made it first, as we see it */
	uint64_t args[6]; /* the first time */
	uint64_t count;
};

struct policy_seen {
	unsigned count;
	uint64_t beyond; /* calls of kinds for which there was no room */
	struct policy_sighting sightings[POLICY_SEEN_MAX];
};

/* Counts a call. Returns its kind when it is the first one of it, else NULL. */
const struct policy_sighting *policy_seen_add(struct policy_seen *seen, const char *call,
					      int number, const uint64_t args[6], int pid);

/* "0x2, 0x80001, 0x0, ..." Returns out, as does the next. */
char *policy_seen_format_args(const struct policy_sighting *sighting, char *out, size_t size);

/* The row that would allow this kind in a profile, as it would stand in the table. */
char *policy_seen_format_row(const struct policy_sighting *sighting, const char *profile, char *out,
			     size_t size);

#endif
