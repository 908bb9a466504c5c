/*
 * What is done to every front.
 *
 * Runs in: supervisor. Fronts share the listening sockets and nothing else: one that dies takes its own connections with it,
 * the others accept what comes meanwhile.
 */
#include "supervisor/fronts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/heritage.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/supervisor.h"

/* Sealed in its size: a front that could cut it would end all who map it. */
static int
open_board(struct supervisor *supervisor)
{
	struct front_board *board = MAP_FAILED;
	int fd = memfd_create("zygoted-fronts", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, sizeof(*board)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED) {
		close(fd);
		return -1;
	}
	memset(board, 0xff, sizeof(*board)); /* FRONT_ABSENT in each */
	supervisor->board = board;
	supervisor->board_fd = fd;
	return 0;
}

int
fronts_init(struct supervisor *supervisor)
{
	if (open_board(supervisor) < 0)
		return -1;
	supervisor->fronts = calloc(supervisor->config->fronts, sizeof(*supervisor->fronts));
	if (supervisor->fronts == NULL)
		return -1;
	for (uint32_t i = 0; i < supervisor->config->fronts; i++)
		if (front_proc_init(&supervisor->fronts[i], supervisor, i) < 0)
			return -1;
	return 0;
}

void
fronts_fini(struct supervisor *supervisor)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		front_proc_fini(front);
	munmap(supervisor->board, sizeof(*supervisor->board));
	close(supervisor->board_fd);
	free(supervisor->fronts);
	supervisor->fronts = NULL;
}

struct front_proc *
fronts_next(const struct supervisor *supervisor, const struct front_proc *front)
{
	const uint32_t index = front != NULL ? front->index + 1 : 0;

	return index < supervisor->config->fronts ? &supervisor->fronts[index] : NULL;
}

void
fronts_start(struct supervisor *supervisor)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		front_proc_start(front);
}

bool
fronts_on_exit(struct supervisor *supervisor, pid_t pid, int status)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;) {
		if (front->process.pid != pid)
			continue;
		front_proc_on_exit(front, status);
		return true;
	}
	return false;
}

int
fronts_send(struct supervisor *supervisor, const void *message)
{
	int sent = 0;
	bool failed = false;

	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;) {
		if (!front_proc_takes_messages(front))
			continue;
		if (front_proc_send(front, message) == 0)
			sent++;
		else if (errno == EAGAIN)
			failed = true; /* else it has died */
	}
	return failed ? -1 : sent;
}

uint32_t
fronts_reconfigure(struct supervisor *supervisor, uint64_t cookie,
		   const bool is_new[PROTO_LISTENERS_MAX])
{
	uint32_t told = 0;

	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		if (front_proc_reconfigure(front, cookie, is_new))
			told |= 1u << front->index;
	return told;
}

bool
fronts_are_serving(const struct supervisor *supervisor)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		if (front_proc_is_ready(front))
			return true;
	return false;
}

bool
fronts_are_ready(const struct supervisor *supervisor)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		if (!front_proc_is_ready(front))
			return false;
	return true;
}

bool
fronts_drain(struct supervisor *supervisor)
{
	bool is_any = false;

	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;) {
		if (front_proc_drain(front))
			is_any = true;
		else
			front_proc_end(front, SIGTERM);
	}
	return is_any;
}

bool
fronts_are_drained(const struct supervisor *supervisor)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		if (!front->is_drained && !front_proc_is_gone(front))
			return false;
	return true;
}

void
fronts_end(struct supervisor *supervisor, int signal)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		front_proc_end(front, signal);
}

bool
fronts_are_gone(const struct supervisor *supervisor)
{
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		if (!front_proc_is_gone(front))
			return false;
	return true;
}
