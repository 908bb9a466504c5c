/*
 * Processes from clone to exec. Between the two the new process is still a copy of the supervisor,
 * with its rights: it makes system calls only, allocates nothing, and leaves by exec or _exit.
 *
 * Runs in: supervisor; the child_* functions in the new process. The rule: descriptors are an
 * allow-list, the user is dropped before the exec, and no failure is passed over.
 */
#include "supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/identity.h"

static _Noreturn void
child_fail(const struct spawn_program *program, int code, const char *step)
{
	const int error = errno;
	struct msg_zygote_failed message = { .exit_code = code, .error = error };

	log_event(LOG_ERROR, "process not started", "title=\"%s\" step=%s error=\"%s\"",
		  program->title, step, strerror(error));
	if (program->is_zygote) {
		msg_init(&message, MSG_ZYGOTE_FAILED);
		snprintf(message.text, sizeof(message.text), "%s: %s", step, strerror(error));
		(void)!msg_send((int)program->channel, &message, NULL, 0);
	}
	_exit(code);
}

static int
write_file(const char *path, const char *text)
{
	const size_t length = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t written = write(fd, text, length);
	int saved = errno;
	close(fd);
	errno = saved;
	return written == (ssize_t)length ? 0 : -1;
}

/*
 * Maps the user to itself in a new user namespace, which is all that a process without CAP_SETUID
 * may do (user_namespaces(7)); setgroups has to be given up before the group can be mapped.
 */
static int
child_map_user(uid_t uid, gid_t gid)
{
	char map[64];

	if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
		return -1;
	snprintf(map, sizeof(map), "%u %u 1", (unsigned)uid, (unsigned)uid);
	if (write_file("/proc/self/uid_map", map) < 0)
		return -1;
	snprintf(map, sizeof(map), "%u %u 1", (unsigned)gid, (unsigned)gid);
	return write_file("/proc/self/gid_map", map);
}

/*
 * Puts the descriptors at their numbers, the program after them, and closes all others. Copies are
 * made above every target first, because a source may sit on another one's target.
 */
static int
child_place_fds(const struct spawn_program *program)
{
	const int count = (int)program->fds_count;
	int copies[SPAWN_FDS_MAX];
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int program_fd = fcntl(program->program_fd, F_DUPFD_CLOEXEC, count + 1);

	if (null_fd < 0 || program_fd < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		int fd = program->fds[i] >= 0 ? program->fds[i] : null_fd;
		copies[i] = fcntl(fd, F_DUPFD_CLOEXEC, count + 1);
		if (copies[i] < 0)
			return -1;
	}
	for (int i = 0; i < count; i++)
		if (dup2(copies[i], i) < 0)
			return -1;
	if (dup3(program_fd, count, O_CLOEXEC) < 0)
		return -1;
	return (int)syscall(SYS_close_range, (unsigned)count + 1, ~0U, 0);
}

/*
 * SIGKILL when the supervisor dies. It may have died before this call, so look afterwards: our end
 * of the channel hangs up with it (getppid says nothing in a new pid namespace, where it is 0
 * anyway). Needs the descriptors in place, because our own copy of the supervisor's end would keep
 * the channel open.
 */
static int
child_tie_to_supervisor(const struct spawn_program *program)
{
	struct pollfd channel = { .fd = (int)program->channel };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&channel, 1, 0) < 0)
		return -1;
	if (channel.revents != 0) {
		errno = ESRCH;
		return -1;
	}
	return 0;
}

static int
child_reset_signals(void)
{
	const struct sigaction fallback = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Fails for SIGKILL, SIGSTOP and what libc keeps to itself, which have their default
	 * anyway. */
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &fallback, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Of the environment only what says where programs are, in which language, and what time it is. */
static void
child_make_environment(char *kept[4])
{
	static const char *const names[] = { "PATH=", "LANG=", "TZ=" };
	size_t count = 0;

	for (char **entry = environ; entry != NULL && *entry != NULL && count < 3; entry++)
		for (size_t i = 0; i < 3; i++)
			if (strncmp(*entry, names[i], strlen(names[i])) == 0 && count < 3)
				kept[count++] = *entry;
	kept[count] = NULL;
}

static _Noreturn void
child_run(const struct spawn_program *program)
{
	char *const arguments[] = { (char *)program->title, NULL };
	char *environment[4];

	if ((program->namespaces & CLONE_NEWUSER) != 0 &&
	    child_map_user(program->identity->uid, program->identity->gid) < 0)
		child_fail(program, ZY_EXIT_SANDBOX_PRIVS, "user-map");
	if (child_place_fds(program) < 0)
		child_fail(program, ZY_EXIT_SANDBOX_FDS, "descriptors");
	if (setsid() < 0 || child_reset_signals() < 0)
		child_fail(program, ZY_EXIT_SANDBOX, "signals");
	if (child_tie_to_supervisor(program) < 0)
		child_fail(program, ZY_EXIT_SANDBOX_PARENT, "parent");
	if (identity_apply(program->identity) < 0)
		child_fail(program, ZY_EXIT_SANDBOX_PRIVS, "user");
	/* A change of the uid has cleared it: prctl(2), PR_SET_PDEATHSIG. */
	if (child_tie_to_supervisor(program) < 0)
		child_fail(program, ZY_EXIT_SANDBOX_PARENT, "parent");
	child_make_environment(environment);
	execveat((int)program->fds_count, "", arguments, environment, AT_EMPTY_PATH);
	child_fail(program, ZY_EXIT_EXEC, "exec");
}

/*
 * fork with namespaces and a pidfd. The bare call, because clone(3) wants another stack and clone3
 * may be refused by an outer filter. Flags first, the pidfd's address third on all architectures
 * but s390.
 */
static pid_t
clone_process(int flags, int *pidfd_out)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)(flags | CLONE_PIDFD | SIGCHLD), NULL,
			      pidfd_out, NULL, 0);
}

int
spawn_start(const struct spawn_program *program, struct spawned *out)
{
	sigset_t all, before;
	int pidfd = -1;
	pid_t pid;

	if (program->fds_count > SPAWN_FDS_MAX || program->channel >= program->fds_count)
		bug("spawn");
	/* A handler that ran in the new process would write into our loop's self-pipe. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = clone_process(program->namespaces, &pidfd);
	if (pid == 0)
		child_run(program);
	int saved = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	if (pid < 0)
		return -1;
	out->pid = pid;
	out->pidfd = pidfd;
	return 0;
}

void
spawn_kill(const struct spawned *process, int signal)
{
	if (process->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, process->pidfd, signal, NULL, 0);
}

void
spawn_forget(struct spawned *process)
{
	if (process->pidfd >= 0)
		close(process->pidfd);
	process->pidfd = -1;
	process->pid = 0;
}

/* 0 when a process can be made with these flags and its user be mapped, else errno. */
static int
try_namespaces(int flags, const struct identity *identity)
{
	int pidfd = -1;
	int status;
	pid_t pid = clone_process(flags, &pidfd);

	if (pid < 0)
		return errno;
	if (pid == 0) {
		int result = (flags & CLONE_NEWUSER) != 0
				     ? child_map_user(identity->uid, identity->gid)
				     : 0;
		_exit(result == 0 ? 0 : errno & 0xff);
	}
	close(pidfd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

void
spawn_probe_namespaces(const struct identity *identity, struct spawn_namespaces *out)
{
	const int flags = identity->is_root ? CLONE_NEWPID : CLONE_NEWUSER | CLONE_NEWPID;

	out->pid_error = try_namespaces(flags, identity);
	out->user_error = identity->is_root ? -1 : out->pid_error;
	out->flags = out->pid_error == 0 ? flags : 0;
}

char *
spawn_format_exit(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));
		snprintf(out, size, "signal=%s", name != NULL ? name : "?");
	} else {
		snprintf(out, size, "code=%d reason=\"%s\"", WEXITSTATUS(status),
			 proto_exit_text(WEXITSTATUS(status)));
	}
	return out;
}
