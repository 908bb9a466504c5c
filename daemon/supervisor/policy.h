/*
 * What system calls a child, a zygote after its lock-down, and the front may make: one table. The
 * filters, the `zygoted -x policy` listing and the tests are all made from it. Pure data and
 * lookups.
 */
#ifndef ZYGOTED_SUPERVISOR_POLICY_H
#define ZYGOTED_SUPERVISOR_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum policy_action { POLICY_ALLOW, POLICY_ERRNO, POLICY_KILL, POLICY_ACTION_MAX };

/* Comparisons of one argument's low 32 bits. The kernel takes descriptors, flags and operations as
 * such. */
enum policy_test {
	POLICY_ANY,
	POLICY_EQ,
	POLICY_MASKED_EQ,
	POLICY_IN_RANGE,
	POLICY_MASKED_NE,
	POLICY_TEST_MAX
};

#define POLICY_ARGS_MAX 4

struct policy_arg {
	uint8_t index;	/* 0..5 */
	uint8_t test;	/* enum policy_test; POLICY_ANY ends the list */
	uint32_t mask;	/* POLICY_MASKED_EQ: (arg & mask) == value; POLICY_MASKED_NE: != value */
	uint32_t value; /* POLICY_IN_RANGE: mask <= arg <= value */
};

struct policy_row {
	const char *call; /* name of the system call on x86-64 */
	uint8_t action;	  /* enum policy_action */
	uint8_t error;	  /* for POLICY_ERRNO */
	struct policy_arg args[POLICY_ARGS_MAX];
	const char *profile; /* the first that has it: "compute", "files", "front", ... */
	const char *reason;
};

/* All rows, in order: the first one of a profile that matches a call decides; none: kill the
 * process. */
const struct policy_row *policy_rows(size_t *count_out);

/* Profiles that a pool may have, by index; NULL after the last. */
const char *policy_pool_profile(unsigned index);

/* Whether `name` is a profile that a pool may have, or the front's. */
bool policy_is_profile(const char *name);

/* Whether children of a pool with that profile may read files, load code from them, have a program executed. */
bool policy_reads_files(const char *profile);
bool policy_loads_code(const char *profile);
bool policy_runs_programs(const char *profile);

/*
 * Whether the row counts in the filter of `profile`. "files" holds the rows of "compute" too, and
 * "files-exec" those of both, "exec" all of them; but a row that refuses is left out when a later one of these profiles
 * has a row for its call. Pools' filters also hold the rows of "zygote", because children inherit
 * the filter from their zygote.
 */
bool policy_row_is_in(const struct policy_row *row, const char *profile);

/* Whether the arguments of a call pass all tests of the row; the call itself is not looked at. */
bool policy_row_matches(const struct policy_row *row, const uint64_t args[6]);

#endif
