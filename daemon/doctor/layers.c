/*
 * The layers of the sandbox that are not namespaces, each put up and then tried.
 *
 * Runs in: the processes of experiments, as the unprivileged user.
 */
#include "doctor/experiment.h"
#include "doctor/lab.h"
#include "doctor/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine.h"
#include "supervisor/policy_compile.h"

#define DATA_LIMIT	 (64 * LAB_MIB)
#define DESCRIPTOR_LIMIT 8

static void
run_user(struct finding *finding)
{
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) < 0) {
		finding_missing(finding, "getresuid");
		return;
	}
	const bool came_back = setresuid(0, 0, 0) == 0;
	finding_add(finding, effective, "uid");
	finding_set(finding, real != 0 && effective != 0 && saved != 0 && !came_back,
		    "runs as uid %u, %s become root", (unsigned)effective,
		    came_back ? "can" : "cannot");
}

/* Any file that is there for everybody: the root directory. */
static void
run_landlock(struct finding *finding)
{
	const long abi =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const int before = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (abi < 0) {
		finding_missing(finding, "landlock_create_ruleset");
		return;
	}
	const int no_new_privs_error = confine_no_new_privs();
	errno = no_new_privs_error != 0 ? no_new_privs_error : confine_landlock(NULL, 0, false);
	if (errno != 0) {
		finding_missing(finding, "landlock_restrict_self");
		return;
	}
	const int after = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int error = after < 0 ? errno : 0;
	finding_add(finding, abi, "abi");
	finding_set(finding, before >= 0 && error == EACCES, "ABI %ld; opening /: %s", abi,
		    error == 0 ? "works" : strerror(error));
}

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	return (int)syscall(SYS_capset, &header, none);
}

/* Making a UTS namespace takes CAP_SYS_ADMIN and harms nobody. Where a user namespace can be had it
 * gives all capabilities, and dropping them shows; elsewhere the ordinary user has none. */
static void
run_capabilities(struct finding *finding)
{
	const bool had = namespaces_enter(CLONE_NEWUSER) == 0 && unshare(CLONE_NEWUTS) == 0;

	if (drop_capabilities() < 0) {
		finding_missing(finding, "capset");
		return;
	}
	const int error = unshare(CLONE_NEWUTS) < 0 ? errno : 0;
	finding_add(finding, had, "had_some");
	finding_set(finding, error == EPERM, "before: %s, after: %s",
		    had ? "works" : "not permitted either", error == 0 ? "works" : strerror(error));
}

static void
run_no_new_privs(struct finding *finding)
{
	errno = confine_no_new_privs();
	if (errno != 0) {
		finding_missing(finding, "PR_SET_NO_NEW_PRIVS");
		return;
	}
	const bool refused = prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) < 0;
	const pid_t pid = lab_fork();
	if (pid == 0)
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1);
	const bool inherited = pid > 0 && lab_wait(pid) == 0;
	finding_set(finding, refused && inherited, "set, %s be unset, the child has it%s",
		    refused ? "cannot" : "can", inherited ? "" : " not");
}

/* Memory, descriptors: limits that the zygote sets once. */
static void
run_rlimits(struct finding *finding)
{
	const struct rlimit data = { DATA_LIMIT, DATA_LIMIT };
	const struct rlimit descriptors = { DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT };
	unsigned opened = 0;

	if (setrlimit(RLIMIT_DATA, &data) < 0 || setrlimit(RLIMIT_NOFILE, &descriptors) < 0) {
		finding_missing(finding, "setrlimit");
		return;
	}
	const int data_error = lab_anonymous(DATA_LIMIT + LAB_MIB) == NULL ? errno : 0;
	while (opened < 2 * DESCRIPTOR_LIMIT && dup(STDIN_FILENO) >= 0)
		opened++;
	const int open_error = opened < 2 * DESCRIPTOR_LIMIT ? errno : 0;
	finding_add(finding, data_error, "data_errno");
	finding_add(finding, open_error, "open_errno");
	finding_set(finding, data_error == ENOMEM && open_error == EMFILE,
		    "65 MiB of 64: %s; a ninth descriptor: %s",
		    data_error == 0 ? "there" : strerror(data_error),
		    open_error == 0 ? "there" : strerror(open_error));
}

/* ---- the filter ---- */

static int
load_filter(enum policy_rest rest, int *listener_fd_out)
{
	const int fd = policy_compile("compute", rest);

	if (fd < 0)
		return errno;
	const int error = confine_no_new_privs();
	return error != 0 ? error : confine_filter(fd, listener_fd_out);
}

static _Noreturn void
call_filtered(int *error_out, long call)
{
	*error_out = load_filter(POLICY_REST_KILL, NULL);
	if (*error_out == 0)
		syscall(call, AF_INET, SOCK_STREAM, 0);
	_exit(0);
}

/* The wait status of a child that makes this call below the children's filter; -1 when it cannot be
 * had. */
static int
try_filtered(long call)
{
	int *error = lab_shared(sizeof(*error));

	if (error == NULL)
		return -1;
	const pid_t pid = lab_fork();
	if (pid == 0)
		call_filtered(error, call);
	const int status = pid > 0 ? lab_wait(pid) : -1;
	if (*error != 0) {
		errno = *error;
		return -1;
	}
	return status;
}

static void
run_seccomp(struct finding *finding)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0) {
		finding_missing(finding, "seccomp, or its action that kills");
		return;
	}
	const int allowed = try_filtered(SYS_getpid);
	const int killed = allowed == -1 ? -1 : try_filtered(SYS_socket);

	if (allowed == -1 || killed == -1) {
		finding_missing(finding, "loading the filter");
		return;
	}
	const int signal = WIFSIGNALED(killed) ? WTERMSIG(killed) : 0;
	finding_add(finding, signal, "signal");
	finding_set(finding, allowed == 0 && signal == SIGSYS, "getpid: %s; socket: %s%s",
		    allowed == 0 ? "works" : "killed", signal != 0 ? "killed by SIG" : "works",
		    signal != 0 ? sigabbrev_np(signal) : "");
}

static const struct experiment rows[] = {
	{ .name = "user",
	  .done = "The process gives up root, if it has it, and tries to get it back.",
	  .expected = "It has another uid than 0, and cannot.",
	  .run = run_user,
	  .reliance = RELIANCE_YES,
	  .as_user = true },
	{ .name = "user-namespace",
	  .done = "An unprivileged process makes a user namespace and maps its user to itself.",
	  .expected = "It has all capabilities in there, and its uid.",
	  .run = namespaces_run_user,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "pid-namespace",
	  .done = "Process 1 of a pid namespace forks a child, and is killed.",
	  .expected = "It is number 1 in there, and its child dies with it.",
	  .run = namespaces_run_pid,
	  .reliance = RELIANCE_PRESENT },
	{ .name = "net-namespace",
	  .done = "In a network namespace of its own a process connects to 127.0.0.1.",
	  .expected = "The network is unreachable.",
	  .run = namespaces_run_net,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "ipc-namespace",
	  .done = "A message queue is made in an IPC namespace, and looked for outside.",
	  .expected = "It is not there.",
	  .run = namespaces_run_ipc,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "uts-namespace",
	  .done = "The host name is changed in a UTS namespace.",
	  .expected = "It is the old one outside.",
	  .run = namespaces_run_uts,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "mount-namespace",
	  .done = "A tmpfs is mounted on /proc in a mount namespace.",
	  .expected = "/proc is what it was outside.",
	  .run = namespaces_run_mount,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "empty-root",
	  .done = "pivot_root makes an empty read-only tmpfs the root directory.",
	  .expected = "/ has no entries, /proc does not exist, and nothing can be created.",
	  .run = namespaces_run_root,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "landlock",
	  .done = "A Landlock domain without a single right; then / is opened.",
	  .expected = "Permission denied (EACCES).",
	  .run = run_landlock,
	  .reliance = RELIANCE_PRESENT,
	  .as_user = true },
	{ .name = "no-capabilities",
	  .done = "All capabilities are dropped; before and after, a UTS namespace is made.",
	  .expected = "Afterwards: Operation not permitted (EPERM).",
	  .run = run_capabilities,
	  .reliance = RELIANCE_YES,
	  .as_user = true },
	{ .name = "no-new-privs",
	  .done = "PR_SET_NO_NEW_PRIVS is set, unset, and looked for in a child.",
	  .expected = "It cannot be unset, and the child has it.",
	  .run = run_no_new_privs,
	  .reliance = RELIANCE_YES,
	  .as_user = true },
	{ .name = "rlimits",
	  .done = "RLIMIT_DATA of 64 MiB and RLIMIT_NOFILE of 8 are set, and exceeded.",
	  .expected = "ENOMEM and EMFILE.",
	  .run = run_rlimits,
	  .reliance = RELIANCE_YES,
	  .as_user = true },
	{ .name = "seccomp",
	  .done = "Children under the filter of the profile compute call getpid and socket.",
	  .expected = "getpid works, socket is death by SIGSYS.",
	  .run = run_seccomp,
	  .reliance = RELIANCE_YES,
	  .as_user = true },
};

const struct experiment_group experiments_layers = {
	.title = "layers of the sandbox",
	.experiments = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};
