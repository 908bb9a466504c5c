/*
 * Children, meeting points and memory for experiments.
 *
 * Runs in: the processes of experiments. Children leave by _exit only.
 */
#include "doctor/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/procfs.h"

#define PAGES_AT_ONCE 512

/* Bits of an entry, Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_EXCLUSIVE (1ull << 56)
#define ENTRY_FILE	(1ull << 61)
#define ENTRY_PRESENT	(1ull << 63)

pid_t
lab_fork(void)
{
	const pid_t parent = getpid();
	const pid_t pid = fork();

	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(1);
	return pid;
}

int
lab_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

void
lab_end(pid_t pid)
{
	if (pid <= 0)
		return; /* kill(2) would take it for a group, or for everybody */
	kill(pid, SIGKILL);
	lab_wait(pid);
}

int
lab_pair(int ends_out[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_out);
}

bool
lab_wake(int end)
{
	return write(end, "", 1) == 1;
}

bool
lab_await(int end)
{
	char byte;

	return read(end, &byte, 1) == 1;
}

static void *
map(size_t size, int flags, int fd)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void *
lab_shared(size_t size)
{
	return map(size, MAP_SHARED | MAP_ANONYMOUS, -1);
}

/* A kernel without huge pages refuses the advice, and needs none. */
char *
lab_anonymous(size_t size)
{
	char *memory = map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (memory != NULL)
		madvise(memory, size, MADV_NOHUGEPAGE);
	return memory;
}

/* Written through the descriptor: a shared mapping that was there once would forbid the seal. */
static int
fill(int fd, size_t size)
{
	static char block[256 * 1024];

	for (size_t at = 0; at < sizeof(block); at += LAB_PAGE)
		block[at] = 1;
	for (size_t at = 0; at < size;) {
		const size_t rest = size - at < sizeof(block) ? size - at : sizeof(block);
		const ssize_t written = write(fd, block, rest);
		if (written <= 0 || written % LAB_PAGE != 0)
			return -1;
		at += (size_t)written;
	}
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

char *
lab_frozen(size_t size)
{
	int fd = memfd_create("zygoted-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *memory = NULL;

	if (fd < 0)
		return NULL;
	if (fill(fd, size) == 0)
		memory = map(size, MAP_PRIVATE, fd);
	const int saved = errno;
	close(fd);
	errno = saved;
	return memory;
}

static void
count_entries(const uint64_t *entries, size_t count, struct lab_pages *out)
{
	for (size_t i = 0; i < count; i++) {
		const bool is_present = (entries[i] & ENTRY_PRESENT) != 0;
		const bool is_private = is_present && (entries[i] & ENTRY_FILE) == 0;
		out->present += is_present;
		out->private += is_private;
		out->copied += is_private && (entries[i] & ENTRY_EXCLUSIVE) != 0;
	}
}

int
lab_count_pages(uintptr_t start, size_t count, struct lab_pages *out)
{
	uint64_t entries[PAGES_AT_ONCE];
	off_t at = (off_t)(start / LAB_PAGE * sizeof(entries[0]));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return -1;
	while (count > 0) {
		const size_t some = count < PAGES_AT_ONCE ? count : PAGES_AT_ONCE;
		const ssize_t size = pread(fd, entries, some * sizeof(entries[0]), at);
		if (size != (ssize_t)(some * sizeof(entries[0]))) {
			const int error = size < 0 ? errno : EIO;
			close(fd);
			errno = error;
			return -1;
		}
		count_entries(entries, some, out);
		count -= some;
		at += size;
	}
	close(fd);
	return 0;
}

long
lab_faults(void)
{
	struct rusage usage = { 0 };

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

int64_t
lab_cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* proc_pid_oom_score_adj(5); anybody may raise it. Without it the experiment is as good. */
void
lab_volunteer(void)
{
	const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4);
	close(fd);
}

/* Four times as much has to be there. */
bool
lab_has_memory(size_t size)
{
	uint64_t available;

	return procfs_available_bytes(&available) == 0 && available / 4 >= size;
}
