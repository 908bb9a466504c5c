/*
 * Finding a row by its key: an open hash table over rows that lie one after the other in one arena.
 *
 * A row is a fixed number of NUL-terminated strings; the first is its normalised key. A lookup
 * reads one or two slots and the row, so a child touches two or three pages however large the table
 * is. Read-only once built.
 */
#ifndef ZYGOTED_TABLE_INDEX_H
#define ZYGOTED_TABLE_INDEX_H

#include "key.h"

#include <stddef.h>
#include <stdint.h>

#define INDEX_ARENA_MAX                                                                            \
	((UINT64_C(1) << 40) - 1) /* bytes of rows: 40 bits of a slot hold the offset */

struct index {
	uint64_t *slots; /* 24 bits of the hash, 40 bits of offset + 1; 0: free */
	uint64_t mask;	 /* number of slots - 1 */
	const char *arena;
	size_t rows;	 /* in the index */
	size_t repeated; /* rows left out because an earlier one has their key */
	uint64_t lengths[KEY_BYTES_MAX / 64 + 1]; /* bit n: some key has n bytes */
};

/*
 * Indexes the rows of `arena` (`length` bytes, kept by reference), each of `strings` strings whose
 * first is a key of 1..KEY_BYTES_MAX bytes. Of rows with the same key the first one counts. 0, or
 * -1 with errno (ENOMEM, EFBIG).
 */
int index_init(struct index *index, const char *arena, size_t length, unsigned strings)
	__attribute__((warn_unused_result, nonnull));
void index_fini(struct index *index);

/* The first string of the row with exactly this key; NULL if there is none. */
const char *index_find(const struct index *index, const char *key, size_t length);

/* The same for the longest key of the table that `key` begins with. */
const char *index_find_prefix(const struct index *index, const char *key, size_t length);

#endif
