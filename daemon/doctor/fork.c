/*
 * Facts about fork itself: what it returns, what it copies, what limits it.
 *
 * Runs in: the processes of experiments.
 */
#include "doctor/experiment.h"
#include "doctor/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct view {
	pid_t result;
	pid_t self;
	pid_t parent;
};

static void
run_returns(struct finding *finding)
{
	struct view *child = lab_shared(sizeof(*child));

	if (child == NULL) {
		finding_untried(finding, "no memory: %s", strerror(errno));
		return;
	}
	const pid_t result = fork();
	if (result == 0) {
		*child = (struct view){ .result = result, .self = getpid(), .parent = getppid() };
		_exit(0);
	}
	if (result < 0) {
		finding_missing(finding, "fork");
		return;
	}
	const int status = lab_wait(result);
	finding_add(finding, child->result, "child_result");
	finding_add(finding, result == child->self, "parent_has_pid");
	finding_set(finding,
		    status == 0 && child->result == 0 && result == child->self &&
			    child->parent == getpid(),
		    "%d in the child, %d in the parent; the child is %d", child->result, result,
		    child->self);
}

static int
fork_at_limit(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_NPROC, &none) < 0)
		return -1;
	const pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	lab_wait(pid);
	return 0;
}

static void
run_limit(struct finding *finding)
{
	const int error = fork_at_limit();

	if (error < 0) {
		finding_missing(finding, "setrlimit");
		return;
	}
	finding_add(finding, error, "errno");
	finding_add(finding, geteuid(), "uid");
	finding_set(finding, error == EAGAIN, "fork as uid %u: %s", (unsigned)geteuid(),
		    error == 0 ? "a process was made" : strerror(error));
}

static void
run_limit_root(struct finding *finding)
{
	if (geteuid() != 0) {
		finding_untried(finding, "only root can try");
		return;
	}
	const int error = fork_at_limit();
	if (error < 0) {
		finding_missing(finding, "setrlimit");
		return;
	}
	finding_add(finding, error, "errno");
	finding_set(finding, error == 0, "fork as uid 0: %s",
		    error == 0 ? "a process was made" : strerror(error));
}

static void
run_descriptors(struct finding *finding)
{
	int ends[2];

	if (lab_pair(ends) < 0) {
		finding_untried(finding, "no socket: %s", strerror(errno));
		return;
	}
	const pid_t pid = lab_fork();
	if (pid == 0)
		_exit(close(ends[0]) == 0 && close(ends[1]) == 0 ? 0 : 1);
	const bool child_closed = pid > 0 && lab_wait(pid) == 0;
	const bool parent_has = lab_wake(ends[1]) && lab_await(ends[0]);
	finding_add(finding, parent_has, "open_in_parent");
	finding_set(finding, child_closed && parent_has, "%s in the child, %s in the parent",
		    child_closed ? "closed" : "not closed", parent_has ? "open" : "closed");
}

static void
run_offset(struct finding *finding)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char bytes[4];

	if (fd < 0) {
		finding_untried(finding, "cannot open /proc/self/exe: %s", strerror(errno));
		return;
	}
	const pid_t pid = lab_fork();
	if (pid == 0)
		_exit(read(fd, bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : 1);
	const bool child_read = pid > 0 && lab_wait(pid) == 0;
	const long offset = (long)lseek(fd, 0, SEEK_CUR);
	finding_add(finding, offset, "parent_offset");
	finding_set(finding, child_read && offset == sizeof(bytes), "the parent's offset is %ld",
		    offset);
}

static const struct experiment rows[] = {
	{ .name = "fork-returns",
	  .done = "A process forks.",
	  .expected = "fork returns 0 in the child and the child's pid in the parent.",
	  .run = run_returns,
	  .reliance = RELIANCE_YES },
	{ .name = "process-limit",
	  .done = "RLIMIT_NPROC is 0 and the user is not root; the process forks.",
	  .expected = "fork fails: Resource temporarily unavailable (EAGAIN).",
	  .run = run_limit,
	  .reliance = RELIANCE_YES,
	  .as_user = true },
	{ .name = "process-limit-root",
	  .done = "For contrast: RLIMIT_NPROC is 0 and the user is root; the process forks.",
	  .expected = "A process is made: root is exempt, so children never run as root.",
	  .run = run_limit_root,
	  .reliance = RELIANCE_NO },
	{ .name = "descriptor-table",
	  .done = "A child closes a socket that it inherited.",
	  .expected = "It stays open in the parent: the table of descriptors is copied.",
	  .run = run_descriptors,
	  .reliance = RELIANCE_YES },
	{ .name = "shared-offset",
	  .done = "A child reads 4 bytes of a file that the parent has opened.",
	  .expected = "The parent's offset is 4: what descriptors stand for is shared.",
	  .run = run_offset,
	  .reliance = RELIANCE_YES },
};

const struct experiment_group experiments_fork = {
	.title = "fork",
	.experiments = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};
