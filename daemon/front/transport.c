/*
 * Socket I/O of client connections.
 *
 * Runs in: front. Everything read is hostile; nothing here looks at it. Without TLS each call is one
 * system call.
 */
#include "front/transport.h"

#include "front/front.h"
#include "front/tls_session.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(FRONT_BODY_BYTES <= FRONT_SCRATCH_BYTES, "room for what is read");
_Static_assert(TLS_SESSION_READ + TLS_SESSION_SLACK <= FRONT_SCRATCH_BYTES,
	       "room for what is read");

void
transport_open(struct transport *transport, int fd)
{
	*transport = (struct transport){ .fd = fd };
}

bool
transport_start_tls(struct transport *transport, struct tls_set *set)
{
	transport->tls = tls_session_new(set, transport->fd, &transport->moved_bytes);
	return transport->tls != NULL;
}

void
transport_drop_tls(struct transport *transport, struct evbuffer *out)
{
	tls_session_take_pending(transport->tls, out);
	tls_session_free(transport->tls);
	transport->tls = NULL;
}

void
transport_close(struct transport *transport, bool complete)
{
	if (transport->tls != NULL && complete)
		tls_session_end(transport->tls);
	tls_session_free(transport->tls);
	transport->tls = NULL;
	close(transport->fd);
	transport->fd = -1;
}

void
transport_reset(struct transport *transport)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	transport_close(transport, false);
}

static ssize_t
read_plain(struct transport *transport, void *data, size_t most)
{
	ssize_t count = recv(transport->fd, data, most, 0);

	if (count > 0)
		transport->moved_bytes += (uint64_t)count;
	return count;
}

ssize_t
transport_discard(struct transport *transport, void *data)
{
	return read_plain(transport, data, FRONT_IO_BYTES);
}

ssize_t
transport_read(struct transport *transport, void *data, size_t most)
{
	return transport->tls != NULL ? tls_session_read(transport->tls, data)
				      : read_plain(transport, data, most);
}

bool
transport_has_ended(const struct transport *transport)
{
	return transport->tls != NULL && tls_session_has_ended(transport->tls);
}

bool
transport_write(struct transport *transport, struct evbuffer *out)
{
	if (transport->tls != NULL)
		return tls_session_write(transport->tls, out);
	while (evbuffer_get_length(out) > 0) {
		int written = evbuffer_write(out, transport->fd);
		if (written <= 0)
			return written < 0 && (errno == EAGAIN || errno == EINTR);
		transport->moved_bytes += (uint64_t)written;
	}
	return true;
}

size_t
transport_pending(const struct transport *transport)
{
	return transport->tls != NULL ? tls_session_pending(transport->tls) : 0;
}

bool
transport_end(struct transport *transport)
{
	if (transport->tls != NULL)
		tls_session_end(transport->tls);
	return transport_pending(transport) > 0 || shutdown(transport->fd, SHUT_WR) == 0;
}
