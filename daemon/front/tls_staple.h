/*
 * OCSP stapling: the authority's own word that a certificate is good, sent along in the handshake
 * (RFC 6066 section 8).
 */
#ifndef ZYGOTED_FRONT_TLS_STAPLE_H
#define ZYGOTED_FRONT_TLS_STAPLE_H

#include "base/tls_bundle.h"

#include <stdint.h>

struct ssl_ctx_st;

/* Has the context send it to clients that ask, until it expires. NULL, or what is wrong with it. */
const char *tls_staple_use(struct ssl_ctx_st *context, const struct tls_text *text);

/* Seconds until it expires; INT64_MAX: never, or there is none. */
int64_t tls_staple_left(const struct ssl_ctx_st *context);

#endif
