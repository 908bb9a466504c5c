/*
 * One client's TLS: records from and to its socket, the handshake, and what is known about the
 * client afterwards. Nothing blocks.
 */
#ifndef ZYGOTED_FRONT_TLS_SESSION_H
#define ZYGOTED_FRONT_TLS_SESSION_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls_session;
struct tls_set;

/* What is told to workers; "" where there is nothing. Lives as long as the session. */
struct tls_info {
	const char *version; /* "TLSv1.3" */
	const char *cipher;
	const char *server_name; /* as the client asked for it */
	const char *subject;	 /* of its certificate, if that was verified */
	const char *san;
};

/* At start. False when out of memory. */
bool tls_session_init(void);

/* Takes over the reference to `set`. `moved_bytes` counts what goes through the socket. NULL when out
 * of memory. */
struct tls_session *tls_session_new(struct tls_set *set, int fd, uint64_t *moved_bytes);
void tls_session_free(struct tls_session *session);

/* The set to choose a certificate from; NULL when the handshake is over. */
const struct tls_set *tls_session_set(const struct tls_session *session);

/* tls_session_read may give this many bytes more than it reads from the socket. */
#define TLS_SESSION_SLACK (16 * 1024)
#define TLS_SESSION_READ  (16 * 1024 + 512)

/*
 * Reads from the socket once, and goes on with the handshake or decrypts. Bytes in `data`, which has
 * room for TLS_SESSION_READ + TLS_SESSION_SLACK; 0 at the end of the peer's side, be it said or not;
 * -1 with errno: EAGAIN: nothing for you yet; EPROTO: the handshake failed, or a record was bad.
 */
ssize_t tls_session_read(struct tls_session *session, void *data);
/* What came with the last bytes: the peer said that nothing follows. */
bool tls_session_has_ended(const struct tls_session *session);

bool tls_session_is_established(const struct tls_session *session);
bool tls_session_is_resumed(const struct tls_session *session);
/* Why EPROTO: for the log, printable. */
const char *tls_session_failure(const struct tls_session *session);
/* It failed because the client speaks plain HTTP. */
bool tls_session_met_http(const struct tls_session *session);

/* Encrypts from the start of `out` and sends, as long as the socket takes it. False: it is broken. */
bool tls_session_write(struct tls_session *session, struct evbuffer *out)
	__attribute__((warn_unused_result));

/* Encrypted bytes that wait for the socket. */
size_t tls_session_pending(const struct tls_session *session);
/* Moves them to `out`, to be sent without TLS: a last alert. */
void tls_session_take_pending(struct tls_session *session, struct evbuffer *out);

/* Says that nothing follows (close_notify), once. */
void tls_session_end(struct tls_session *session);

void tls_session_info(const struct tls_session *session, struct tls_info *info_out);

#endif
