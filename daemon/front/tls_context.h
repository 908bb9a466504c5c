/*
 * What is offered in a TLS handshake: one context for each certificate, made from texts in memory.
 * The supervisor makes the same contexts to find out whether the front will be able to.
 */
#ifndef ZYGOTED_FRONT_TLS_CONTEXT_H
#define ZYGOTED_FRONT_TLS_CONTEXT_H

#include "base/heritage.h"
#include "base/tls_bundle.h"

#include <stdint.h>

struct ssl_ctx_st;

struct tls_source {
	struct tls_text parts[TLS_PART_MAX];
	enum client_verify client_verify;
	enum tls_minimum minimum;
	enum protocol protocol; /* that is spoken over it */
};

struct tls_error {
	enum tls_part_kind part; /* which of them is at fault */
	char text[200];		 /* how, as the end of a sentence, with what to do */
};

/* OpenSSL without its configuration file and exit handlers. Once, before anything else of it is
 * used. Dies when it cannot. */
void tls_library_init(void);

/* Free it with tls_context_free. NULL after filling *error_out. */
struct ssl_ctx_st *tls_context_new(const struct tls_source *source, struct tls_error *error_out);
void tls_context_free(struct ssl_ctx_st *context);

/* Seconds until the certificate, and the staple, expire; negative: expired; INT64_MAX: never, or
 * there is none. */
int64_t tls_context_certificate_left(const struct ssl_ctx_st *context);
int64_t tls_context_staple_left(const struct ssl_ctx_st *context);

#endif
