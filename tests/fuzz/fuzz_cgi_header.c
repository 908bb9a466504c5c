/* LINK: worker/exec/header.c
 *
 * A program's output, which may be anything: its header's end is the same however it comes in pieces, and what is parsed lies in its bytes.
 */
#include "exec/header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int holds)
{
	if (!holds)
		abort();
}

static size_t
find_in_pieces(const char *bytes, size_t size, size_t step)
{
	size_t seen = 0;

	for (size_t come = step; come < size; come += step) {
		const size_t end = header_find_end(bytes, come, &seen);
		if (end > 0)
			return end;
	}
	return header_find_end(bytes, size, &seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header header;

	if (size < 2 || size > HEADER_BYTES_MAX)
		return 0;
	const size_t step = 1 + data[0] % 16;
	char *bytes = malloc(size - 1);
	if (bytes == NULL)
		return 0;
	memcpy(bytes, data + 1, size - 1);
	size_t seen = 0;
	const size_t end = header_find_end(bytes, size - 1, &seen);
	check(end <= size - 1 && find_in_pieces(bytes, size - 1, step) == end);
	if (end > 0 && header_parse(bytes, end, &header) == NULL) {
		check(header.status >= 200 && header.status <= 599);
		check(header.count <= HEADER_FIELDS_MAX);
		for (size_t i = 0; i < header.count; i++) {
			check(header.fields[i].name >= bytes && header.fields[i].name[0] != '\0');
			check(header.fields[i].value + strlen(header.fields[i].value) <
			      bytes + end);
		}
	}
	free(bytes);
	return 0;
}
