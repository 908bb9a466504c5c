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
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heritage.h"
#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/inherit.h"
#include "supervisor/policy_compile.h"
#include "supervisor/policy_log.h"
#include "supervisor/prefault.h"
#include "supervisor/procfs.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

_Static_assert(ZYGOTE_SIBLING_FD + (PROTO_ZYGOTES_MAX - 1) * PROTO_FRONTS_MAX <= SPAWN_FDS_MAX,
	       "descriptors of a zygote");

/* The zygotes' ends, closed by us once it has its copies. */
struct zygote_ends {
	int supervisor_fd;
	int front_fds[PROTO_FRONTS_MAX][PROTO_ZYGOTES_MAX];
	int heritage_fd;
	int filter_fd;
	int worker_fd;
	int prefault_fd; /* -1: none */
};

static void
close_if_open(int fd)
{
	const int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

void
zygote_start_stamp(int fd, struct worker_stamp *stamp_out)
{
	struct stat status;

	*stamp_out = (struct worker_stamp){ 0 };
	if (fstat(fd, &status) < 0)
		return;
	stamp_out->device = status.st_dev;
	stamp_out->inode = status.st_ino;
	stamp_out->changed_ns =
		(uint64_t)status.st_mtim.tv_sec * 1000000000u + (uint64_t)status.st_mtim.tv_nsec;
}

static int
open_front_channels(const struct supervisor *supervisor, struct zygote_generation *generation,
		    struct zygote_ends *ends)
{
	int pair[2];

	for (uint32_t front = 0; front < supervisor->config->fronts; front++) {
		for (uint32_t i = 0; i < generation->zygotes; i++) {
			if (msg_channel_open(pair) < 0)
				return -1;
			generation->front_fds[front][i] = pair[0];
			ends->front_fds[front][i] = pair[1];
		}
	}
	return 0;
}

static int
open_ends(struct supervisor *supervisor, struct zygote_generation *generation,
	  const struct config_pool *config, struct zygote_ends *ends, int *channel_fd_out)
{
	int pair[2];

	if (msg_channel_open(pair) < 0)
		return -1;
	*channel_fd_out = pair[0];
	ends->supervisor_fd = pair[1];
	if (open_front_channels(supervisor, generation, ends) < 0)
		return -1;
	ends->heritage_fd = inherit_seal_zygote(supervisor, config, generation->number);
	ends->filter_fd = policy_compile(config->profile, policy_log_rest(supervisor, config));
	/* Opened here, because the zygote's user need not reach the folder that it lies in. */
	ends->worker_fd = open(config->worker_path, O_RDONLY | O_CLOEXEC);
	if (ends->worker_fd >= 0)
		zygote_start_stamp(ends->worker_fd, &generation->stamp);
	if (prefault_open(generation, config, &ends->prefault_fd) < 0)
		return -1;
	return ends->heritage_fd >= 0 && ends->filter_fd >= 0 && ends->worker_fd >= 0 ? 0 : -1;
}

/* The first zygote's channels where it keeps them, its siblings' where it finds them. */
static void
place_front_channels(const struct supervisor *supervisor, uint32_t zygotes,
		     const struct zygote_ends *ends, int *fds)
{
	const uint32_t fronts = supervisor->config->fronts;

	for (uint32_t front = 0; front < fronts; front++) {
		fds[ZYGOTE_FRONT_FD + front] = ends->front_fds[front][0];
		for (uint32_t i = 1; i < zygotes; i++)
			fds[ZYGOTE_SIBLING_FD + (i - 1) * fronts + front] =
				ends->front_fds[front][i];
	}
}

/* Where there are several, the number of each is the last character: siblings_fork writes theirs. */
static void
format_title(const struct zygote_generation *generation, char *out, size_t size)
{
	snprintf(out, size, "zygoted-zygote: %s%s", generation->pool->config->front.name,
		 generation->zygotes > 1 ? " 1" : "");
}

static int
spawn_zygote(struct supervisor *supervisor, struct zygote_generation *generation,
	     const struct zygote_ends *ends)
{
	char title[sizeof("zygoted-zygote:  1") + PROTO_NAME_MAX];
	int fds[SPAWN_FDS_MAX];
	const struct spawn_program program = {
		.program_fd = supervisor->zygote_program_fd,
		.title = title,
		.identity = &supervisor->identity,
		.namespaces = supervisor->namespaces.flags,
		.is_zygote = true,
		.channel = ZYGOTE_SUPERVISOR_FD,
		.fds = fds,
		.fds_count =
			ZYGOTE_SIBLING_FD + (generation->zygotes - 1) * supervisor->config->fronts,
	};

	format_title(generation, title, sizeof(title));
	for (unsigned i = 0; i < program.fds_count; i++)
		fds[i] = -1;
	fds[STDERR_FILENO] = STDERR_FILENO;
	fds[ZYGOTE_SUPERVISOR_FD] = ends->supervisor_fd;
	place_front_channels(supervisor, generation->zygotes, ends, fds);
	fds[ZYGOTE_HERITAGE_FD] = ends->heritage_fd;
	fds[ZYGOTE_FILTER_FD] = ends->filter_fd;
	fds[ZYGOTE_WORKER_FD] = ends->worker_fd;
	fds[ZYGOTE_PREFAULT_FD] = ends->prefault_fd;
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
zygote_start(struct supervisor *supervisor, struct zygote_generation *generation,
	     const struct config_pool *config)
{
	struct zygote_ends ends;
	int channel_fd = -1;

	memset(&ends, 0xff, sizeof(ends)); /* -1 in each */
	int result = open_ends(supervisor, generation, config, &ends, &channel_fd);

	if (result == 0)
		result = spawn_zygote(supervisor, generation, &ends);
	close_if_open(ends.supervisor_fd);
	for (unsigned i = 0; i < PROTO_FRONTS_MAX * PROTO_ZYGOTES_MAX; i++)
		close_if_open(ends.front_fds[i / PROTO_ZYGOTES_MAX][i % PROTO_ZYGOTES_MAX]);
	close_if_open(ends.heritage_fd);
	close_if_open(ends.filter_fd);
	close_if_open(ends.worker_fd);
	close_if_open(ends.prefault_fd);
	if (result < 0) {
		close_if_open(channel_fd);
		return -1;
	}
	if (channel_open(&generation->channel, supervisor->base, channel_fd) == 0)
		return 0;
	discard_process(generation);
	return -1;
}

/*
 * The siblings are the zygote's only children so far. Their pids in our /proc are kept: while one lives it has that pid, and
 * when one dies the whole generation does.
 */
static void
find_siblings(struct zygote_generation *generation)
{
	const struct msg_zygote_ready *ready = &generation->ready;
	struct procfs_children children = { 0 };
	uint32_t count = 0;

	if (ready->siblings_count == 0 || ready->siblings_count >= PROTO_ZYGOTES_MAX)
		return;
	if (procfs_children_add(generation->process.pid, &children) < 0)
		log_event(LOG_WARNING, "zygotes not found", "pool=%s error=\"%s\"",
			  generation->pool->config->front.name, strerror(errno));
	else
		for (; count < ready->siblings_count; count++)
			generation->siblings[count] =
				procfs_children_outer(&children, ready->siblings[count]);
	procfs_children_free(&children);
	generation->siblings_count = count;
}

static void
log_selftest(const struct zygote_generation *generation)
{
	const struct msg_zygote_ready *ready = &generation->ready;

	if (ready->selftest_status != 0)
		log_event(LOG_INFO, "self-test passed",
			  "pool=%s generation=%u status=%u took_us=%u",
			  generation->pool->config->front.name, generation->number,
			  ready->selftest_status, ready->selftest_us);
}

void
zygote_start_on_ready(struct zygote_generation *generation, const struct msg_zygote_ready *message)
{
	generation->ready = *message;
	find_siblings(generation);
	generation->ready_ms = clock_ms();
	log_event(LOG_INFO, "pool ready",
		  "pool=%s generation=%u pid=%d load_ms=%llu state_bytes=%llu image=%s reason=%s "
		  "image_bytes=%llu freeze_ms=%llu",
		  generation->pool->config->front.name, generation->number,
		  (int)generation->process.pid, (unsigned long long)message->load_us / 1000,
		  (unsigned long long)message->state_bytes,
		  proto_image_kind_name((enum image_kind)message->image.kind),
		  proto_image_why_name((enum image_why)message->image.why),
		  (unsigned long long)message->image.image_bytes,
		  (unsigned long long)message->image.freeze_us / 1000);
	log_selftest(generation);
}
