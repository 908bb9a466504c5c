/*
 * A client's socket as its connection sees it: bytes in and out, whatever is spoken below them. None
 * of these calls blocks.
 */
#ifndef ZYGOTED_FRONT_TRANSPORT_H
#define ZYGOTED_FRONT_TRANSPORT_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct transport {
	int fd;		      /* -1: closed */
	uint64_t moved_bytes; /* through the socket, both ways, since somebody set it to 0 */
};

/* Takes over the socket. */
void transport_open(struct transport *transport, int fd);

/* Closes the socket; a reset makes the peer see that something is missing. */
void transport_close(struct transport *transport);
void transport_reset(struct transport *transport);

/* Reads up to `size` bytes. Their number; 0 when the peer has ended its side; -1 with errno. */
ssize_t transport_read(struct transport *transport, void *data, size_t size);

/* Writes from the start of `out` what the socket takes, and removes it there. False when the socket
 * is broken. */
bool transport_write(struct transport *transport, struct evbuffer *out)
	__attribute__((warn_unused_result));

/* Tells the peer that nothing follows. Only after all was written. False when the socket is broken. */
bool transport_end(struct transport *transport) __attribute__((warn_unused_result));

#endif
