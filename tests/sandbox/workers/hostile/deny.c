/*
 * A filter of the test's own, under the daemon's: calls that are to fail. It is loaded at the end
 * of load(), so it meets the zygote's lock-down and its children's, and nothing earlier.
 *
 * Runs in: the zygote, during load. A filter, and not a library in between, because it also holds
 * for the bare calls that the zygote makes.
 */
#include "hostile.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STEPS_PER_RULE 5
#define RULES_MAX      32

struct rule {
	unsigned number;
	unsigned index;
	unsigned value;
	int has_argument;
};

static int
parse(const char *text, struct rule *out)
{
	char *end;

	*out = (struct rule){ .number = (unsigned)strtoul(text, &end, 0) };
	if (*end == '\0')
		return end != text ? 0 : -1;
	if (*end != ':')
		return -1;
	out->has_argument = 1;
	out->index = (unsigned)strtoul(end + 1, &end, 0);
	if (*end != '=' || out->index > 5)
		return -1;
	out->value = (unsigned)strtoul(end + 1, &end, 0);
	return *end == '\0' ? 0 : -1;
}

/* Appends a rule: on a match fail, else go on behind it. */
static unsigned
add_rule(struct sock_filter *steps, const struct rule *rule)
{
	const unsigned argument =
		(unsigned)offsetof(struct seccomp_data, args) + rule->index * 8; /* its low half */
	struct sock_filter *at = steps;

	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr));
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->number, 0,
					     rule->has_argument ? 3 : 1);
	if (rule->has_argument) {
		*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument);
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->value, 0, 1);
	}
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	return (unsigned)(at - steps);
}

int
deny_load(const struct zy_load *load)
{
	struct sock_filter steps[RULES_MAX * STEPS_PER_RULE + 1];
	struct sock_fprog program = { .filter = steps };
	const char *text;
	unsigned length = 0;

	for (size_t i = 0; i < RULES_MAX && (text = zy_option(load, "deny", i)) != NULL; i++) {
		struct rule rule;
		if (parse(text, &rule) < 0)
			return zy_load_error(load, "not understood: %s", text);
		length += add_rule(steps + length, &rule);
	}
	if (length == 0)
		return 0;
	steps[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)length;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &program) < 0)
		return zy_load_error(load, "filter of the test: %s", strerror(errno));
	return 0;
}
