/*
 * Output of children as log lines.
 *
 * Runs in: front. The bytes are hostile: escaped, cut, and bounded for each child. A slot's pipe
 * outlives its child, but never serves two at a time: the slot is free only when the zygote has
 * reaped the child, and a child can neither pass a descriptor on nor leave a process behind.
 */
#include "front/child_log.h"

#include "base/log.h"
#include "front/pool.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LINE_SHOWN 600

/*
 * Twice of what is kept: writes do not share a page of the pipe unless they fit in it together, so
 * one that is full holds at least half of its size, and what is kept is never lost for want of
 * room. Refused for a large size, or when the user's pipe pages are used up; then it is smaller.
 */
static uint64_t
size_pipe(int fd, uint64_t bytes)
{
	int size = fcntl(fd, F_SETPIPE_SZ, (int)(2 * bytes));

	if (size < 0)
		size = fcntl(fd, F_SETPIPE_SZ, (int)bytes);
	if (size < 0)
		size = fcntl(fd, F_GETPIPE_SZ);
	return size > 0 ? (uint64_t)size : 0;
}

int
child_log_open(struct child *child, uint64_t bytes)
{
	int fds[2];

	if (child->log_read_fd >= 0)
		return 0;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	child->log_pipe_bytes = size_pipe(fds[1], bytes);
	child->log_read_fd = fds[0];
	child->log_write_fd = fds[1];
	return 0;
}

static void
log_line(const struct child *child, const char *line, size_t length)
{
	char shown[LINE_SHOWN];

	if (length == 0)
		return;
	log_event(LOG_INFO, "child says", "pool=%s pid=%d request=%s text=\"%s\"",
		  child->generation->pool->config->name, child->pid, child->request_id,
		  log_escape(line, length, shown, sizeof(shown)));
}

static void
log_lines(const struct child *child, const char *data, size_t length)
{
	while (length > 0) {
		const char *end = memchr(data, '\n', length);
		size_t line = end != NULL ? (size_t)(end - data) : length;
		log_line(child, data, line);
		line += end != NULL;
		data += line;
		length -= line;
	}
}

static void
note_cut(struct child *child)
{
	if (child->log_cut)
		return;
	child->log_cut = true;
	child->generation->pool->stats.output_truncated++;
	log_event(LOG_INFO, "child says too much", "pool=%s pid=%d request=%s",
		  child->generation->pool->config->name, child->pid, child->request_id);
}

void
child_log_drain(struct child *child)
{
	const uint64_t most = child->generation->pool->config->output_bytes;
	uint64_t drained = 0;
	char data[4096];
	ssize_t count;

	if (child->log_read_fd < 0)
		return;
	/* No more than the pipe holds: a child that lives may fill it as fast as this empties it. */
	while (drained < child->log_pipe_bytes &&
	       (count = read(child->log_read_fd, data, sizeof(data))) > 0) {
		const uint64_t room = most - child->log_bytes;
		const size_t kept = (uint64_t)count < room ? (size_t)count : (size_t)room;
		log_lines(child, data, kept);
		child->log_bytes += kept;
		drained += (uint64_t)count;
		if (kept < (size_t)count)
			note_cut(child);
	}
	if (drained > child->log_pipe_bytes / 2)
		note_cut(child); /* it may have been full */
}

void
child_log_close(struct child *child)
{
	if (child->log_read_fd < 0)
		return;
	close(child->log_read_fd);
	close(child->log_write_fd);
	child->log_read_fd = child->log_write_fd = -1;
}
