/*
 * What fork costs: against the size of the state, and with what a child inherits.
 *
 * Runs in: the processes of experiments. Times are those on a processor. Other programs, by the
 * caches, disturb them only upwards; so each is the least of several, and bounds are wide: the
 * effects are of another order.
 */
#include "doctor/experiment.h"
#include "doctor/lab.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "supervisor/policy_compile.h"
#include "supervisor/procfs.h"

#define FORKS_TIMED	 16
#define FROZEN_FACTOR	 3 /* at most, from nothing to the largest state */
#define INHERITED_FACTOR 5 /* at least; more than 30 were seen */
#define FILTER_FACTOR	 2 /* at most */
#define SLACK_US	 100

/* ---- the size of the state ---- */

/* The call alone, without the child's end. -1 when a fork fails. */
static int64_t
time_fork_us(void)
{
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < FORKS_TIMED; i++) {
		const int64_t start = lab_cpu_us();
		const pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		const int64_t time = lab_cpu_us() - start;
		if (pid < 0 || lab_wait(pid) != 0)
			return -1;
		if (time < least)
			least = time;
	}
	return least;
}

static char *
make_state(size_t size, bool is_frozen)
{
	if (is_frozen)
		return lab_frozen(size);
	char *state = lab_anonymous(size);
	for (size_t at = 0; state != NULL && at < size; at += LAB_PAGE)
		state[at] = 1;
	return state;
}

/* Whether it could be measured; if not the finding says why. */
static bool
time_with_state(struct finding *finding, unsigned mib, bool is_frozen, int64_t *time_us_out)
{
	const size_t size = mib * LAB_MIB;
	char *state = mib > 0 ? make_state(size, is_frozen) : NULL;

	if (mib > 0 && state == NULL) {
		finding_missing(finding, is_frozen ? "a sealed memfd, mapped privately" : "memory");
		return false;
	}
	*time_us_out = time_fork_us();
	if (state != NULL)
		munmap(state, size);
	if (*time_us_out < 0) {
		finding_set(finding, false, "a child could not be made, or died");
		return false;
	}
	finding_add(finding, *time_us_out, "fork_%u_mib_us", mib);
	return true;
}

static void
judge_times(struct finding *finding, const char *text, const int64_t *times, unsigned last,
	    bool is_frozen)
{
	const int64_t least = times[0] > 0 ? times[0] : 1;

	finding_add(finding, times[last] * 100 / least, "growth_percent");
	if (is_frozen)
		finding_set(finding, times[last] <= FROZEN_FACTOR * least + SLACK_US, "%s", text);
	else
		finding_set(finding, times[last] >= INHERITED_FACTOR * least, "%s", text);
}

/* Sizes that would bring the machine into need are left out. */
static void
compare_sizes(struct finding *finding, bool is_frozen)
{
	static const unsigned sizes_mib[] = { 0, 64, 256 };
	char text[FINDING_TEXT_MAX] = "fork takes";
	int64_t times[3];
	unsigned last = 0;

	lab_volunteer();
	for (unsigned i = 0; i < 3; i++) {
		if (!lab_has_memory(sizes_mib[i] * LAB_MIB))
			break;
		if (!time_with_state(finding, sizes_mib[i], is_frozen, &times[i]))
			return;
		last = i;
		const size_t length = strlen(text);
		snprintf(text + length, sizeof(text) - length, "%s %lld us with %u MiB",
			 i > 0 ? "," : "", (long long)times[i], sizes_mib[i]);
	}
	if (last == 0)
		finding_untried(finding, "less than 256 MiB of memory are known to be available");
	else
		judge_times(finding, text, times, last, is_frozen);
}

static void
run_fork_inherited(struct finding *finding)
{
	compare_sizes(finding, false);
}

static void
run_fork_frozen(struct finding *finding)
{
	compare_sizes(finding, true);
}

/* ---- what is inherited ---- */

/* What a confined process says of itself and its child, in shared memory. */
struct inherited {
	int error;
	int64_t plain_us;
	int64_t load_us;
	int64_t confined_us;
	pid_t parked;
	char network[64]; /* its network namespace */
};

/* As the zygote forks: its filter lets no other form of the call pass. */
static pid_t
bare_fork(void)
{
	int pidfd = -1;
	const long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0L, &pidfd, 0L, 0L);

	if (pid > 0)
		close(pidfd);
	return (pid_t)pid;
}

static int64_t
time_bare_fork_us(void)
{
	int64_t least = INT64_MAX;

	for (unsigned i = 0; i < FORKS_TIMED; i++) {
		siginfo_t info;
		const int64_t start = lab_cpu_us();
		const pid_t pid = bare_fork();
		if (pid == 0)
			_exit(0);
		const int64_t time = lab_cpu_us() - start;
		if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
			return -1;
		if (time < least)
			least = time;
	}
	return least;
}

static void
read_network(pid_t pid, char *out, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	const ssize_t length = readlink(path, out, size - 1);
	out[length > 0 ? length : 0] = '\0';
}

static _Noreturn void
park(void)
{
	for (;;)
		poll(NULL, 0, -1);
}

static int
confine(int filter_fd)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_MSGQUEUE, &none) < 0)
		return errno;
	const int error = confine_no_new_privs();
	return error != 0 ? error : confine_filter(filter_fd, NULL);
}

/* The zygote's part. A namespace of its own if there is one to be had. Everything that needs a file
 * comes before the filter. */
static _Noreturn void
run_confined(struct inherited *inherited, int filter_fd, int end)
{
	(void)unshare(CLONE_NEWUSER | CLONE_NEWNET); /* else it has that of all others */
	read_network(getpid(), inherited->network, sizeof(inherited->network));
	dup2(end, STDERR_FILENO); /* which the filter lets it write to */
	inherited->plain_us = time_bare_fork_us();
	const int64_t start = lab_cpu_us();
	inherited->error = confine(filter_fd);
	inherited->load_us = lab_cpu_us() - start;
	if (inherited->error == 0)
		inherited->confined_us = time_bare_fork_us();
	const pid_t pid = bare_fork();
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			_exit(1);
		park();
	}
	inherited->parked = pid;
	(void)lab_wake(STDERR_FILENO);
	park();
}

/* The number after `key` in the text of a status file, -1 if none. */
static long
status_number(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at == NULL ? -1 : strtol(at + strlen(key), NULL, 10);
}

static void
judge_inherited(struct finding *finding, const struct inherited *inherited)
{
	char path[64], status[8192], network[64];
	struct rlimit limit = { 1, 1 };

	snprintf(path, sizeof(path), "/proc/%d/status", (int)inherited->parked);
	if (procfs_read(path, status, sizeof(status)) < 0) {
		finding_set(finding, false, "no parked child: %s", strerror(errno));
		return;
	}
	const long seccomp = status_number(status, "\nSeccomp:");
	const long no_new_privs = status_number(status, "\nNoNewPrivs:");
	read_network(inherited->parked, network, sizeof(network));
	const bool limit_read = prlimit(inherited->parked, RLIMIT_MSGQUEUE, NULL, &limit) == 0;
	finding_add(finding, seccomp, "seccomp");
	finding_add(finding, no_new_privs, "no_new_privs");
	finding_add(finding, inherited->plain_us, "fork_plain_us");
	finding_add(finding, inherited->confined_us, "fork_confined_us");
	finding_add(finding, inherited->load_us, "load_us");
	const bool is_same = seccomp == 2 && no_new_privs == 1 && limit_read &&
			     limit.rlim_max == 0 && network[0] != '\0' &&
			     strcmp(network, inherited->network) == 0;
	const bool is_cheap =
		inherited->confined_us > 0 &&
		inherited->confined_us <= FILTER_FACTOR * inherited->plain_us + SLACK_US;
	finding_set(finding, is_same && is_cheap,
		    "child: Seccomp %ld, NoNewPrivs %ld, limit %lld, namespace %s; fork takes %lld "
		    "us, before the filter %lld us, loading it %lld us",
		    seccomp, no_new_privs, (long long)limit.rlim_max,
		    strcmp(network, inherited->network) == 0 ? "the same" : "another",
		    (long long)inherited->confined_us, (long long)inherited->plain_us,
		    (long long)inherited->load_us);
}

static void
run_inherited(struct finding *finding)
{
	struct inherited *inherited = lab_shared(sizeof(*inherited));
	int filter_fd = policy_compile("compute", POLICY_REST_KILL);
	int ends[2];

	if (filter_fd < 0) {
		finding_missing(finding, "compiling the filter");
		return;
	}
	if (inherited == NULL || lab_pair(ends) < 0) {
		finding_untried(finding, "no memory or socket: %s", strerror(errno));
		return;
	}
	const pid_t pid = lab_fork();
	if (pid == 0)
		run_confined(inherited, filter_fd, ends[1]);
	close(ends[1]);
	if (pid < 0 || !lab_await(ends[0])) {
		finding_set(finding, false, "the confined process died");
		return;
	}
	errno = inherited->error;
	if (inherited->error != 0)
		finding_missing(finding, "loading the filter");
	else
		judge_inherited(finding, inherited);
	if (inherited->parked > 0)
		kill(inherited->parked, SIGKILL);
	lab_end(pid);
}

static const struct experiment rows[] = {
	{ .name = "fork-time-inherited",
	  .done = "For contrast: the processor time of fork, with 0, 64 and 256 MiB of written "
		  "memory.",
	  .expected = "It takes 5 times as long at least: page tables are copied for each page.",
	  .run = run_fork_inherited,
	  .reliance = RELIANCE_NO },
	{ .name = "fork-time-frozen",
	  .done = "The same with a frozen image in place of written memory.",
	  .expected = "It takes no longer (at most 3 times as long and 100 us).",
	  .run = run_fork_frozen,
	  .reliance = RELIANCE_YES },
	{ .name = "inherited-sandbox",
	  .done = "A process with a limit, a namespace, no_new_privs and the children's filter "
		  "forks a child, which parks.",
	  .expected = "The child has them all (Seccomp 2, NoNewPrivs 1, limit 0), and fork takes "
		      "no longer than without the filter (at most twice and 100 us).",
	  .run = run_inherited,
	  .reliance = RELIANCE_YES,
	  .as_user = true },
};

const struct experiment_group experiments_cost = {
	.title = "what fork costs",
	.experiments = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};
