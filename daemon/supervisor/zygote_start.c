/*
 * What a zygote gets at exec.
 *
 * Runs in: supervisor. The rule: a zygote has its own ends of its channels and nobody else's, so
 * that a dead peer is always seen as a hang-up.
 */
#include "supervisor/zygote_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heritage.h"
#include "base/log.h"
#include "supervisor/config.h"
#include "supervisor/inherit.h"
#include "supervisor/policy_compile.h"
#include "supervisor/policy_log.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

/* The zygote's ends, closed by us once it has its copies. */
struct zygote_ends {
	int supervisor_fd;
	int front_fd;
	int heritage_fd;
	int filter_fd;
	int worker_fd;
};

static void
close_if_open(int fd)
{
	const int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

static int
open_ends(struct supervisor *supervisor, struct zygote_generation *generation,
	  struct zygote_ends *ends, int *channel_fd_out)
{
	const struct config_pool *config = generation->pool->config;
	int pair[2];

	if (msg_channel_open(pair) < 0)
		return -1;
	*channel_fd_out = pair[0];
	ends->supervisor_fd = pair[1];
	if (msg_channel_open(pair) < 0)
		return -1;
	generation->front_fd = pair[0];
	ends->front_fd = pair[1];
	ends->heritage_fd = inherit_seal_zygote(supervisor, config, generation->number);
	ends->filter_fd = policy_compile(config->profile, policy_log_rest(supervisor, config));
	/* Opened here, because the zygote's user need not reach the folder that it lies in. */
	ends->worker_fd = open(config->worker_path, O_RDONLY | O_CLOEXEC);
	return ends->heritage_fd >= 0 && ends->filter_fd >= 0 && ends->worker_fd >= 0 ? 0 : -1;
}

static int
spawn_zygote(struct supervisor *supervisor, struct zygote_generation *generation,
	     const struct zygote_ends *ends)
{
	char title[sizeof("zygoted-zygote: ") + PROTO_NAME_MAX];
	int fds[ZYGOTE_FD_MAX];
	const struct spawn_program program = {
		.program_fd = supervisor->zygote_program_fd,
		.title = title,
		.identity = &supervisor->identity,
		.namespaces = supervisor->namespaces.flags,
		.is_zygote = true,
		.channel = ZYGOTE_SUPERVISOR_FD,
		.fds = fds,
		.fds_count = ZYGOTE_FD_MAX,
	};

	snprintf(title, sizeof(title), "zygoted-zygote: %s", generation->pool->config->front.name);
	for (int i = 0; i < ZYGOTE_FD_MAX; i++)
		fds[i] = -1;
	fds[STDERR_FILENO] = STDERR_FILENO;
	fds[ZYGOTE_SUPERVISOR_FD] = ends->supervisor_fd;
	fds[ZYGOTE_FRONT_FD] = ends->front_fd;
	fds[ZYGOTE_HERITAGE_FD] = ends->heritage_fd;
	fds[ZYGOTE_FILTER_FD] = ends->filter_fd;
	fds[ZYGOTE_WORKER_FD] = ends->worker_fd;
	return spawn_start(&program, &generation->process);
}

/* Without a channel a zygote is of no use; nobody has seen it yet, so it can be waited for here. */
static void
discard_process(struct zygote_generation *generation)
{
	const int saved = errno;

	spawn_kill(&generation->process, SIGKILL);
	while (waitpid(generation->process.pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	spawn_forget(&generation->process);
	errno = saved;
}

int
zygote_start(struct supervisor *supervisor, struct zygote_generation *generation)
{
	struct zygote_ends ends = { -1, -1, -1, -1, -1 };
	int channel_fd = -1;
	int result = open_ends(supervisor, generation, &ends, &channel_fd);

	if (result == 0)
		result = spawn_zygote(supervisor, generation, &ends);
	close_if_open(ends.supervisor_fd);
	close_if_open(ends.front_fd);
	close_if_open(ends.heritage_fd);
	close_if_open(ends.filter_fd);
	close_if_open(ends.worker_fd);
	if (result < 0) {
		close_if_open(channel_fd);
		return -1;
	}
	if (channel_open(&generation->channel, supervisor->base, channel_fd) == 0)
		return 0;
	discard_process(generation);
	return -1;
}
