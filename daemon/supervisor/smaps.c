/*
 * Parser of smaps_rollup: an address line, then "Name:   123 kB" lines. Pure.
 *
 * Runs in: supervisor. The kernel wrote the text, but a missing field must be an error and not a
 * zero: the figures are what the operator decides by.
 */
#include "supervisor/smaps.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{ "Rss", offsetof(struct smaps_rollup, rss_bytes) },
	{ "Pss", offsetof(struct smaps_rollup, pss_bytes) },
	{ "Shared_Clean", offsetof(struct smaps_rollup, shared_clean_bytes) },
	{ "Shared_Dirty", offsetof(struct smaps_rollup, shared_dirty_bytes) },
	{ "Private_Clean", offsetof(struct smaps_rollup, private_clean_bytes) },
	{ "Private_Dirty", offsetof(struct smaps_rollup, private_dirty_bytes) },
	{ "Anonymous", offsetof(struct smaps_rollup, anonymous_bytes) },
	{ "Swap", offsetof(struct smaps_rollup, swap_bytes) },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))
_Static_assert(FIELDS * sizeof(uint64_t) == sizeof(struct smaps_rollup), "every field has a row");

/* "   123 kB" up to `end`. */
static bool
parse_kilobytes(const char *text, const char *end, uint64_t *bytes_out)
{
	uint64_t value = 0;

	while (text < end && *text == ' ')
		text++;
	if (text == end || *text < '0' || *text > '9')
		return false;
	for (; text < end && *text >= '0' && *text <= '9'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');
		if (value > (UINT64_MAX / 1024 - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (end - text != 3 || memcmp(text, " kB", 3) != 0)
		return false;
	*bytes_out = value * 1024;
	return true;
}

/* One "Name: value" line. The bit of the field, 0 for an unknown one, -1 when malformed. */
static int
parse_line(const char *line, const char *end, struct smaps_rollup *out)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));

	if (colon == NULL)
		return -1;
	for (size_t i = 0; i < FIELDS; i++) {
		const size_t length = strlen(fields[i].name);
		uint64_t bytes;
		if ((size_t)(colon - line) != length || memcmp(line, fields[i].name, length) != 0)
			continue;
		if (!parse_kilobytes(colon + 1, end, &bytes))
			return -1;
		memcpy((char *)out + fields[i].offset, &bytes, sizeof(bytes));
		return 1 << i;
	}
	return 0;
}

int
smaps_parse_rollup(const char *text, struct smaps_rollup *out)
{
	const char *line = strchr(text, '\n'); /* ends "55d0...-7ffd... ---p ... [rollup]" */
	unsigned seen = 0;

	if (line == NULL)
		return -1;
	for (line++; *line != '\0';) {
		const char *end = strchr(line, '\n');
		if (end == NULL)
			return -1;
		int bit = parse_line(line, end, out);
		if (bit < 0 || (seen & (unsigned)bit) != 0)
			return -1;
		seen |= (unsigned)bit;
		line = end + 1;
	}
	return seen == (1U << FIELDS) - 1 ? 0 : -1;
}

uint64_t
smaps_shared_bytes(const struct smaps_rollup *rollup)
{
	return rollup->shared_clean_bytes + rollup->shared_dirty_bytes;
}

uint64_t
smaps_private_bytes(const struct smaps_rollup *rollup)
{
	return rollup->private_clean_bytes + rollup->private_dirty_bytes;
}

uint64_t
smaps_added_bytes(const struct smaps_rollup *rollup)
{
	const uint64_t private_bytes = smaps_private_bytes(rollup);

	return private_bytes < rollup->anonymous_bytes ? private_bytes : rollup->anonymous_bytes;
}
