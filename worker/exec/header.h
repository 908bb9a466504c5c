/*
 * What a CGI program says before its body: RFC 3875, 6.
 */
#ifndef ZYGOTED_EXEC_HEADER_H
#define ZYGOTED_EXEC_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEADER_BYTES_MAX  16384
#define HEADER_FIELDS_MAX 64

struct header_field {
	const char *name;
	const char *value;
};

struct header {
	int status;	 /* as Status says, 302 for a Location without one, else 200 */
	bool has_length; /* Content-Length was there */
	uint64_t length;
	size_t count;
	struct header_field fields
		[HEADER_FIELDS_MAX]; /* for the client: Content-Type and Location among them */
};

/*
 * Where the body begins in the `size` bytes that have come, 0 while the header's last, empty line has not. `*seen` is 0 before the first
 * call and remembers what later ones need not look at again. Lines end in LF, or CR LF.
 */
size_t header_find_end(const char *bytes, size_t size, size_t *seen);

/*
 * Takes a header of `size` bytes, its empty line included, apart; the fields point into `bytes`, which it changes. NULL, or what is wrong with
 * it. Fields that are the server's to write are left out. Pure.
 */
const char *header_parse(char *bytes, size_t size, struct header *out);

#endif
