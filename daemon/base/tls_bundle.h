/*
 * Certificates and keys on their way from the supervisor, which reads the files, to the front, which
 * alone uses them: one sealed memfd that holds those of all listeners.
 *
 * A bundle is a sequence of parts, each a struct tls_part and its bytes, unaligned. The parts of one
 * certificate stand together: chain, key, staple if it has one. Both ends are the same build.
 */
#ifndef ZYGOTED_BASE_TLS_BUNDLE_H
#define ZYGOTED_BASE_TLS_BUNDLE_H

#include "base/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_CERTIFICATES_MAX 8		  /* of a listener */
#define TLS_FILE_MAX	     (256 * 1024) /* bytes of one file */
#define TLS_BUNDLE_MAX	     (4 << 20)

enum tls_part_kind {
	TLS_PART_CHAIN,	 /* PEM: the certificate, then those that lead from it to its authority */
	TLS_PART_KEY,	 /* PEM */
	TLS_PART_STAPLE, /* DER: an OCSP response */
	TLS_PART_CLIENT_CA, /* PEM: who may sign certificates of clients; one for each listener at most */
	TLS_PART_MAX
};

struct tls_part {
	uint32_t listener; /* index into heritage_front.listeners */
	uint32_t kind;	   /* enum tls_part_kind */
	uint32_t bytes;
	uint32_t padding;
};

/* A text or blob in memory that is somebody else's. */
struct tls_text {
	const char *data; /* NULL: none */
	size_t size;
};

/*
 * The part at *cursor, which then stands behind it. False at the end and where the bundle makes no
 * sense: a caller that needs to know compares *cursor with `size`.
 */
bool tls_bundle_next(const char *bundle, size_t size, size_t *cursor, struct tls_part *part_out,
		     struct tls_text *text_out);

#endif
