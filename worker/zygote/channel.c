/*
 * Blocking reads and writes on the channel to the front.
 *
 * Runs in: child. When the front closes its end there is nobody left to answer: the child ends
 * here, so that nothing above has to handle it.
 */
#include "runtime.h"

#include <errno.h>
#include <unistd.h>

size_t
channel_read(int fd, void *buffer, size_t size)
{
	ssize_t count;

	do
		count = read(fd, buffer, size);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		_exit(ZY_EXIT_CHANNEL);
	return (size_t)count;
}

/* A signal can cut a write short. */
static void
skip_written(struct iovec **parts, int *count, size_t written)
{
	while (*count > 0 && written >= (*parts)->iov_len) {
		written -= (*parts)->iov_len;
		(*parts)++;
		(*count)--;
	}
	if (*count > 0) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + written;
		(*parts)->iov_len -= written;
	}
}

void
channel_write(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t written = count == 1 ? write(fd, parts->iov_base, parts->iov_len)
					     : writev(fd, parts, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			_exit(ZY_EXIT_CHANNEL);
		skip_written(&parts, &count, (size_t)written);
	}
}
