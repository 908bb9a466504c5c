/*
 * The certificates of all listeners that speak TLS, as the front has them: one set for each, to be
 * replaced as a whole while connections go on.
 */
#ifndef ZYGOTED_FRONT_TLS_H
#define ZYGOTED_FRONT_TLS_H

#include "front/tls_context.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct front;

/* Of one listener: the first one is for clients that name no host, or one that none is for. */
struct tls_set {
	unsigned references;
	unsigned count;
	struct ssl_ctx_st *contexts[TLS_CERTIFICATES_MAX];
};

struct tls {
	struct tls_set *sets[PROTO_LISTENERS_MAX]; /* NULL: plain */
};

/* Reads the bundle at FRONT_TLS_FD. Dies when it cannot: start only, before the lock-down. */
void tls_open(struct front *front);

/*
 * Takes a new bundle from `fd`, which it closes: for handshakes from now on. False, with the reason
 * in `error`: nothing has changed.
 */
bool tls_replace(struct front *front, int fd, uint32_t bytes, char *error, size_t size);

/* A set that is in use stays until it is given back. */
struct tls_set *tls_set_take(struct front *front, uint32_t listener);
void tls_set_give_back(struct tls_set *set);

#endif
