/*
 * Namespaces: each is entered by a child, and looked at from inside and from outside.
 *
 * Runs in: the processes of experiments. As the daemon does it: a pid namespace by root, if it is
 * root, all others by the unprivileged user in a user namespace.
 */
#include "doctor/namespaces.h"

#include "doctor/experiment.h"
#include "doctor/lab.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define QUEUE_KEY   0x7a79646f /* of the message queue that is made in the namespace only */
#define MOUNT_PLACE "/proc"    /* is there wherever the daemon runs */

static int
write_line(const char *path, const char *line)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	const ssize_t written = write(fd, line, strlen(line));
	const int saved = errno;
	close(fd);
	errno = saved;
	return written < 0 ? -1 : 0;
}

/* setgroups has to be given up before the group can be mapped: user_namespaces(7). */
static int
map_identity(uid_t uid, gid_t gid)
{
	char line[64];

	if (write_line("/proc/self/setgroups", "deny") < 0)
		return -1;
	snprintf(line, sizeof(line), "%u %u 1", (unsigned)uid, (unsigned)uid);
	if (write_line("/proc/self/uid_map", line) < 0)
		return -1;
	snprintf(line, sizeof(line), "%u %u 1", (unsigned)gid, (unsigned)gid);
	return write_line("/proc/self/gid_map", line);
}

int
namespaces_enter(int flags)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (unshare(flags) < 0)
		return -1;
	return (flags & CLONE_NEWUSER) != 0 ? map_identity(uid, gid) : 0;
}

/* ---- user ---- */

void
namespaces_run_user(struct finding *finding)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { 0 }, { 0 } };
	const uid_t uid = geteuid();

	if (namespaces_enter(CLONE_NEWUSER) < 0) {
		finding_missing(finding, "a user namespace");
		return;
	}
	const bool has_all = syscall(SYS_capget, &header, sets) == 0 &&
			     (sets[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
	finding_add(finding, geteuid(), "uid");
	finding_set(finding, has_all && geteuid() == uid, "uid %u, %s capabilities",
		    (unsigned)geteuid(), has_all ? "all" : "no");
}

/* ---- pid ---- */

/* Both hold `end` until they die. No signal ends the second one: the namespace has to. */
static _Noreturn void
be_first(pid_t *number, int end)
{
	*number = getpid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || fork() < 0 || !lab_wake(end))
		_exit(1);
	for (;;)
		pause();
}

/* Our end hangs up when the last that held the other one is gone. */
static void
watch_first(struct finding *finding, pid_t *number, int ends[2])
{
	const pid_t pid = fork();

	if (pid == 0)
		be_first(number, ends[1]);
	close(ends[1]);
	const bool is_up = pid > 0 && lab_await(ends[0]) && lab_await(ends[0]);
	if (pid > 0)
		lab_end(pid);
	const bool is_gone = !lab_await(ends[0]);
	finding_add(finding, *number, "pid");
	finding_set(finding, is_up && is_gone && *number == 1, "number %d; its child %s",
		    (int)*number, is_gone ? "died with it" : "lives on");
}

void
namespaces_run_pid(struct finding *finding)
{
	pid_t *number = lab_shared(sizeof(*number));
	int ends[2];

	if (number == NULL || lab_pair(ends) < 0) {
		finding_untried(finding, "no memory or socket: %s", strerror(errno));
		return;
	}
	if (namespaces_enter(geteuid() == 0 ? CLONE_NEWPID : CLONE_NEWUSER | CLONE_NEWPID) < 0)
		finding_missing(finding, "a pid namespace");
	else
		watch_first(finding, number, ends);
}

/* ---- net ---- */

void
namespaces_run_net(struct finding *finding)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(9),
					     .sin_addr = { htonl(INADDR_LOOPBACK) } };

	if (namespaces_enter(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		finding_missing(finding, "a network namespace");
		return;
	}
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		finding_untried(finding, "no socket: %s", strerror(errno));
		return;
	}
	const int error =
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	finding_add(finding, error, "errno");
	finding_set(finding, error == ENETUNREACH, "connecting: %s",
		    error == 0 ? "works" : strerror(error));
}

/* ---- what is seen from outside ---- */

struct inside {
	int error;    /* the namespace could not be had */
	bool is_done; /* in there it had its effect */
};

static bool
make_queue(void)
{
	return msgget(QUEUE_KEY, IPC_CREAT | IPC_EXCL | 0600) >= 0 && msgget(QUEUE_KEY, 0) >= 0;
}

static bool
set_host(void)
{
	struct utsname name;

	return sethostname("zygoted-doctor", 14) == 0 && uname(&name) == 0 &&
	       strcmp(name.nodename, "zygoted-doctor") == 0;
}

static bool
mount_over(void)
{
	struct stat before, after;

	return stat(MOUNT_PLACE, &before) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("doctor", MOUNT_PLACE, "tmpfs", MS_RDONLY, "size=4096") == 0 &&
	       stat(MOUNT_PLACE, &after) == 0 && before.st_dev != after.st_dev;
}

/*
 * Does it in a child's namespaces, which stay until lab_end. The child's pid; or 0, and the finding
 * says why.
 */
static pid_t
change_inside(struct finding *finding, int flags, bool (*change)(void), const char *what)
{
	struct inside *inside = lab_shared(sizeof(*inside));
	int ends[2];
	pid_t pid = -1;

	if (inside != NULL && lab_pair(ends) == 0 && (pid = lab_fork()) == 0) {
		if (namespaces_enter(CLONE_NEWUSER | flags) < 0)
			inside->error = errno;
		else
			inside->is_done = change();
		(void)lab_wake(ends[1]);
		(void)lab_await(ends[1]);
		_exit(0);
	}
	if (pid < 0 || !lab_await(ends[0])) {
		finding_untried(finding, "no child: %s", strerror(errno));
		return 0;
	}
	if (inside->error == 0 && inside->is_done)
		return pid;
	lab_end(pid);
	errno = inside->error;
	if (errno != 0)
		finding_missing(finding, what);
	else
		finding_set(finding, false, "no effect in %s", what);
	return 0;
}

void
namespaces_run_ipc(struct finding *finding)
{
	const pid_t pid = change_inside(finding, CLONE_NEWIPC, make_queue, "an IPC namespace");

	if (pid == 0)
		return;
	const int error = msgget(QUEUE_KEY, 0) < 0 ? errno : 0;
	lab_end(pid);
	finding_set(finding, error == ENOENT, "outside: %s",
		    error == 0 ? "it is there" : strerror(error));
}

void
namespaces_run_uts(struct finding *finding)
{
	struct utsname before, after;
	const bool is_known = uname(&before) == 0;
	const pid_t pid = change_inside(finding, CLONE_NEWUTS, set_host, "a UTS namespace");

	if (pid == 0)
		return;
	const bool is_same =
		is_known && uname(&after) == 0 && strcmp(before.nodename, after.nodename) == 0;
	lab_end(pid);
	finding_set(finding, is_same, "the host name outside is %s", is_same ? "the same" : "new");
}

void
namespaces_run_mount(struct finding *finding)
{
	struct stat before, after;
	const bool is_known = stat(MOUNT_PLACE, &before) == 0;
	const pid_t pid = change_inside(finding, CLONE_NEWNS, mount_over, "a mount namespace");

	if (pid == 0)
		return;
	const bool is_same = is_known && stat(MOUNT_PLACE, &after) == 0 &&
			     before.st_dev == after.st_dev && before.st_ino == after.st_ino;
	lab_end(pid);
	finding_set(finding, is_same, MOUNT_PLACE " outside is %s",
		    is_same ? "the same" : "another");
}

/* ---- an empty root ---- */

/* As the zygote makes it: the old root comes to lie on the new one and is taken off, pivot_root(2). */
static int
change_root(void)
{
	static const char *const places[] = { "/proc", "/tmp", "/run", "/sys" };
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
	size_t i = 0;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	while (mount("doctor", places[i], "tmpfs", flags, "size=4096,nr_inodes=1") < 0)
		if (++i == sizeof(places) / sizeof(places[0]))
			return -1;
	if (chdir(places[i]) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

/* Besides "." and "..". -1 when it cannot be read. */
static int
count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = -2;

	if (directory == NULL)
		return -1;
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

void
namespaces_run_root(struct finding *finding)
{
	if (namespaces_enter(CLONE_NEWUSER | CLONE_NEWNS) < 0 || change_root() < 0) {
		finding_missing(finding, "an own root directory");
		return;
	}
	const int entries = count_entries("/");
	const bool has_proc = access("/proc", F_OK) == 0;
	const int error = mkdir("/doctor", 0700) < 0 ? errno : 0;
	finding_add(finding, entries, "entries");
	finding_set(finding, entries == 0 && !has_proc && error == EROFS,
		    "%d entries, /proc %s, creating one: %s", entries,
		    has_proc ? "exists" : "does not exist", error == 0 ? "works" : strerror(error));
}
