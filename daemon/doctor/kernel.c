/*
 * What else the daemon needs of the kernel: descriptors that stand for processes, sealed memory,
 * advice about memory, and the files that memory is counted by.
 *
 * Runs in: the processes of experiments.
 */
#include "doctor/experiment.h"
#include "doctor/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "supervisor/policy_compile.h"
#include "supervisor/procfs.h"
#include "supervisor/smaps.h"

#define PIDFD_WAIT	3 /* P_PIDFD of newer headers, waitid(2) */
#define POPULATED_PAGES 64
#define NOTIFIED_RESULT 4711 /* what the made-up socket call returns */

/* ---- processes ---- */

static void
run_pidfd(struct finding *finding)
{
	int pidfd = -1;
	siginfo_t info = { 0 };
	const long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0L, &pidfd, 0L, 0L);

	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0 || syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0) {
		finding_missing(finding, pid < 0 ? "clone with CLONE_PIDFD" : "pidfd_send_signal");
		return;
	}
	const bool killed = waitid((idtype_t)PIDFD_WAIT, (id_t)pidfd, &info, WEXITED) == 0 &&
			    info.si_status == SIGKILL;
	const int error = syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 ? errno : 0;
	finding_set(finding, killed && error == ESRCH, "%s; a second signal: %s",
		    killed ? "killed by it" : "not killed",
		    error == 0 ? "was sent" : strerror(error));
}

static void
run_close_range(struct finding *finding)
{
	int ends[2];

	if (lab_pair(ends) < 0) {
		finding_untried(finding, "no socket: %s", strerror(errno));
		return;
	}
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0) < 0) {
		finding_missing(finding, "close_range");
		return;
	}
	const bool are_closed = fcntl(ends[0], F_GETFD) < 0 && fcntl(ends[1], F_GETFD) < 0;
	finding_set(finding, are_closed, "they are %s", are_closed ? "closed" : "open");
}

/* ---- memory ---- */

static void
run_seals(struct finding *finding)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	const int fd = memfd_create("zygoted-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, LAB_PAGE) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0) {
		finding_missing(finding, "a sealed memfd");
		return;
	}
	const bool can_write = pwrite(fd, "", 1, 0) >= 0;
	const bool can_resize = ftruncate(fd, 0) == 0 || ftruncate(fd, 2 * LAB_PAGE) == 0;
	const bool can_share =
		mmap(NULL, LAB_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED;
	char *private = mmap(NULL, LAB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	finding_set(finding, !can_write && !can_resize && !can_share && private != MAP_FAILED,
		    "writing %s, resizing %s, a shared mapping %s, a private one %s",
		    can_write ? "works" : "is refused", can_resize ? "works" : "is refused",
		    can_share ? "works" : "is refused",
		    private != MAP_FAILED ? "works" : "is refused");
}

/* msync(2) of what is not mapped: ENOMEM. It kills nobody. */
static void
run_dontfork(struct finding *finding)
{
	char *memory = lab_anonymous(LAB_PAGE);

	if (memory == NULL || madvise(memory, LAB_PAGE, MADV_DONTFORK) < 0) {
		finding_missing(finding, "madvise MADV_DONTFORK");
		return;
	}
	memory[0] = 1;
	const pid_t pid = lab_fork();
	if (pid == 0)
		_exit(msync(memory, LAB_PAGE, MS_ASYNC) == 0 ? 0 : errno);
	const int status = pid > 0 ? lab_wait(pid) : -1;
	const bool in_child = status == 0;
	const bool in_parent = msync(memory, LAB_PAGE, MS_ASYNC) == 0;
	finding_set(finding, in_parent && WIFEXITED(status) && WEXITSTATUS(status) == ENOMEM,
		    "%s in the parent, %s in the child", in_parent ? "there" : "not there",
		    in_child ? "there" : "not there");
}

static void
run_populate(struct finding *finding)
{
	const size_t size = (size_t)POPULATED_PAGES * LAB_PAGE;
	volatile char *memory = lab_anonymous(size);

	if (memory == NULL || madvise((void *)memory, size, MADV_POPULATE_WRITE) < 0) {
		finding_missing(finding, "madvise MADV_POPULATE_WRITE");
		return;
	}
	(void)lab_faults();
	const long before = lab_faults();
	for (size_t at = 0; at < size; at += LAB_PAGE)
		memory[at] = 1;
	const long faults = lab_faults() - before;
	finding_add(finding, faults, "faults");
	finding_set(finding, faults <= 3, "%ld faults", faults);
}

/* ---- files ---- */

static void
run_pagemap(struct finding *finding)
{
	char *memory = lab_anonymous(LAB_PAGE);
	struct lab_pages alone, both;
	int ends[2];

	if (memory == NULL || lab_pair(ends) < 0) {
		finding_untried(finding, "no memory or socket: %s", strerror(errno));
		return;
	}
	memory[0] = 1;
	if (lab_count_pages((uintptr_t)memory, 1, &alone) < 0) {
		finding_missing(finding, "/proc/self/pagemap");
		return;
	}
	const pid_t pid = lab_fork();
	if (pid == 0)
		_exit(lab_await(ends[1]) ? 0 : 1);
	const int error = pid < 0 || lab_count_pages((uintptr_t)memory, 1, &both) < 0 ? errno : 0;
	if (!lab_wake(ends[0]) || pid < 0 || lab_wait(pid) != 0 || error != 0)
		finding_untried(finding, "no child: %s", strerror(error));
	else
		finding_set(finding, alone.copied == 1 && both.private == 1 && both.copied == 0,
			    "%s before, %s with a child", alone.copied ? "set" : "clear",
			    both.copied ? "set" : "clear");
}

static void
run_smaps(struct finding *finding)
{
	struct smaps_rollup rollup;
	char text[4096];

	if (procfs_read("/proc/self/smaps_rollup", text, sizeof(text)) < 0) {
		finding_missing(finding, "/proc/self/smaps_rollup");
		return;
	}
	if (smaps_parse_rollup(text, &rollup) < 0) {
		finding_set(finding, false, "it has not the fields that are needed");
		return;
	}
	finding_add(finding, (int64_t)rollup.rss_bytes, "rss_bytes");
	finding_add(finding, (int64_t)rollup.pss_bytes, "pss_bytes");
	finding_set(finding, rollup.rss_bytes > 0 && rollup.pss_bytes <= rollup.rss_bytes,
		    "resident %llu KiB, proportional %llu KiB",
		    (unsigned long long)rollup.rss_bytes / 1024,
		    (unsigned long long)rollup.pss_bytes / 1024);
}

/* ---- the listener ---- */

struct notified {
	int error;
	int listener_fd; /* its number in the table that both share */
	long result;
};

static _Noreturn void
call_and_wait(struct notified *notified, int filter_fd)
{
	notified->error = confine_no_new_privs();
	if (notified->error == 0)
		notified->error = confine_filter(filter_fd, &notified->listener_fd);
	(void)lab_wake(STDERR_FILENO);
	if (notified->error == 0)
		notified->result = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	_exit(0);
}

/* Whether a call of socket came and was answered, seccomp_unotify(2). */
static bool
answer(const struct notified *notified)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp response = { .val = NOTIFIED_RESULT };

	if (ioctl(notified->listener_fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0 ||
	    call.data.nr != SYS_socket)
		return false;
	response.id = call.id;
	return ioctl(notified->listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

/*
 * The filter lets a message with a descriptor pass on the zygote's numbers only, so the child shares
 * our table of descriptors; and it may write to standard error, so that is where it wakes us.
 */
static void
run_notify(struct finding *finding)
{
	struct notified *notified = lab_shared(sizeof(*notified));
	const int filter_fd = policy_compile("compute", POLICY_REST_NOTIFY);
	int ends[2];

	if (filter_fd < 0) {
		finding_missing(finding, "compiling a filter with a listener");
		return;
	}
	if (notified == NULL || lab_pair(ends) < 0 || dup2(ends[1], STDERR_FILENO) < 0) {
		finding_untried(finding, "no memory or socket: %s", strerror(errno));
		return;
	}
	const long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0L, 0L, 0L, 0L);
	if (pid == 0)
		call_and_wait(notified, filter_fd);
	if (pid < 0 || !lab_await(ends[0])) {
		finding_untried(finding, "no child: %s", strerror(errno));
		return;
	}
	errno = notified->error;
	if (errno != 0) {
		finding_missing(finding, "a filter with a listener");
		return;
	}
	const bool answered = answer(notified);
	close(notified->listener_fd); /* who still waits gets ENOSYS: seccomp_unotify(2) */
	lab_wait((pid_t)pid);
	finding_add(finding, notified->result, "result");
	finding_set(finding, answered && notified->result == NOTIFIED_RESULT,
		    "%s; socket returned %ld", answered ? "answered" : "not answered",
		    notified->result);
}

static const struct experiment rows[] = {
	{ .name = "seccomp-notify",
	  .done = "A filter lets socket wait for another process, which makes up the result 4711.",
	  .expected = "socket returns 4711. For sandbox = \"log\".",
	  .run = run_notify,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "pidfd",
	  .done = "A child is killed through its pidfd, twice.",
	  .expected = "It is killed; the second time: No such process (ESRCH).",
	  .run = run_pidfd,
	  .reliance = RELIANCE_YES },
	{ .name = "close-range",
	  .done = "close_range closes all descriptors from 3 on.",
	  .expected = "They are closed.",
	  .run = run_close_range,
	  .reliance = RELIANCE_YES },
	{ .name = "memfd-seals",
	  .done = "A memfd is sealed, then written, resized, mapped shared and mapped privately.",
	  .expected = "All are refused but the private mapping.",
	  .run = run_seals,
	  .reliance = RELIANCE_YES },
	{ .name = "dontfork",
	  .done = "A page is advised MADV_DONTFORK; the process forks.",
	  .expected = "It is there in the parent, not there in the child.",
	  .run = run_dontfork,
	  .reliance = RELIANCE_YES },
	{ .name = "populate-write",
	  .done = "64 pages are populated by MADV_POPULATE_WRITE, then written.",
	  .expected = "Writing them takes no page fault (at most 3, elsewhere).",
	  .run = run_populate,
	  .reliance = RELIANCE_PRESENT },
	{ .name = "pagemap-exclusive",
	  .done = "A process looks for the bit \"exclusively mapped\" of a page in its pagemap.",
	  .expected = "It is set, and clear while a child shares the page.",
	  .run = run_pagemap,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "smaps-rollup",
	  .done = "A process reads its /proc/self/smaps_rollup.",
	  .expected = "It has the sums of its mappings that memory is accounted by.",
	  .run = run_smaps,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
};

const struct experiment_group experiments_kernel = {
	.title = "means of the kernel",
	.experiments = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};
