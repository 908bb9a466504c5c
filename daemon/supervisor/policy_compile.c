/*
 * From rows to a BPF program, by libseccomp.
 *
 * Runs in: supervisor, before it starts a zygote or front.
 *
 * Arguments are compared only with SCMP_CMP_MASKED_EQ and masks of 32 bits: libseccomp 2.5.4 merges
 * 64-bit comparisons of one argument wrongly and lets calls pass. A range becomes the few aligned
 * blocks that cover it.
 */
#include "supervisor/policy_compile.h"

#include "base/heritage.h"
#include "supervisor/policy.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM_BYTES_MAX (4096 * 8) /* BPF_MAXINSNS instructions, linux/bpf_common.h */

/*
 * Calls on every child's path, first ones first: libseccomp builds a list in the order of priority.
 * Its binary tree (SCMP_FLTATR_CTL_OPTIMIZE 2) takes 12 to 23 steps for these, the list 8 to 22.
 */
static const char *const hot_calls[] = {
	"read",	 "write", "exit_group",	 "recvmsg",   "sendmsg", "ppoll",     "clone",	"waitid",
	"close", "dup3",  "close_range", "prlimit64", "getppid", "getrandom", "writev", "prctl",
};

static const uint32_t rests[POLICY_REST_MAX] = {
	[POLICY_REST_KILL] = SCMP_ACT_KILL_PROCESS,
	[POLICY_REST_NOTIFY] = SCMP_ACT_NOTIFY,
	[POLICY_REST_LOG] = SCMP_ACT_LOG,
};

static uint32_t
action_of(const struct policy_row *row)
{
	switch (row->action) {
	case POLICY_ALLOW:
		return SCMP_ACT_ALLOW;
	case POLICY_ERRNO:
		return SCMP_ACT_ERRNO(row->error);
	default:
		return SCMP_ACT_KILL_PROCESS;
	}
}

/* The mask of the largest aligned block that starts at `low` and ends at or before `high`. */
static uint32_t
block_mask(uint32_t low, uint32_t high)
{
	uint32_t size_mask = 0;

	while (size_mask != UINT32_MAX) {
		uint32_t wider = size_mask << 1 | 1;
		if ((low & wider) != 0 || wider > high - low)
			break;
		size_mask = wider;
	}
	return ~size_mask;
}

static int
add_rule(scmp_filter_ctx context, const struct policy_row *row, int call,
	 const struct scmp_arg_cmp *tests, unsigned count)
{
	return seccomp_rule_add_exact_array(context, action_of(row), call, count, tests);
}

static int add_row(scmp_filter_ctx context, const struct policy_row *row, int call,
		   struct scmp_arg_cmp *tests, unsigned done);

/*
 * One rule for each bit of the mask, from the lowest up: this bit differs, those below it do not.
 * So no two of them take the same value.
 */
static int
add_differing(scmp_filter_ctx context, const struct policy_row *row, int call,
	      struct scmp_arg_cmp *tests, unsigned done)
{
	const struct policy_arg *arg = &row->args[done];
	uint32_t seen = 0;
	int result = 0;

	for (uint32_t left = arg->mask; left != 0 && result == 0; left &= left - 1) {
		const uint32_t bit = left & -left;
		const uint32_t value = (arg->value & seen) | (~arg->value & bit);
		seen |= bit;
		tests[done] = SCMP_CMP(arg->index, SCMP_CMP_MASKED_EQ, seen, value);
		result = add_row(context, row, call, tests, done + 1);
	}
	return result;
}

static int
add_range(scmp_filter_ctx context, const struct policy_row *row, int call,
	  struct scmp_arg_cmp *tests, unsigned done)
{
	const struct policy_arg *arg = &row->args[done];

	for (uint32_t low = arg->mask;;) {
		uint32_t mask = block_mask(low, arg->value);
		tests[done] = SCMP_CMP(arg->index, SCMP_CMP_MASKED_EQ, mask, low);
		int result = add_row(context, row, call, tests, done + 1);
		if (result < 0 || (low | ~mask) >= arg->value)
			return result;
		low = (low | ~mask) + 1;
	}
}

/* Adds a row's rules: tests[0..done) are made, the arguments from `done` on are to do. */
static int
add_row(scmp_filter_ctx context, const struct policy_row *row, int call, struct scmp_arg_cmp *tests,
	unsigned done)
{
	const struct policy_arg *arg = &row->args[done];

	if (done == POLICY_ARGS_MAX || arg->test == POLICY_ANY)
		return add_rule(context, row, call, tests, done);
	if (arg->test == POLICY_MASKED_NE)
		return add_differing(context, row, call, tests, done);
	if (arg->test == POLICY_IN_RANGE)
		return add_range(context, row, call, tests, done);
	const uint32_t mask = arg->test == POLICY_EQ ? UINT32_MAX : arg->mask;
	tests[done] = SCMP_CMP(arg->index, SCMP_CMP_MASKED_EQ, mask, arg->value);
	return add_row(context, row, call, tests, done + 1);
}

char *
policy_call_name(int number, char *out, size_t size)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);

	snprintf(out, size, "%s", name != NULL ? name : "?");
	free(name);
	return out;
}

int
policy_call_number(const char *call)
{
	return seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, call);
}

static int
add_rows(scmp_filter_ctx context, const char *profile)
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	for (size_t i = 0; i < count; i++) {
		struct scmp_arg_cmp tests[POLICY_ARGS_MAX];
		if (!policy_row_is_in(&rows[i], profile))
			continue;
		int call = policy_call_number(rows[i].call);
		if (call < 0)
			return -EINVAL;
		int result = add_row(context, &rows[i], call, tests, 0);
		if (result < 0)
			return result;
	}
	return 0;
}

static int
set_attributes(scmp_filter_ctx context)
{
	for (size_t i = 0; i < sizeof(hot_calls) / sizeof(hot_calls[0]); i++) {
		int call = seccomp_syscall_resolve_name(hot_calls[i]);
		int result = seccomp_syscall_priority(context, call, (uint8_t)(255 - i));
		if (result < 0)
			return result;
	}
	return seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
}

/* libseccomp writes to a descriptor; the program is small, so it goes through memory into the
 * sealed one. */
static int
export_program(scmp_filter_ctx context)
{
	static unsigned char program[PROGRAM_BYTES_MAX];
	int fd = memfd_create("policy", MFD_CLOEXEC);
	int sealed_fd = -1;
	ssize_t size;

	if (fd < 0)
		return -1;
	int result = seccomp_export_bpf(context, fd);
	if (result < 0) {
		errno = -result;
	} else if ((size = pread(fd, program, sizeof(program), 0)) > 0) {
		sealed_fd = heritage_seal("policy", program, (size_t)size);
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return sealed_fd;
}

int
policy_compile(const char *profile, enum policy_rest rest)
{
	int fd = -1;
	int result;

	if (!policy_is_profile(profile)) {
		errno = EINVAL;
		return -1;
	}
	scmp_filter_ctx context = seccomp_init(rests[rest]);
	if (context == NULL) {
		errno = ENOMEM;
		return -1;
	}
	result = add_rows(context, profile);
	if (result == 0)
		result = set_attributes(context);
	if (result == 0)
		fd = export_program(context);
	int saved = result < 0 ? -result : errno;
	seccomp_release(context);
	errno = saved;
	return fd;
}
