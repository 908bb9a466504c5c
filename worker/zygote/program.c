/*
 * A program for one request: a second process, forked and confined together with the child while no request is there yet.
 *
 * Runs in: child (program_fork, zy_program_*), and the process beside it (program_become), which the child trusts until execve and
 * no longer. The order of things is what makes it safe: the one fork comes before the first byte of a request and before any code of a worker's,
 * then neither process can fork again (RLIMIT_NPROC 0); the second has no channel, is killed when its child dies (PR_SET_PDEATHSIG, which
 * the filter does not let it take back), and gets by execve no right that it did not have (no_new_privs).
 *
 * What to execute crosses the pipe that is the program's standard input afterwards, and exactly that is read: no descriptor
 * more, no memory that both could write.
 */
#include "program.h"

#include "base/heritage.h"
#include "runtime.h"
#include "sys.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTED 127 /* as shells have it */

/* What crosses the pipe: this, then `bytes` of strings with their NULs: the directory, arguments, variables. */
struct order {
	uint32_t bytes;
	uint32_t args;
	uint32_t variables;
};

/* ---- the fork ---- */

struct pipes {
	int input[2];
	int output[2];
};

static int
move(int from, int to)
{
	return sys_call(SYS_dup3, from, to, 0, 0) < 0 ? -1 : 0;
}

static void
close_pipes(const struct pipes *pipes)
{
	for (int i = 0; i < 2; i++) {
		sys_call(SYS_close, pipes->input[i], 0, 0, 0);
		sys_call(SYS_close, pipes->output[i], 0, 0, 0);
	}
}

static int
keep_ends(const struct pipes *pipes, int pid_fd)
{
	if (move(pipes->input[1], PROGRAM_INPUT_FD) < 0 ||
	    move(pipes->output[0], PROGRAM_OUTPUT_FD) < 0 || move(pid_fd, PROGRAM_PID_FD) < 0)
		return -1;
	close_pipes(pipes);
	sys_call(SYS_close, pid_fd, 0, 0, 0);
	return 0;
}

/* Nothing is open in the program but its standard input, output and error: not the channel, above all. */
static int
take_ends(const struct pipes *pipes)
{
	if (move(pipes->input[0], STDIN_FILENO) < 0 || move(pipes->output[1], STDOUT_FILENO) < 0)
		return -1;
	if (sys_call(SYS_close, CHILD_CHANNEL_FD, 0, 0, 0) < 0)
		return -1;
	return sys_call(SYS_close_range, CHILD_CHANNEL_FD + 1, ~0u, 0, 0) < 0 ? -1 : 0;
}

pid_t
program_fork(void)
{
	struct pipes pipes = { { -1, -1 }, { -1, -1 } };
	int pid_fd = -1;

	if (sys_call(SYS_pipe2, (long)pipes.input, O_CLOEXEC, 0, 0) < 0 ||
	    sys_call(SYS_pipe2, (long)pipes.output, O_CLOEXEC, 0, 0) < 0)
		return -1;
	const long pid = sys_call(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, (long)&pid_fd, 0);
	if (pid < 0)
		return -1;
	if (pid > 0)
		return keep_ends(&pipes, pid_fd) < 0 ? -1 : (pid_t)pid;
	if (take_ends(&pipes) < 0)
		sys_exit(ZY_EXIT_SANDBOX_FDS);
	return 0;
}

/* ---- the process that becomes the program ---- */

/* All of it, or the end: a child that dies before it has a request leaves nothing to execute. */
static void
read_order(void *place, size_t size)
{
	for (size_t done = 0; done < size;) {
		const long count = sys_call(SYS_read, STDIN_FILENO, (long)((char *)place + done),
					    (long)(size - done), 0);
		if (count == -EINTR)
			continue;
		if (count <= 0)
			sys_exit(ZY_EXIT_OK);
		done += (size_t)count;
	}
}

static _Noreturn void
refuse(const char *what, const char *name, int error)
{
	dprintf(STDERR_FILENO, "cannot %s %s: %s\n", what, name, strerror(error));
	sys_exit(EXIT_NOT_EXECUTED);
}

/* Pointers to `count` strings from `*at` on, and a NULL. */
static char **
list_strings(char **pointers, uint32_t count, char **at)
{
	for (uint32_t i = 0; i < count; i++) {
		pointers[i] = *at;
		*at += strlen(*at) + 1;
	}
	pointers[count] = NULL;
	return pointers;
}

static bool
is_sound(const struct order *order, const char *strings)
{
	uint32_t ends = 0;

	for (uint32_t i = 0; i < order->bytes; i++)
		ends += strings[i] == '\0';
	return ends == 1 + order->args + order->variables && strings[order->bytes - 1] == '\0';
}

/* Programs expect what a shell would give them; the zygote ignores what is its supervisor's to act upon. */
static void
reset_signals(void)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &action, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
execute(const struct order *order, char *strings, char **pointers)
{
	const char *directory = strings;
	char *at = strings + strlen(strings) + 1;
	char **args = list_strings(pointers, order->args, &at);
	char **variables = list_strings(pointers + order->args + 1, order->variables, &at);

	if (chdir(directory) < 0)
		refuse("enter", directory, errno);
	reset_signals();
	execve(args[0], args, variables);
	const int error = errno;
	if (error == ENOENT || error == EACCES)
		dprintf(STDERR_FILENO,
			"are the program, its interpreter and its loader below read_paths, and "
			"executable?\n");
	refuse("execute", args[0], error);
}

void
program_become(void)
{
	struct order order = { 0 };

	read_order(&order, sizeof(order));
	if (order.bytes == 0 || order.bytes > ZY_PROGRAM_BYTES || order.args == 0 ||
	    order.args > ZY_PROGRAM_STRINGS || order.variables > ZY_PROGRAM_STRINGS)
		sys_exit(ZY_EXIT_REQUEST);
	const size_t pointers = ((size_t)order.args + order.variables + 2) * sizeof(char *);
	char *memory = mmap(NULL, pointers + order.bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		refuse("execute", "the program", errno);
	read_order(memory + pointers, order.bytes);
	if (!is_sound(&order, memory + pointers))
		sys_exit(ZY_EXIT_REQUEST);
	execute(&order, memory + pointers, (char **)(void *)memory);
}

/* ---- the child ---- */

static uint32_t
count_strings(const char *const list[], uint64_t *bytes)
{
	uint32_t count = 0;

	for (; count <= ZY_PROGRAM_STRINGS && list[count] != NULL; count++)
		*bytes += strlen(list[count]) + 1;
	return count;
}

static char *
put_strings(char *place, const char *const list[], uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		place = stpcpy(place, list[i]) + 1;
	return place;
}

/* All of it: the other process reads until it has it, or is dead. */
static int
write_order(const char *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		const long count = sys_call(SYS_write, PROGRAM_INPUT_FD, (long)(bytes + done),
					    (long)(size - done), 0);
		if (count < 0 && count != -EINTR)
			return -1;
		done += count > 0 ? (size_t)count : 0;
	}
	return 0;
}

int
zy_program_start(struct zy_request *request, const struct zy_program *program, int fds_out[2])
{
	uint64_t bytes = strlen(program->directory) + 1;
	struct order order = { .args = count_strings(program->argv, &bytes) };

	if (request->is_program_started)
		return -1;
	request->is_program_started = true;
	order.variables = count_strings(program->envp, &bytes);
	if (order.args == 0 || order.args > ZY_PROGRAM_STRINGS ||
	    order.variables > ZY_PROGRAM_STRINGS || bytes > ZY_PROGRAM_BYTES)
		return -1;
	char *whole = malloc(sizeof(order) + bytes);
	if (whole == NULL)
		return -1;
	order.bytes = (uint32_t)bytes;
	memcpy(whole, &order, sizeof(order));
	char *at = stpcpy(whole + sizeof(order), program->directory) + 1;
	at = put_strings(at, program->argv, order.args);
	put_strings(at, program->envp, order.variables);
	const int result = write_order(whole, sizeof(order) + bytes);
	free(whole);
	fds_out[0] = PROGRAM_INPUT_FD;
	fds_out[1] = PROGRAM_OUTPUT_FD;
	return result;
}

static uint64_t
microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

/*
 * A program that ignored SIGXCPU has met the hard limit, by SIGKILL: that is the same end. The two kinds of time are added
 * up before anything is rounded: they may be half of it each.
 */
static int
true_signal(int number, const struct rusage *usage)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	(void)sys_call(SYS_prlimit64, 0, RLIMIT_CPU, 0, (long)&limit);
	const uint64_t used_us = microseconds(&usage->ru_utime) + microseconds(&usage->ru_stime);
	return number == SIGKILL && limit.rlim_cur != RLIM_INFINITY &&
			       used_us / 1000000 >= limit.rlim_cur
		       ? SIGXCPU
		       : number;
}

/* It is dead, or will be at once. */
static int
reap(bool is_killed)
{
	struct rusage usage = { 0 };
	siginfo_t info = { .si_pid = 0 };
	long result;

	do
		result = sys_call5(SYS_waitid, P_PIDFD, PROGRAM_PID_FD, (long)&info, WEXITED,
				   (long)&usage);
	while (result == -EINTR);
	if (result < 0)
		sys_exit(ZY_EXIT_OF_PROGRAM + SIGKILL);
	if (info.si_code == CLD_EXITED)
		return info.si_status;
	if (is_killed && info.si_status == SIGKILL)
		return -1;
	sys_exit(ZY_EXIT_OF_PROGRAM + true_signal(info.si_status, &usage));
}

int
zy_program_end(struct zy_request *request, int wait_ms)
{
	struct pollfd end = { .fd = PROGRAM_PID_FD, .events = POLLIN };

	(void)request;
	const bool is_over = poll(&end, 1, wait_ms) > 0;
	if (!is_over)
		sys_call(SYS_pidfd_send_signal, PROGRAM_PID_FD, SIGKILL, 0, 0);
	return reap(!is_over);
}
