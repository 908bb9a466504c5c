/*
 * Output of children as log lines.
 *
 * Runs in: front. The bytes are hostile: escaped, cut, and bounded by the pipe. A slot's pipe
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

int
child_log_open(struct child *child, uint64_t bytes)
{
	int fds[2];

	if (child->log_read_fd >= 0)
		return 0;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	/* Refused when the user's pipe pages are used up; the bound is then the kernel's smaller
	 * default. */
	(void)fcntl(fds[1], F_SETPIPE_SZ, (int)bytes);
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
	log_event(LOG_INFO, "child says", "pool=%s pid=%d request=%016llx text=\"%s\"",
		  child->generation->pool->config->name, child->pid,
		  (unsigned long long)child->request,
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

void
child_log_drain(struct child *child)
{
	char data[4096];
	ssize_t count;

	if (child->log_read_fd < 0)
		return;
	while ((count = read(child->log_read_fd, data, sizeof(data))) > 0)
		log_lines(child, data, (size_t)count);
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
