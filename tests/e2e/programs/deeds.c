/*
 * A CGI program for tests: the last part of PATH_INFO names a deed, what an ordinary program does or what an attacker would try.
 *
 * Results of attempts are lines "what: errno's name"; "done" for one that had success.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT "Content-Type: text/plain\n\n"

extern char **environ;

static void
tell(const char *what, long result)
{
	printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
}

static void
say(const char *text)
{
	fputs(text, stdout);
	fflush(stdout);
}

/* ---- ordinary ---- */

static void
canary(void)
{
	unsigned long long word;

	memcpy(&word, (const void *)getauxval(AT_RANDOM), sizeof(word));
	printf(TEXT "%016llx\n", word);
}

static void
env(void)
{
	say(TEXT);
	for (char **variable = environ; *variable != NULL; variable++)
		printf("%s\n", *variable);
}

static void
where(void)
{
	char directory[4096];

	printf(TEXT "%s\n", getcwd(directory, sizeof(directory)));
}

static void
echo(void)
{
	static char bytes[65536];
	ssize_t count;

	say(TEXT);
	while ((count = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)count, stdout);
}

/* A piece now, the next one when a byte of the body has come. */
static void
stream(void)
{
	char byte;

	say(TEXT "one");
	if (read(STDIN_FILENO, &byte, 1) == 1)
		say("two");
}

static void
unread(void)
{
	close(STDIN_FILENO);
	say(TEXT "unread");
}

static void
status(void)
{
	say("Status: 404 Nothing here\r\nContent-Type: text/plain\r\nX-One: 1\r\nConnection: "
	    "close\r\nDate: never\r\n\r\nnothing\n");
}

static void
elsewhere(void)
{
	say("Location: https://example.org/a\n\n");
}

static void
local(void)
{
	say("Location: /echo/there\n\n");
}

static void
nothing(void)
{
	say("Status: 204\n\n");
}

static void
exact(void)
{
	say("Content-Type: text/plain\nContent-Length: 5\n\nhello");
}

static void
failing(void)
{
	say(TEXT "all of it");
	exit(3);
}

static void
log_line(void)
{
	fprintf(stderr, "said on standard error\n");
	say(TEXT "x");
}

/* ---- answers that are none ---- */

static void
silent(void)
{
}

static void
headless(void)
{
	say("hello\n");
}

static void
no_type(void)
{
	say("X-One: 1\n\nhello");
}

static void
half_header(void)
{
	say("Content-Type: text/plain\n");
}

static void
huge_header(void)
{
	for (;;)
		if (printf("X-Header: %0100d\n", 0) < 0)
			exit(1);
}

static void
endless_name(void)
{
	while (putchar('a') >= 0)
		continue;
	exit(1);
}

static void
bad_status(void)
{
	say("Status: 101 Switching\nContent-Type: text/plain\n\nx");
}

static void
two_types(void)
{
	say("Content-Type: text/plain\nContent-Type: text/html\n\nx");
}

static void
split_header(void)
{
	say("Content-Type: text/plain\nX-One: a\rX-Two: b\n\nx");
}

static void
null_byte(void)
{
	fwrite("Content-Type: a\0b\n\nx", 1, 20, stdout);
}

static void
too_long(void)
{
	say("Content-Type: text/plain\nContent-Length: 5\n\nhello and more");
}

static void
too_short(void)
{
	say("Content-Type: text/plain\nContent-Length: 5\n\nhell");
}

static void
crash(void)
{
	__builtin_trap();
}

static void
crash_later(void)
{
	static char bytes[100000];

	say(TEXT);
	fwrite(bytes, 1, sizeof(bytes), stdout);
	fflush(stdout);
	crash();
}

/* ---- attacks ---- */

static void
ignore_signals(void)
{
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_IGN);
}

static void
forks(void)
{
	int made = 0;

	for (int i = 0; i < 1000; i++) {
		const pid_t pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		made += pid > 0;
	}
	printf(TEXT "%d\n", made);
	tell("fork", fork());
	tell("vfork", syscall(SYS_vfork));
	tell("as a zygote", syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &made, 0, 0));
	tell("thread", syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0));
	tell("clone3", syscall(SYS_clone3, 0, 0));
}

static void
kills(void)
{
	say(TEXT);
	tell("translator", kill(getppid(), SIGKILL));
	tell("zygote", kill(1, SIGKILL));
	tell("all", kill(-1, SIGKILL));
	tell("group", kill(0, SIGKILL));
	tell("sibling", kill(getpid() + 2, SIGKILL));
	tell("thread", syscall(SYS_tgkill, getppid(), getppid(), SIGKILL));
	tell("ungrateful", prctl(PR_SET_PDEATHSIG, 0));
	tell("other signal", prctl(PR_SET_PDEATHSIG, SIGCONT));
}

static void
trace(void)
{
	say(TEXT);
	tell("trace", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
}

static void
peek(void)
{
	syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0);
}

static void
pidfd(void)
{
	syscall(SYS_pidfd_open, getppid(), 0);
}

static void
sockets(void)
{
	say(TEXT);
	tell("inet", socket(AF_INET, SOCK_STREAM, 0));
	tell("unix", socket(AF_UNIX, SOCK_STREAM, 0));
	tell("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
}

static void
pair(void)
{
	int fds[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static void
namespaces(void)
{
	unshare(CLONE_NEWUSER);
}

static void
descriptors(void)
{
	say(TEXT);
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	tell("\nflags", fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK));
	tell("channel", write(3, "x", 1));
}

/* What is shared with the next child by the log pipe, and with the child by the others. */
static void
shared(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	int one = 1;

	say(TEXT);
	for (int fd = 0; fd < 3; fd++) {
		tell("flags", fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC));
		tell("ioctl", ioctl(fd, FIONBIO, &one));
		tell("async", ioctl(fd, FIOASYNC, &one));
		tell("size", fcntl(fd, F_SETPIPE_SZ, 1 << 20));
		tell("owner", fcntl(fd, F_SETOWN, getppid()));
		tell("signal", fcntl(fd, F_SETSIG, SIGKILL));
		tell("lock", fcntl(fd, F_OFD_SETLK, &lock));
	}
}

/* Executes itself for ever. */
static void
again(void)
{
	char *const args[] = { (char *)getenv("QUERY_STRING"), NULL };

	ignore_signals();
	execve(args[0], args, environ);
	exit(1);
}

static void
by_descriptor(void)
{
	char *const none[] = { NULL };

	syscall(SYS_execveat, open(getenv("QUERY_STRING"), O_RDONLY), "", none, none,
		AT_EMPTY_PATH);
}

/* More pipes than there may be, each full, and one that it waits for. */
static void
fill_pipes(void)
{
	static const char bytes[4096];
	int fds[2];

	ignore_signals();
	while (pipe2(fds, O_NONBLOCK) == 0)
		while (write(fds[1], bytes, sizeof(bytes)) > 0)
			continue;
	while (write(STDERR_FILENO, bytes, sizeof(bytes)) != 0)
		continue;
}

/* The arguments of QUERY_STRING, a path: what can be done with it. */
static void
path(void)
{
	const char *name = getenv("QUERY_STRING");
	char *const args[] = { (char *)name, NULL };
	char *const variables[] = { "PATH_INFO=/ids", NULL };
	struct stat about;

	say(TEXT);
	tell("stat", stat(name, &about));
	tell("read", open(name, O_RDONLY));
	tell("write", open(name, O_WRONLY));
	tell("create", open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
	tell("make", mkdir(name, 0700));
	tell("remove", unlink(name));
	fflush(stdout);
	tell("execute", execve(name, args, variables));
}

/* Becomes the program that QUERY_STRING names, for the deed "ids". */
static void
become(void)
{
	const char *name = getenv("QUERY_STRING");
	char *const args[] = { (char *)name, NULL };
	char *const variables[] = { "PATH_INFO=/ids", NULL };

	execve(name, args, variables);
	exit(1);
}

static void
ids(void)
{
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) < 0)
		exit(1);
	printf(TEXT "%d secure=%d\n", real != 0 && effective == real && saved == real,
	       (int)getauxval(AT_SECURE));
}

static void
memfd(void)
{
	syscall(SYS_memfd_create, "x", 0);
}

static void
own_code(void)
{
	(void)!mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
limits(void)
{
	const struct rlimit more = { 1000, 1000 };

	say(TEXT);
	tell("processes", setrlimit(RLIMIT_NPROC, &more));
	tell("time", setrlimit(RLIMIT_CPU, &more));
	tell("dump", setrlimit(RLIMIT_CORE, &(const struct rlimit){ 0, 0 }));
}

static void
pipes(void)
{
	int count = 0, fds[2];

	while (pipe(fds) == 0)
		count++;
	printf(TEXT "%d\n", count);
}

static void
hoard(void)
{
	size_t mib = 0;
	char *memory;

	while ((memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0)) != MAP_FAILED) {
		memset(memory, 1, 1 << 20);
		mib++;
	}
	printf(TEXT "%zu\n", mib);
}

/* ---- staying ---- */

static void
hang(void)
{
	ignore_signals();
	for (;;)
		sleep(60);
}

static void
outlive(void)
{
	say(TEXT "all of it");
	close(STDOUT_FILENO);
	hang();
}

static void
spin(void)
{
	for (;;)
		continue;
}

static void
spin_on(void)
{
	ignore_signals();
	spin();
}

static long
microseconds(struct timeval time)
{
	return time.tv_sec * 1000000 + time.tv_usec;
}

/* As long in the kernel as in the program. */
static void
spin_half(void)
{
	struct rusage usage;

	ignore_signals();
	for (;;) {
		getrusage(RUSAGE_SELF, &usage);
		const int is_kernels_turn =
			microseconds(usage.ru_utime) > microseconds(usage.ru_stime);
		for (volatile int turns = 0; turns < (is_kernels_turn ? 1000 : 100000); turns++)
			if (is_kernels_turn)
				getrusage(RUSAGE_SELF, &usage);
	}
}

static void
endless(void)
{
	ignore_signals();
	say(TEXT);
	while (puts("and on and on and on and on and on and on and on and on and on") >= 0)
		continue;
	hang();
}

static const struct deed {
	const char *name;
	void (*run)(void);
} deeds[] = {
	{ "canary", canary },
	{ "env", env },
	{ "where", where },
	{ "echo", echo },
	{ "stream", stream },
	{ "unread", unread },
	{ "status", status },
	{ "elsewhere", elsewhere },
	{ "local", local },
	{ "nothing", nothing },
	{ "exact", exact },
	{ "failing", failing },
	{ "log", log_line },
	{ "silent", silent },
	{ "headless", headless },
	{ "no-type", no_type },
	{ "half-header", half_header },
	{ "huge-header", huge_header },
	{ "endless-name", endless_name },
	{ "bad-status", bad_status },
	{ "two-types", two_types },
	{ "split-header", split_header },
	{ "null-byte", null_byte },
	{ "too-long", too_long },
	{ "too-short", too_short },
	{ "crash", crash },
	{ "crash-later", crash_later },
	{ "forks", forks },
	{ "kills", kills },
	{ "trace", trace },
	{ "peek", peek },
	{ "pidfd", pidfd },
	{ "sockets", sockets },
	{ "pair", pair },
	{ "namespaces", namespaces },
	{ "descriptors", descriptors },
	{ "shared", shared },
	{ "again", again },
	{ "by-descriptor", by_descriptor },
	{ "fill-pipes", fill_pipes },
	{ "path", path },
	{ "become", become },
	{ "ids", ids },
	{ "memfd", memfd },
	{ "own-code", own_code },
	{ "limits", limits },
	{ "pipes", pipes },
	{ "hoard", hoard },
	{ "hang", hang },
	{ "outlive", outlive },
	{ "spin", spin },
	{ "spin-on", spin_on },
	{ "spin-half", spin_half },
	{ "endless", endless },
};

int
main(void)
{
	const char *info = getenv("PATH_INFO");
	const char *slash = info != NULL ? strrchr(info, '/') : NULL;

	for (size_t i = 0; slash != NULL && i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(slash + 1, deeds[i].name) == 0) {
			deeds[i].run();
			return 0;
		}
	say("Status: 404 No such deed\nContent-Type: text/plain\n\nno such deed\n");
	return 0;
}
