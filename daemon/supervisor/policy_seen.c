/*
 * Sorts calls into kinds and counts them. Pure.
 *
 * Runs in: supervisor. The numbers and arguments are those of children, who may make up any: what
 * they can fill is bounded, and nothing of it is followed.
 */
#include "supervisor/policy_seen.h"

#include "supervisor/policy.h"

#include <stdio.h>
#include <string.h>

#define ARG(i) (1u << (i))

/* Arguments that tell the kind, for calls that no row tests. */
static const struct {
	const char *call;
	unsigned tested;
} operations[] = {
	{ "arch_prctl", ARG(0) },
	{ "bpf", ARG(0) },
	{ "clone", ARG(0) },
	{ "epoll_create1", ARG(0) },
	{ "eventfd2", ARG(1) },
	{ "flock", ARG(1) },
	{ "getpriority", ARG(0) },
	{ "getrlimit", ARG(0) },
	{ "getrusage", ARG(0) },
	{ "getsockopt", ARG(1) | ARG(2) },
	{ "inotify_init1", ARG(0) },
	{ "keyctl", ARG(0) },
	{ "kill", ARG(1) },
	{ "memfd_create", ARG(1) },
	{ "msync", ARG(2) },
	{ "personality", ARG(0) },
	{ "pipe2", ARG(1) },
	{ "ptrace", ARG(0) },
	{ "seccomp", ARG(0) },
	{ "setrlimit", ARG(0) },
	{ "setsockopt", ARG(1) | ARG(2) },
	{ "signalfd4", ARG(3) },
	{ "socket", ARG(0) | ARG(1) | ARG(2) },
	{ "socketpair", ARG(0) | ARG(1) | ARG(2) },
	{ "timerfd_create", ARG(0) | ARG(1) },
	{ "unshare", ARG(0) },
};

/* At most POLICY_ARGS_MAX of them, so that a row can say it. */
static unsigned
tested_args(const char *call)
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);
	unsigned tested = 0;

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(operations[i].call, call) == 0)
			tested |= operations[i].tested;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].call, call) != 0)
			continue;
		for (int a = 0; a < POLICY_ARGS_MAX && rows[i].args[a].test != POLICY_ANY; a++)
			tested |= ARG(rows[i].args[a].index);
	}
	while (__builtin_popcount(tested) > POLICY_ARGS_MAX)
		tested &= tested - 1;
	return tested;
}

static int
is_same_kind(const struct policy_sighting *sighting, int number, const uint64_t args[6])
{
	if (sighting->number != number)
		return 0;
	for (int i = 0; i < 6; i++)
		if ((sighting->tested & ARG(i)) != 0 &&
		    (uint32_t)sighting->args[i] != (uint32_t)args[i])
			return 0;
	return 1;
}

const struct policy_sighting *
policy_seen_add(struct policy_seen *seen, const char *call, int number, const uint64_t args[6],
		int pid)
{
	for (unsigned i = 0; i < seen->count; i++)
		if (is_same_kind(&seen->sightings[i], number, args)) {
			seen->sightings[i].count++;
			return NULL;
		}
	if (seen->count == POLICY_SEEN_MAX) {
		seen->beyond++;
		return NULL;
	}
	struct policy_sighting *sighting = &seen->sightings[seen->count++];
	*sighting = (struct policy_sighting){
		.number = number, .tested = tested_args(call), .pid = pid, .count = 1
	};
	snprintf(sighting->call, sizeof(sighting->call), "%s", call);
	memcpy(sighting->args, args, sizeof(sighting->args));
	return sighting;
}

char *
policy_seen_format_args(const struct policy_sighting *sighting, char *out, size_t size)
{
	const uint64_t *args = sighting->args;

	snprintf(out, size, "0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx",
		 (unsigned long long)args[0], (unsigned long long)args[1],
		 (unsigned long long)args[2], (unsigned long long)args[3],
		 (unsigned long long)args[4], (unsigned long long)args[5]);
	return out;
}

char *
policy_seen_format_row(const struct policy_sighting *sighting, const char *profile, char *out,
		       size_t size)
{
	char tests[160] = "";
	size_t used = 0;

	for (unsigned i = 0; i < 6; i++)
		if ((sighting->tested & ARG(i)) != 0)
			used += (size_t)snprintf(tests + used, sizeof(tests) - used,
						 "%sEQ(%u, 0x%x)", used == 0 ? ", ARGS(" : ", ", i,
						 (uint32_t)sighting->args[i]);
	snprintf(out, size, "{ \"%s\", ALLOW%s%s, .profile = \"%s\", .reason = \"...\" },",
		 sighting->call, tests, used > 0 ? ")" : "", profile);
	return out;
}
