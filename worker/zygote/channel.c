/*
 * Blocking reads and writes on the channel to the front.
 *
 * Runs in: child. When the front closes its end there is nobody left to answer: the child ends
 * here, so that nothing above has to handle it.
 */
#include "runtime.h"
#include "sys.h"

#include <errno.h>

size_t
channel_read(int fd, void *buffer, size_t size)
{
	long count;

	do
		count = sys_call(SYS_read, fd, (long)buffer, (long)size, 0);
	while (count == -EINTR);
	if (count < 0)
		sys_exit(ZY_EXIT_CHANNEL);
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
		long written = count == 1 ? sys_call(SYS_write, fd, (long)parts->iov_base,
						     (long)parts->iov_len, 0)
					  : sys_call(SYS_writev, fd, (long)parts, count, 0);
		if (written == -EINTR)
			continue;
		if (written < 0)
			sys_exit(ZY_EXIT_CHANNEL);
		skip_written(&parts, &count, (size_t)written);
	}
}
