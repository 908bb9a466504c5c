/*
 * The hash table over a table's rows.
 *
 * Runs in: the zygote while it is built, children for lookups. Keys of requests are hostile; those
 * of the table are the operator's. Nothing may be written after index_init: every page here is
 * shared by all children.
 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_BITS 40
#define OFFSET_MASK ((UINT64_C(1) << OFFSET_BITS) - 1)

/* FNV-1a, 64 bits: one step per byte, so that the hashes of all prefixes of a key cost one pass. */
#define HASH_START UINT64_C(14695981039346656037)
#define HASH_PRIME UINT64_C(1099511628211)

static uint64_t
hash_step(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * HASH_PRIME;
}

/* FNV leaves its low bits poorly mixed for short keys; the slot number comes from there. */
static uint64_t
hash_finish(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

static uint64_t
hash_key(const char *key, size_t length)
{
	uint64_t hash = HASH_START;

	for (size_t i = 0; i < length; i++)
		hash = hash_step(hash, key[i]);
	return hash_finish(hash);
}

static __attribute__((returns_nonnull)) const char *
slot_row(const struct index *index, uint64_t slot)
{
	return index->arena + (slot & OFFSET_MASK) - 1;
}

static int
is_key(const char *stored, const char *key, size_t length)
{
	return strncmp(stored, key, length) == 0 && stored[length] == '\0' &&
	       memchr(key, '\0', length) == NULL;
}

/* The slot that holds the key, or the free one where it belongs: at least half of them are free. */
static uint64_t *
index_slot(const struct index *index, uint64_t hash, const char *key, size_t length)
{
	for (uint64_t at = hash & index->mask;; at = (at + 1) & index->mask) {
		uint64_t *slot = &index->slots[at];

		if (*slot == 0)
			return slot;
		if (*slot >> OFFSET_BITS == hash >> OFFSET_BITS &&
		    is_key(slot_row(index, *slot), key, length))
			return slot;
	}
}

static const char *
index_lookup(const struct index *index, uint64_t hash, const char *key, size_t length)
{
	uint64_t slot = *index_slot(index, hash, key, length);

	return slot != 0 ? slot_row(index, slot) : NULL;
}

static void
index_add(struct index *index, size_t offset)
{
	const char *key = index->arena + offset;
	size_t length = strlen(key);
	uint64_t hash = hash_key(key, length);
	uint64_t *slot = index_slot(index, hash, key, length);

	if (*slot != 0) {
		index->repeated++;
		return;
	}
	*slot = (hash >> OFFSET_BITS << OFFSET_BITS) | (offset + 1);
	index->lengths[length / 64] |= UINT64_C(1) << (length % 64);
	index->rows++;
}

static size_t
row_bytes(const char *row, unsigned strings)
{
	const char *end = row;

	for (unsigned i = 0; i < strings; i++)
		end += strlen(end) + 1;
	return (size_t)(end - row);
}

int
index_init(struct index *index, const char *arena, size_t length, unsigned strings)
{
	size_t rows = 0, slots = 16;

	memset(index, 0, sizeof(*index));
	if (length >= INDEX_ARENA_MAX) {
		errno = EFBIG;
		return -1;
	}
	for (size_t at = 0; at < length; at += row_bytes(arena + at, strings))
		rows++;
	while (slots < 2 * rows)
		slots *= 2;
	index->slots = calloc(slots, sizeof(*index->slots));
	if (index->slots == NULL)
		return -1;
	index->mask = slots - 1;
	index->arena = arena;
	for (size_t at = 0; at < length; at += row_bytes(arena + at, strings))
		index_add(index, at);
	return 0;
}

void
index_fini(struct index *index)
{
	free(index->slots);
	memset(index, 0, sizeof(*index));
}

const char *
index_find(const struct index *index, const char *key, size_t length)
{
	if (length == 0 || length > KEY_BYTES_MAX)
		return NULL;
	return index_lookup(index, hash_key(key, length), key, length);
}

const char *
index_find_prefix(const struct index *index, const char *key, size_t length)
{
	const char *longest = NULL;
	uint64_t hash = HASH_START;

	for (size_t n = 1; n <= length && n <= KEY_BYTES_MAX; n++) {
		const char *row;

		hash = hash_step(hash, key[n - 1]);
		if ((index->lengths[n / 64] >> (n % 64) & 1) == 0)
			continue;
		row = index_lookup(index, hash_finish(hash), key, n);
		if (row != NULL)
			longest = row;
	}
	return longest;
}
