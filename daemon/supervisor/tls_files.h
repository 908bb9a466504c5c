/*
 * Certificates and keys from their files: read, checked, and kept in one sealed memfd for the front.
 */
#ifndef ZYGOTED_SUPERVISOR_TLS_FILES_H
#define ZYGOTED_SUPERVISOR_TLS_FILES_H

#include <stdint.h>

#include "supervisor/config_errors.h"

struct config;

#define TLS_NOTES_MAX 8
#define TLS_NOTE_MAX  256

/* The supervisor holds the memfd, never the bytes. */
struct tls_files {
	int fd;
	uint32_t bytes;
	unsigned certificates;
	unsigned notes_count; /* what an operator should know: expiry, permissions */
	char notes[TLS_NOTES_MAX][TLS_NOTE_MAX];
};

/*
 * Reads and checks the files of all listeners. 0, *files_out is NULL when none speaks TLS; or -1 after
 * noting errors. Blocks for reading.
 */
int tls_files_read(const struct config *config, struct config_errors *errors,
		   struct tls_files **files_out) __attribute__((warn_unused_result));
void tls_files_free(struct tls_files *files);

/* For NULL: -1, and 0. */
int tls_files_fd(const struct tls_files *files);
uint32_t tls_files_bytes(const struct tls_files *files);

#endif
