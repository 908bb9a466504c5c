/*
 * State of the echo worker.
 */
#ifndef ZYGOTED_ECHO_H
#define ZYGOTED_ECHO_H

#include <stddef.h>
#include <stdint.h>

#define ECHO_BUFFER_BYTES 65536

struct echo {
	char *buffer; /* for bodies; pages that a small one does not reach are never touched */
	char **pages; /* of the ballast, that each request writes to: one address in each */
	size_t pages_count;
};

/* What a failed call says, NULL if it did not fail. */
struct ballast_result {
	const char *error;
	size_t pages; /* that the ballast has */
};

/*
 * Allocates `bytes` of memory in blocks of mixed sizes, fills it with bytes other than zero, and
 * chooses `touch` distinct pages of it, evenly spread. Called in the zygote, at load.
 */
struct ballast_result ballast_allocate(size_t bytes, size_t touch, struct echo *echo);

#endif
