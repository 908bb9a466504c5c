/*
 * What the policy table says of a profile and of a call. Pure lookups.
 *
 * Runs in: supervisor. Profiles of pools stand on each other in one line, so that a later one can
 * do what the earlier ones can, and what an earlier one lets pass cannot be taken back.
 */
#include "supervisor/policy.h"

#include <string.h>

#define PROFILE_FILES	   1
#define PROFILE_FILES_EXEC 2
#define PROFILE_EXEC	   3

/* Each holds those before it. */
static const char *const pool_profiles[] = {
	"compute",
	[PROFILE_FILES] = "files",
	[PROFILE_FILES_EXEC] = "files-exec",
	[PROFILE_EXEC] = "exec",
};

#define PROFILES (sizeof(pool_profiles) / sizeof(pool_profiles[0]))

const char *
policy_pool_profile(unsigned index)
{
	return index < PROFILES ? pool_profiles[index] : NULL;
}

/* -1: not a pool's. */
static int
index_of(const char *profile)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (strcmp(pool_profiles[i], profile) == 0)
			return (int)i;
	return -1;
}

bool
policy_is_profile(const char *name)
{
	return index_of(name) >= 0 || strcmp(name, "front") == 0;
}

bool
policy_reads_files(const char *profile)
{
	return index_of(profile) >= PROFILE_FILES;
}

bool
policy_loads_code(const char *profile)
{
	return index_of(profile) >= PROFILE_FILES_EXEC;
}

bool
policy_runs_programs(const char *profile)
{
	return index_of(profile) >= PROFILE_EXEC;
}

/* Whether a profile after `own`, up to `wanted`, has rows for the call. */
static bool
is_replaced(const char *call, int own, int wanted)
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	for (size_t i = 0; i < count; i++) {
		const int index = index_of(rows[i].profile);
		if (index > own && index <= wanted && strcmp(rows[i].call, call) == 0)
			return true;
	}
	return false;
}

bool
policy_row_is_in(const struct policy_row *row, const char *profile)
{
	const int wanted = index_of(profile);
	const int own = index_of(row->profile);

	if (wanted < 0)
		return strcmp(row->profile, profile) == 0;
	if (own < 0)
		return strcmp(row->profile, "zygote") == 0;
	if (own > wanted)
		return false;
	return row->action == POLICY_ALLOW || !is_replaced(row->call, own, wanted);
}

static bool
is_passed(const struct policy_arg *arg, uint32_t value)
{
	switch (arg->test) {
	case POLICY_EQ:
		return value == arg->value;
	case POLICY_MASKED_EQ:
		return (value & arg->mask) == arg->value;
	case POLICY_MASKED_NE:
		return (value & arg->mask) != arg->value;
	case POLICY_IN_RANGE:
		return value >= arg->mask && value <= arg->value;
	default:
		return true;
	}
}

bool
policy_row_matches(const struct policy_row *row, const uint64_t args[6])
{
	for (int i = 0; i < POLICY_ARGS_MAX && row->args[i].test != POLICY_ANY; i++)
		if (!is_passed(&row->args[i], (uint32_t)args[row->args[i].index]))
			return false;
	return true;
}
