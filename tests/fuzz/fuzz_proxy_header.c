/* PROXY headers: any bytes; a result that more bytes behind it do not change, and all shorter pieces undecided before. */
/* LINK: daemon/front/proxy_header.c */
#include "front/proxy_header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* In a block of its own size: reading behind it is seen. */
static enum proxy_result
parse(const uint8_t *data, size_t size, struct proxy_header *header)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	enum proxy_result result;

	require(copy != NULL);
	memcpy(copy, data, size);
	result = proxy_header_parse(copy, size, header);
	free(copy);
	return result;
}

static void
check_done(const uint8_t *data, size_t size, const struct proxy_header *header)
{
	struct proxy_header exact;

	require(header->bytes > 0 && header->bytes <= size && header->bytes <= PROXY_V2_MAX);
	require(parse(data, header->bytes, &exact) == PROXY_DONE);
	require(memcmp(&exact, header, sizeof(exact)) == 0);
	require(header->is_known ==
		(header->source.ss_family == AF_INET || header->source.ss_family == AF_INET6));
	for (size_t cut = 0; cut < header->bytes; cut++)
		require(parse(data, cut, &exact) == PROXY_MORE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header;
	enum proxy_result result = parse(data, size, &header);

	if (result == PROXY_DONE)
		check_done(data, size, &header);
	if (result == PROXY_MORE)
		require(size < PROXY_V2_MAX);
	if (result == PROXY_BAD)
		require(header.reason != NULL);
	return 0;
}
