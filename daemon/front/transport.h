/*
 * A client's socket as its connection sees it: plain bytes in and out, with or without TLS below
 * them. None of these calls blocks.
 */
#ifndef ZYGOTED_FRONT_TRANSPORT_H
#define ZYGOTED_FRONT_TRANSPORT_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls_session;
struct tls_set;

struct transport {
	int fd;			 /* -1: closed */
	struct tls_session *tls; /* NULL: plain, or TLS that has not begun */
	uint64_t moved_bytes;	 /* through the socket, both ways, since somebody set it to 0 */
};

/* Takes over the socket. */
void transport_open(struct transport *transport, int fd);

/* Begins TLS; takes over the reference to `set`. False when out of memory. */
bool transport_start_tls(struct transport *transport, struct tls_set *set)
	__attribute__((warn_unused_result));

/* Goes on without TLS after a handshake that failed; what it had still to say goes to `out`. */
void transport_drop_tls(struct transport *transport, struct evbuffer *out);

/* Closes the socket. A peer that speaks TLS is told that nothing follows if `complete`. */
void transport_close(struct transport *transport, bool complete);
/* Closes it so that the peer sees that something is missing. */
void transport_reset(struct transport *transport);

/*
 * Reads into `data`, which has room for FRONT_SCRATCH_BYTES: `most` bytes, or with TLS whole records.
 * Their number; 0 when the peer has ended its side; -1 with errno, EAGAIN: nothing now.
 */
ssize_t transport_read(struct transport *transport, void *data, size_t most);
/* Reads and drops. The same. */
ssize_t transport_discard(struct transport *transport, void *data);
/* The last read brought the end of the peer's side along: no event will tell. */
bool transport_has_ended(const struct transport *transport);

/* Writes from the start of `out` what the socket takes, and removes it there. False when the socket
 * is broken. */
bool transport_write(struct transport *transport, struct evbuffer *out)
	__attribute__((warn_unused_result));

/* Bytes on their way that are in `out` no more; transport_write sends them. */
size_t transport_pending(const struct transport *transport);

/*
 * Tells the peer that nothing follows. Only after all was written. False when the socket is broken.
 * Has to be called again, after transport_write, when something is pending then.
 */
bool transport_end(struct transport *transport) __attribute__((warn_unused_result));

#endif
