/*
 * LINK: daemon/supervisor/procfs.c
 *
 * What is read from /proc: the innermost pid of a status file, a pidfd's pid, a list of children.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/procfs.h"

static void
test_inner_pid_is_the_last_of_its_line(void **state)
{
	(void)state;
	assert_int_equal(procfs_parse_inner_pid("Name:\tx\nNSpid:\t1234\t7\nNSpgid:\t9\n"), 7);
	assert_int_equal(procfs_parse_inner_pid("NSpid:\t1234\n"), 1234);
	assert_int_equal(procfs_parse_inner_pid("NSpid:\t1\t2\t3"), 3);
	assert_int_equal(procfs_parse_inner_pid("NSpid:\n"), -1);
	assert_int_equal(procfs_parse_inner_pid("xNSpid:\t4\n"), -1);
	assert_int_equal(procfs_parse_inner_pid("Name:\tx\n"), -1);
	assert_int_equal(procfs_parse_inner_pid(""), -1);
}

static void
test_available_memory(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	assert_int_equal(procfs_parse_bytes("MemTotal:  9 kB\nMemAvailable:   1234 kB\nx: 1 kB\n",
					    "MemAvailable:", &bytes),
			 0);
	assert_int_equal(bytes, 1234 * 1024);
	assert_int_equal(procfs_parse_bytes("MemTotal: 9 kB\n", "MemAvailable:", &bytes), -1);
	assert_int_equal(procfs_parse_bytes("MemAvailable: kB\n", "MemAvailable:", &bytes), -1);
	assert_int_equal(procfs_parse_bytes("MemAvailable: 12 MB\n", "MemAvailable:", &bytes), -1);
	assert_int_equal(procfs_parse_bytes("MemAvailable: 99999999999999999999 kB",
					    "MemAvailable:", &bytes),
			 -1);
	assert_int_equal(procfs_available_bytes(&bytes), 0);
	assert_true(bytes > 1 << 20);
}

/* A child that waits to be killed. */
static pid_t
start_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void
end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_pidfd_names_its_process_until_it_is_reaped(void **state)
{
	pid_t pid = start_child();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	(void)state;
	assert_true(pidfd >= 0);
	assert_int_equal(procfs_pidfd_pid(pidfd), pid);
	end_child(pid);
	assert_int_equal(procfs_pidfd_pid(pidfd), -1);
	close(pidfd);
}

static void
test_children_are_listed(void **state)
{
	struct procfs_children children = { 0 };
	pid_t first = start_child();
	pid_t second = start_child();

	(void)state;
	if (procfs_children_add(getpid(), &children) < 0) {
		end_child(first);
		end_child(second);
		skip(); /* the kernel was built without this file */
	}
	assert_int_equal(children.count, 2);
	assert_int_equal(procfs_children_outer(&children, children.pids[1].inner),
			 children.pids[1].outer);
	assert_true(children.pids[0].outer == first || children.pids[1].outer == first);
	assert_int_equal(procfs_children_outer(&children, 1), 1);
	/* A second zygote's go into the same list, in order of their pids. */
	assert_int_equal(procfs_children_add(getpid(), &children), 0);
	assert_int_equal(children.count, 4);
	assert_true(children.pids[1].inner <= children.pids[2].inner);
	procfs_children_free(&children);
	end_child(first);
	end_child(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_available_memory),
		cmocka_unit_test(test_inner_pid_is_the_last_of_its_line),
		cmocka_unit_test(test_pidfd_names_its_process_until_it_is_reaped),
		cmocka_unit_test(test_children_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
