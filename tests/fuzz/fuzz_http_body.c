/* Chunked bodies: any bytes, and the same body for one piece, and for pieces of a few bytes. */
/* LINK: daemon/front/http_body.c daemon/front/http_token.c */
#include "front/http_body.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	struct http_chunked chunked;
	enum http_result result;
	size_t consumed;
	size_t length;
	char *body;
};

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Feeds one delivery until it is used up or decides. */
static void
deliver(struct outcome *outcome, const char *data, size_t size)
{
	size_t at = 0;

	while (outcome->result == HTTP_MORE) {
		struct http_piece piece;
		size_t consumed;

		outcome->result = http_chunked_feed(&outcome->chunked, data + at, size - at,
						    &consumed, &piece);
		require(consumed <= size - at);
		require(piece.length <= consumed && piece.offset <= consumed - piece.length);
		require(piece.length == 0 || outcome->result == HTTP_MORE);
		if (piece.length > 0)
			memcpy(outcome->body + outcome->length, data + at + piece.offset,
			       piece.length);
		outcome->length += piece.length;
		at += consumed;
		if (outcome->result == HTTP_MORE && piece.length == 0) {
			require(at == size);
			break;
		}
	}
	outcome->consumed += at;
}

static void
decode(struct outcome *outcome, const char *data, size_t size, size_t step)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->body = malloc(size + 1);
	require(outcome->body != NULL);
	http_chunked_init(&outcome->chunked);
	for (size_t at = 0; at < size; at += step) {
		size_t length = size - at < step ? size - at : step;
		char *copy = malloc(length);

		require(copy != NULL);
		memcpy(copy, data + at, length);
		deliver(outcome, copy, length);
		free(copy);
	}
}

/* The first byte says how large the pieces are. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole;
	struct outcome pieces;

	if (size < 2)
		return 0;
	decode(&whole, (const char *)data + 1, size - 1, size - 1);
	decode(&pieces, (const char *)data + 1, size - 1, data[0] % 16 + 1);
	require(whole.result == pieces.result && whole.consumed == pieces.consumed);
	require(whole.chunked.status == pieces.chunked.status);
	require(whole.chunked.reason == pieces.chunked.reason);
	require((whole.result == HTTP_BAD) == (whole.chunked.status != 0));
	require(whole.length == pieces.length);
	require(memcmp(whole.body, pieces.body, whole.length) == 0);
	free(whole.body);
	free(pieces.body);
	return 0;
}
