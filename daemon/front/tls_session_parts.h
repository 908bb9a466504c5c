/*
 * Inside of a TLS session: for tls_session.c and tls_bio.c alone.
 */
#ifndef ZYGOTED_FRONT_TLS_SESSION_PARTS_H
#define ZYGOTED_FRONT_TLS_SESSION_PARTS_H

#include "front/tls_session.h"

#include <openssl/ssl.h>

struct tls_session {
	SSL *ssl;
	struct tls_set *set; /* until the handshake is over */
	struct evbuffer *pending;
	struct tls_peer *peer; /* NULL: no certificate of the client's */
	const char *input;     /* of the call in progress */
	size_t input_bytes;
	uint64_t *moved_bytes;
	const char *failure;
	int fd;
	bool established;
	bool broken;   /* the socket, or no memory */
	bool failed;   /* OpenSSL will do nothing more */
	bool ended;    /* the peer has said so */
	bool said_end; /* we have */
	bool met_http;
};

/* What OpenSSL reads from and writes to. NULL when out of memory. */
BIO *tls_bio_new(struct tls_session *session);

#endif
