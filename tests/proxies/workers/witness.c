/*
 * A worker that says what it was asked to do, so that a test can tell whose answer it holds and what
 * became of the request on its way: CRC-32 of method, target and body, the body's length, and the
 * nonce that the client put into User-Agent. In a header, for answers without a body, and again in the
 * body, so that a head and a body of two answers show.
 *
 * Runs in: a child. Never installed.
 */
#include "worker.h"

#include <stdio.h>
#include <string.h>

#define PIECE	    16384
#define NONCE_SHOWN 128
#define TELL_MAX    256

/* As in gzip and zlib: RFC 1952 section 8. */
static uint32_t
crc32_add(uint32_t crc, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	crc = ~crc;
	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static uint32_t
crc32_string(const char *text)
{
	return crc32_add(0, text, strlen(text));
}

static uint32_t
target_crc(const struct zy_request *request)
{
	const char *query = zy_field(request, ZY_QUERY);
	uint32_t crc = crc32_string(zy_field(request, ZY_PATH));

	if (query[0] == '\0')
		return crc;
	crc = crc32_add(crc, "?", 1);
	return crc32_add(crc, query, strlen(query));
}

static uint64_t
read_body(struct zy_request *request, uint32_t *crc_out)
{
	static char piece[PIECE];
	uint64_t total = 0;
	size_t got;

	*crc_out = 0;
	while ((got = zy_read(request, piece, sizeof(piece))) > 0) {
		*crc_out = crc32_add(*crc_out, piece, got);
		total += got;
	}
	return total;
}

static int
handle(void *state, struct zy_request *request)
{
	const char *nonce = zy_header(request, "user-agent");
	char tell[TELL_MAX];
	uint32_t body_crc;
	uint64_t length = read_body(request, &body_crc);

	(void)state;
	snprintf(tell, sizeof(tell), "%08x %08x %08x %llu %.*s",
		 crc32_string(zy_field(request, ZY_METHOD)), target_crc(request), body_crc,
		 (unsigned long long)length, NONCE_SHOWN, nonce != NULL ? nonce : "");
	if (zy_header_add(request, "Content-Type", "text/plain") < 0 ||
	    zy_header_add(request, "X-Witness", tell) < 0)
		return -1;
	return zy_printf(request, "%s\n", tell);
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "witness",
	.profile = "compute",
	.handle = handle,
};
