/* LINK: daemon/supervisor/policy.c daemon/supervisor/policy_profile.c */
/* LINK: daemon/supervisor/policy_compile.c */
/* LINK: daemon/base/heritage.c tests/unit/bpf.c */
/* PKGS: libseccomp */
/*
 * The compiled filters say what the policy table says: for every row, for every system call number,
 * for edges of every argument, for other architectures.
 *
 * Runs in: unit tests. The table is the truth here; libseccomp and its options are what is tested.
 */
#include "supervisor/policy_compile.h"

#include "bpf.h"
#include "supervisor/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX     1024
#define ROWS_MAX      1024
#define RANDOM_ROUNDS 400

static const char *const profiles[] = { "compute", "files", "files-exec", "exec", "front" };

static struct sock_filter program[4096];
static size_t program_length;

static void
compile(const char *profile, enum policy_rest rest)
{
	int fd = policy_compile(profile, rest);

	assert_true(fd >= 0);
	ssize_t size = pread(fd, program, sizeof(program), 0);
	assert_true(size > 0 && size % (ssize_t)sizeof(program[0]) == 0);
	program_length = (size_t)size / sizeof(program[0]);
	assert_int_equal(close(fd), 0);
}

static uint32_t
verdict_of(uint32_t arch, uint32_t number, const uint64_t args[6])
{
	struct seccomp_data call = { .nr = (int)number, .arch = arch };
	uint32_t verdict = 0;

	memcpy(call.args, args, sizeof(call.args));
	assert_true(bpf_run(program, program_length, &call, &verdict) > 0);
	return verdict;
}

/* Names are looked up once: the tests ask millions of times. */
static int
number_of(const struct policy_row *row)
{
	static int numbers[ROWS_MAX];
	static bool are_known;
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	assert_true(count <= ROWS_MAX);
	for (size_t i = 0; i < count && !are_known; i++)
		numbers[i] = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, rows[i].call);
	are_known = true;
	return numbers[row - rows];
}

static uint32_t
action_of(const struct policy_row *row)
{
	switch (row->action) {
	case POLICY_ALLOW:
		return SECCOMP_RET_ALLOW;
	case POLICY_ERRNO:
		return SECCOMP_RET_ERRNO | row->error;
	default:
		return SECCOMP_RET_KILL_PROCESS;
	}
}

/* What the table says of a call. */
static uint32_t
expected_of(const char *profile, uint32_t number, const uint64_t args[6])
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (number_of(&rows[i]) == (int)number && policy_row_is_in(&rows[i], profile) &&
		    policy_row_matches(&rows[i], args))
			return action_of(&rows[i]);
	return SECCOMP_RET_KILL_PROCESS;
}

static void
check_call(const char *profile, uint32_t number, const uint64_t args[6])
{
	uint32_t expected = expected_of(profile, number, args);
	uint32_t verdict = verdict_of(AUDIT_ARCH_X86_64, number, args);

	if (verdict != expected)
		fail_msg("%s: call %u(0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx): filter 0x%x, table "
			 "0x%x",
			 profile, number, (unsigned long long)args[0], (unsigned long long)args[1],
			 (unsigned long long)args[2], (unsigned long long)args[3],
			 (unsigned long long)args[4], verdict, expected);
}

/* A value that the test passes. */
static uint64_t
passing_value(const struct policy_arg *arg)
{
	if (arg->test == POLICY_MASKED_NE)
		return arg->value ^ (arg->mask & -arg->mask);
	return arg->test == POLICY_IN_RANGE ? arg->mask : arg->value;
}

static void
fill_passing(const struct policy_row *row, uint64_t args[6])
{
	memset(args, 0, 6 * sizeof(args[0]));
	for (int i = 0; i < POLICY_ARGS_MAX && row->args[i].test != POLICY_ANY; i++)
		args[row->args[i].index] = passing_value(&row->args[i]);
}

/*
 * Values at, around and far from what the argument is compared with, with and without a high half.
 */
static void
check_edges(const char *profile, const struct policy_row *row, const struct policy_arg *arg)
{
	const uint32_t edges[] = { arg->value,
				   arg->value + 1,
				   arg->value - 1,
				   arg->mask,
				   arg->mask - 1,
				   arg->mask + 1,
				   ~arg->value,
				   0,
				   1,
				   UINT32_MAX };
	uint64_t args[6];

	fill_passing(row, args);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		args[arg->index] = edges[i];
		check_call(profile, (uint32_t)number_of(row), args);
		args[arg->index] = edges[i] | 0xffffffff00000000u;
		check_call(profile, (uint32_t)number_of(row), args);
	}
	for (int bit = 0; bit < 64; bit++) {
		args[arg->index] = passing_value(arg) ^ (UINT64_C(1) << bit);
		check_call(profile, (uint32_t)number_of(row), args);
	}
}

static void
test_every_row_decides(void **state)
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	(void)state;
	for (size_t p = 0; p < sizeof(profiles) / sizeof(profiles[0]); p++) {
		compile(profiles[p], POLICY_REST_KILL);
		for (size_t i = 0; i < count; i++) {
			uint64_t args[6];
			if (!policy_row_is_in(&rows[i], profiles[p]))
				continue;
			fill_passing(&rows[i], args);
			uint32_t verdict =
				verdict_of(AUDIT_ARCH_X86_64, (uint32_t)number_of(&rows[i]), args);
			assert_int_equal(verdict, action_of(&rows[i]));
			for (int a = 0; a < POLICY_ARGS_MAX && rows[i].args[a].test != POLICY_ANY;
			     a++)
				check_edges(profiles[p], &rows[i], &rows[i].args[a]);
		}
	}
}

static uint64_t
next_random(void)
{
	static uint64_t value = 0x9e3779b97f4a7c15u;

	value ^= value << 13; /* xorshift64: the same numbers in every run */
	value ^= value >> 7;
	value ^= value << 17;
	return value;
}

static uint64_t
random_argument(void)
{
	uint64_t value = next_random();

	switch (value >> 61) {
	case 0:
		return value;
	case 1:
		return value & UINT32_MAX;
	case 2:
		return UINT32_MAX;
	default:
		return value & 0x3f;
	}
}

static void
test_every_number_with_random_arguments(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(profiles) / sizeof(profiles[0]); p++) {
		compile(profiles[p], POLICY_REST_KILL);
		for (uint32_t number = 0; number < CALLS_MAX; number++) {
			for (int round = 0; round < RANDOM_ROUNDS; round++) {
				uint64_t args[6];
				for (int i = 0; i < 6; i++)
					args[i] = random_argument();
				check_call(profiles[p], number, args);
			}
		}
	}
}

static void
test_foreign_architectures_and_x32_kill(void **state)
{
	const uint64_t args[6] = { 3, 0, 0, 0, 0, 0 };

	(void)state;
	for (size_t p = 0; p < 2 * sizeof(profiles) / sizeof(profiles[0]); p++) {
		compile(profiles[p / 2], p % 2 == 0 ? POLICY_REST_KILL : POLICY_REST_NOTIFY);
		for (uint32_t number = 0; number < CALLS_MAX; number++) {
			assert_int_equal(verdict_of(AUDIT_ARCH_I386, number, args),
					 SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(verdict_of(AUDIT_ARCH_AARCH64, number, args),
					 SECCOMP_RET_KILL_PROCESS);
			assert_int_equal(verdict_of(AUDIT_ARCH_X86_64, number | 0x40000000u, args),
					 SECCOMP_RET_KILL_PROCESS);
		}
	}
}

static void
check_log_mode(enum policy_rest rest, uint32_t verdict)
{
	const uint64_t args[6] = { 0 };

	compile("compute", rest);
	assert_int_equal(verdict_of(AUDIT_ARCH_X86_64, SYS_socket, args), verdict);
	assert_int_equal(verdict_of(AUDIT_ARCH_X86_64, SYS_execve, args), verdict);
	assert_int_equal(verdict_of(AUDIT_ARCH_X86_64, SYS_exit_group, args), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict_of(AUDIT_ARCH_X86_64, SYS_openat, args),
			 SECCOMP_RET_ERRNO | EACCES);
}

static void
test_log_mode_reports_what_enforce_kills(void **state)
{
	(void)state;
	check_log_mode(POLICY_REST_NOTIFY, SECCOMP_RET_USER_NOTIF);
	check_log_mode(POLICY_REST_LOG, SECCOMP_RET_LOG);
}

static void
test_dangerous_calls_have_no_row_for_children(void **state)
{
	static const int numbers[] = {
		SYS_socket,	  SYS_connect,	      SYS_execve,      SYS_execveat,
		SYS_fork,	  SYS_vfork,	      SYS_kill,	       SYS_tkill,
		SYS_ptrace,	  SYS_unshare,	      SYS_setns,       SYS_mount,
		SYS_memfd_create, SYS_pidfd_open,     SYS_pidfd_getfd, SYS_bpf,
		SYS_seccomp,	  SYS_io_uring_setup, SYS_userfaultfd, SYS_process_vm_readv,
		SYS_socketpair,	  SYS_accept4,	      SYS_dup,	       SYS_setuid
	};
	const uint64_t args[6] = { 0 };

	(void)state;
	for (unsigned p = 0; !policy_runs_programs(policy_pool_profile(p)); p++) {
		compile(policy_pool_profile(p), POLICY_REST_KILL);
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			assert_int_equal(verdict_of(AUDIT_ARCH_X86_64, (uint32_t)numbers[i], args),
					 SECCOMP_RET_KILL_PROCESS);
	}
	compile("exec", POLICY_REST_KILL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] != SYS_execve && numbers[i] != SYS_dup)
			assert_int_not_equal(verdict_of(AUDIT_ARCH_X86_64, (uint32_t)numbers[i],
							args),
					     SECCOMP_RET_ALLOW);
}

static uint32_t
verdict_on(int number, uint64_t first, uint64_t second, uint64_t third, uint64_t fourth)
{
	const uint64_t args[6] = { first, second, third, fourth, 7, 0 };

	return verdict_of(AUDIT_ARCH_X86_64, (uint32_t)number, args);
}

static void
test_files_are_opened_for_reading_only(void **state)
{
	static const int refused[] = {
		O_WRONLY,
		O_RDWR,
		O_WRONLY | O_CREAT | O_TRUNC,
		O_RDONLY | O_CREAT,
		O_RDONLY | O_TRUNC,
		O_TMPFILE | O_RDWR,
		O_TMPFILE | O_WRONLY,
		O_PATH,
		O_PATH | O_DIRECTORY | O_CLOEXEC,
		O_ACCMODE | O_CLOEXEC,
		O_RDONLY | O_TMPFILE,
	};

	(void)state;
	compile("files", POLICY_REST_KILL);
	assert_int_equal(verdict_on(SYS_openat, 0, 0, O_RDONLY | O_CLOEXEC, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict_on(SYS_openat, 0, 0, O_DIRECTORY | O_NONBLOCK, 0),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(verdict_on(SYS_open, 0, O_RDONLY | O_NOFOLLOW, 0, 0), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(verdict_on(SYS_openat, 0, 0, (uint64_t)refused[i], 0),
				 SECCOMP_RET_ERRNO | EACCES);
		assert_int_equal(verdict_on(SYS_open, 0, (uint64_t)refused[i], 0, 0),
				 SECCOMP_RET_ERRNO | EACCES);
	}
}

static void
test_code_is_loaded_by_files_exec_alone_and_never_writable(void **state)
{
	const uint64_t code = PROT_READ | PROT_EXEC;
	const uint64_t file = MAP_PRIVATE | MAP_DENYWRITE | MAP_FIXED;

	(void)state;
	compile("files", POLICY_REST_KILL);
	assert_int_equal(verdict_on(SYS_mmap, 0, 0, PROT_READ, file), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict_on(SYS_mmap, 0, 0, code, file), SECCOMP_RET_ERRNO | EACCES);
	compile("files-exec", POLICY_REST_KILL);
	assert_int_equal(verdict_on(SYS_mmap, 0, 0, code, file), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict_on(SYS_mmap, 0, 0, code | PROT_WRITE, file),
			 SECCOMP_RET_ERRNO | EACCES);
	assert_int_equal(verdict_on(SYS_mmap, 0, 0, code, MAP_PRIVATE | MAP_ANONYMOUS),
			 SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(verdict_on(SYS_mprotect, 0, 0, code, 0), SECCOMP_RET_KILL_PROCESS);
}

static void
test_programs_are_executed_by_exec_alone_and_fork_nothing(void **state)
{
	static const uint64_t as_libc_forks = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
	static const uint64_t as_threads = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;

	(void)state;
	compile("files-exec", POLICY_REST_KILL);
	assert_int_equal(verdict_on(SYS_execve, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	compile("exec", POLICY_REST_KILL);
	assert_int_equal(verdict_on(SYS_execve, 0, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict_on(SYS_execveat, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(verdict_on(SYS_clone, as_libc_forks, 0, 0, 0), SECCOMP_RET_ERRNO | EAGAIN);
	assert_int_equal(verdict_on(SYS_clone, as_threads, 0, 0, 0), SECCOMP_RET_ERRNO | EAGAIN);
	assert_int_equal(verdict_on(SYS_vfork, 0, 0, 0, 0), SECCOMP_RET_ERRNO | EAGAIN);
	assert_int_equal(verdict_on(SYS_kill, 1, SIGKILL, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	/* Status flags are shared with whoever has the same file open: the next child its log pipe. */
	assert_int_equal(verdict_on(SYS_fcntl, 2, F_SETFL, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	/* The death with its child is not to be taken back. */
	assert_int_equal(verdict_on(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0),
			 SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(verdict_on(SYS_mmap, 0, 0, PROT_READ | PROT_EXEC,
				    MAP_PRIVATE | MAP_ANONYMOUS),
			 SECCOMP_RET_KILL_PROCESS);
}

/* Descriptors can be duplicated where programs run, so the numbers of a zygote's channels do not keep a child from its own by them. */
static void
test_messages_are_sent_and_taken_as_the_zygote_does_alone(void **state)
{
	static const uint64_t refused[] = { MSG_OOB, MSG_OOB | MSG_DONTWAIT, MSG_ERRQUEUE,
					    MSG_ZEROCOPY, MSG_PEEK };

	(void)state;
	compile("exec", POLICY_REST_KILL);
	assert_int_equal(verdict_on(SYS_sendmsg, 4, 0, MSG_DONTWAIT | MSG_NOSIGNAL, 0),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(verdict_on(SYS_recvmsg, 4, 0, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, 0),
			 SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(verdict_on(SYS_sendmsg, 4, 0, refused[i], 0),
				 SECCOMP_RET_KILL_PROCESS);
		assert_int_equal(verdict_on(SYS_recvmsg, 4, 0, refused[i], 0),
				 SECCOMP_RET_KILL_PROCESS);
	}
}

static void
test_later_profiles_take_nothing_back(void **state)
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	(void)state;
	for (unsigned p = 1; policy_pool_profile(p) != NULL; p++)
		for (size_t i = 0; i < count; i++)
			if (rows[i].action == POLICY_ALLOW &&
			    policy_row_is_in(&rows[i], policy_pool_profile(p - 1)))
				assert_true(policy_row_is_in(&rows[i], policy_pool_profile(p)));
	assert_false(policy_reads_files("compute") || policy_reads_files("front"));
	assert_true(policy_reads_files("files") && policy_reads_files("files-exec"));
	assert_true(policy_loads_code("files-exec") && !policy_loads_code("files"));
	assert_true(policy_runs_programs("exec") && !policy_runs_programs("files-exec"));
}

static void
test_rows_are_well_formed(void **state)
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(number_of(&rows[i]) >= 0);
		assert_true(rows[i].action < POLICY_ACTION_MAX);
		assert_true((rows[i].action == POLICY_ERRNO) == (rows[i].error != 0));
		assert_non_null(rows[i].reason);
		assert_non_null(rows[i].profile);
		for (int a = 0; a < POLICY_ARGS_MAX; a++)
			assert_true(rows[i].args[a].index < 6 &&
				    rows[i].args[a].test < POLICY_TEST_MAX);
	}
}

static void
test_unknown_profile_is_refused(void **state)
{
	(void)state;
	assert_int_equal(policy_compile("everything", POLICY_REST_KILL), -1);
	assert_int_equal(policy_compile("zygote", POLICY_REST_KILL), -1);
}

/* Not a bar, a figure: how long the filter takes for the calls that every child makes. */
static void
test_hot_calls_are_short(void **state)
{
	static const struct {
		const char *name;
		int number;
		uint64_t args[6];
	} hot[] = {
		{ "read", SYS_read, { 3 } },
		{ "write", SYS_write, { 3 } },
		{ "exit_group", SYS_exit_group, { 0 } },
		{ "recvmsg", SYS_recvmsg, { 5 } },
		{ "ppoll", SYS_ppoll, { 0 } },
		{ "waitid", SYS_waitid, { 0 } },
		{ "clone", SYS_clone, { 0x1011 } },
	};

	(void)state;
	compile("compute", POLICY_REST_KILL);
	print_message("compute: %zu instructions\n", program_length);
	for (size_t i = 0; i < sizeof(hot) / sizeof(hot[0]); i++) {
		struct seccomp_data call = { .nr = hot[i].number, .arch = AUDIT_ARCH_X86_64 };
		uint32_t verdict;
		memcpy(call.args, hot[i].args, sizeof(call.args));
		int steps = bpf_run(program, program_length, &call, &verdict);
		print_message("  %-10s %d steps\n", hot[i].name, steps);
		assert_int_equal(verdict, SECCOMP_RET_ALLOW);
		assert_in_range(steps, 1, 48);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_well_formed),
		cmocka_unit_test(test_every_row_decides),
		cmocka_unit_test(test_every_number_with_random_arguments),
		cmocka_unit_test(test_foreign_architectures_and_x32_kill),
		cmocka_unit_test(test_log_mode_reports_what_enforce_kills),
		cmocka_unit_test(test_dangerous_calls_have_no_row_for_children),
		cmocka_unit_test(test_files_are_opened_for_reading_only),
		cmocka_unit_test(test_code_is_loaded_by_files_exec_alone_and_never_writable),
		cmocka_unit_test(test_programs_are_executed_by_exec_alone_and_fork_nothing),
		cmocka_unit_test(test_messages_are_sent_and_taken_as_the_zygote_does_alone),
		cmocka_unit_test(test_later_profiles_take_nothing_back),
		cmocka_unit_test(test_unknown_profile_is_refused),
		cmocka_unit_test(test_hot_calls_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
