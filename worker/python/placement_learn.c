/*
 * Rehearsals, each a process that loads the application, forks, has its child do what children do, and finds out which blocks that has used. The
 * processor tells pages, not blocks. So the first finds the blocks on pages that are used, and the second, where each of these has a page for itself,
 * those among them that are. If they are too many for that, a few share a page in the second, and there is a third.
 *
 * Runs in: zygote (load), before anything of the application is there, and the processes that it forks. Those have no descriptors and no output,
 * and go with the zygote.
 */
#include "placement_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REHEARSALS_MS  (240u * 1000) /* all of them */
#define REHEARSALS_MAX 4
#define APART_MAX      32768u /* blocks with a page for themselves: most need no more than one */

static const char *const reasons[PLACEMENT_STATE_MAX] = {
	[PLACEMENT_BEGUN] = "a process died or took longer than four minutes",
	[PLACEMENT_REQUEST_FAILED] = "a warm-up failed in a child",
	[PLACEMENT_TOO_MANY] = "too many objects",
	[PLACEMENT_NO_PAGEMAP] = "/proc/self/pagemap cannot be read",
	[PLACEMENT_OVERWRITTEN] = "a process has written over what it had found",
};

static int
is_any(const void *block)
{
	(void)block;
	return 1;
}

/* ---- the processes ---- */

/* Huge pages would be told as written for the sake of one object in them. */
static int
go_aside(void)
{
	const int null = open("/dev/null", O_RDWR);

	return null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
			       dup2(null, STDERR_FILENO) < 0 ||
			       syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0) < 0 ||
			       prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0 || setsid() < 0
		       ? -1
		       : 0;
}

/* Which children have none of, and may wait for. The zygote refuses such a load, and names them. */
static bool
has_threads(void)
{
	struct stat tasks; /* a link for each, and two as any directory */

	return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;
}

static enum placement_state
state_of(int error)
{
	return error == 0	 ? PLACEMENT_COMPLETE
	       : error == ENOMEM ? PLACEMENT_TOO_MANY
				 : PLACEMENT_NO_PAGEMAP;
}

static enum placement_state
answer_request(const struct placement_rehearsal *rehearsal, int is_exact,
	       int (*is_wanted)(const void *), struct placement_keys *out)
{
	placement_settle();
	const int error = placement_use_begin(is_exact);
	if (error != 0)
		return state_of(error);
	if (rehearsal->request(rehearsal->context) < 0)
		return PLACEMENT_REQUEST_FAILED;
	return state_of(placement_use_end(is_wanted, out));
}

/* What it finds it writes down itself; what is its own it can tell as long as we are there. */
static enum placement_state
fork_request(const struct placement_rehearsal *rehearsal, int is_exact,
	     int (*is_wanted)(const void *), struct placement_keys *out)
{
	const pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		out->state = answer_request(rehearsal, is_exact, is_wanted, out);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return out->state;
}

/* Where requests do not bear being watched, their writes tell the most. */
static enum placement_state
rehearse(const struct placement_rehearsal *rehearsal, struct placement_keys *apart,
	 unsigned per_page, struct placement_keys *out)
{
	int (*const is_wanted)(const void *) = apart != NULL ? placement_is_apart : is_any;

	if (go_aside() < 0)
		return PLACEMENT_BEGUN;
	if (placement_watch(apart, per_page) < 0)
		return PLACEMENT_UNSUPPORTED;
	if (rehearsal->load(rehearsal->context) < 0 || has_threads())
		return PLACEMENT_LOAD_FAILED;
	if (fork_request(rehearsal, 1, is_wanted, out) != PLACEMENT_COMPLETE) {
		*out = (struct placement_keys){ 0 };
		(void)fork_request(rehearsal, 0, is_wanted, out);
	}
	return out->state;
}

/* ---- the zygote ---- */

/*
 * It, and what it has started. Number 1 of a pid namespace also gets at what has left the group, and inherits all of it: nothing else runs there
 * before load is over.
 */
static void
end(pid_t pid)
{
	const pid_t all = getpid() == 1 ? -1 : pid;

	(void)kill(-pid, SIGKILL);
	(void)kill(all, SIGKILL);
	while (waitpid(all, NULL, 0) > 0 || errno == EINTR)
		;
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until it ends, or the time for all of them is over. */
static void
await(pid_t pid)
{
	static uint64_t begin_ms;

	struct pollfd process = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	if (begin_ms == 0)
		begin_ms = now_ms();
	const uint64_t gone_ms = now_ms() - begin_ms;
	const int left_ms = gone_ms < REHEARSALS_MS ? (int)(REHEARSALS_MS - gone_ms) : 0;
	while (process.fd >= 0 && poll(&process, 1, left_ms) < 0 && errno == EINTR)
		;
	end(pid);
	if (process.fd >= 0)
		close(process.fd);
}

/* It comes from a process that has run the application. */
static bool
is_sound(const struct placement_keys *keys)
{
	const uint64_t most =
		(uint64_t)PLACEMENT_KEYS_MAX * (PLACEMENT_BLOCK_MAX + PLACEMENT_OVERHEAD);
	uint32_t count = 0;

	for (size_t i = 0; i < sizeof(keys->slots) / sizeof(keys->slots[0]); i++) {
		const uint64_t use = keys->slots[i] & PLACEMENT_USE_BITS;
		if (keys->slots[i] != 0 && use != PLACEMENT_READ && use != PLACEMENT_WRITTEN)
			return false;
		count += keys->slots[i] != 0;
	}
	return count <= keys->count && keys->count <= PLACEMENT_KEYS_MAX &&
	       keys->bytes[PLACEMENT_READ] <= most && keys->bytes[PLACEMENT_WRITTEN] <= most;
}

static enum placement_state
run_aside(const struct placement_rehearsal *rehearsal, struct placement_keys *apart,
	  unsigned per_page, struct placement_keys *out)
{
	const pid_t zygote = getpid(), pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == zygote)
			out->state = rehearse(rehearsal, apart, per_page, out);
		_exit(0);
	}
	if (pid > 0)
		await(pid);
	if (!is_sound(out))
		out->state = PLACEMENT_OVERWRITTEN;
	return out->state;
}

static struct placement_keys *
new_keys(void)
{
	struct placement_keys *keys = mmap(NULL, sizeof(*keys), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return keys != MAP_FAILED ? keys : NULL;
}

void
placement_forget(struct placement_keys *keys)
{
	if (keys != NULL)
		munmap(keys, sizeof(*keys));
}

/* What the last rehearsal has found, NULL without memory. */
static struct placement_keys *
narrow(const struct placement_rehearsal *rehearsal)
{
	struct placement_keys *apart = NULL, *found = new_keys();
	unsigned per_page = 0;

	for (int i = 0; i < REHEARSALS_MAX && per_page != 1 && found != NULL; i++) {
		if (i > 0) {
			placement_forget(apart);
			apart = found;
			found = new_keys();
			per_page = apart->count / APART_MAX + 1;
		}
		if (found != NULL &&
		    run_aside(rehearsal, apart, per_page, found) != PLACEMENT_COMPLETE)
			break;
	}
	placement_forget(apart);
	return found;
}

struct placement_keys *
placement_learn(const struct placement_rehearsal *rehearsal)
{
	struct placement_keys *found = narrow(rehearsal);
	const uint32_t state = found != NULL ? found->state : PLACEMENT_TOO_MANY;

	if (state == PLACEMENT_COMPLETE)
		return found;
	placement_forget(found);
	if (state < PLACEMENT_STATE_MAX && reasons[state] != NULL)
		fprintf(stderr, "which objects requests use was not learned: %s\n", reasons[state]);
	return NULL;
}
