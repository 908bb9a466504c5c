/*
 * Socket I/O of client connections.
 *
 * Runs in: front. Everything read is hostile; nothing here looks at it.
 */
#include "front/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void
transport_open(struct transport *transport, int fd)
{
	*transport = (struct transport){ .fd = fd };
}

void
transport_close(struct transport *transport)
{
	close(transport->fd);
	transport->fd = -1;
}

void
transport_reset(struct transport *transport)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	transport_close(transport);
}

ssize_t
transport_read(struct transport *transport, void *data, size_t size)
{
	ssize_t count = recv(transport->fd, data, size, 0);

	if (count > 0)
		transport->moved_bytes += (uint64_t)count;
	return count;
}

bool
transport_write(struct transport *transport, struct evbuffer *out)
{
	while (evbuffer_get_length(out) > 0) {
		int written = evbuffer_write(out, transport->fd);
		if (written <= 0)
			return written < 0 && (errno == EAGAIN || errno == EINTR);
		transport->moved_bytes += (uint64_t)written;
	}
	return true;
}

bool
transport_end(struct transport *transport)
{
	return shutdown(transport->fd, SHUT_WR) == 0;
}
