/*
 * Incremental decoder of chunked request bodies. Pure. Body bytes are not copied: it says where in
 * the caller's buffer they are. Trailers are checked like headers, and dropped.
 */
#ifndef ZYGOTED_FRONT_HTTP_BODY_H
#define ZYGOTED_FRONT_HTTP_BODY_H

#include "front/http_token.h"

#define HTTP_CHUNK_DIGITS_MAX	 16
#define HTTP_CHUNK_EXTENSION_MAX 256 /* bytes from the first ';' on */

struct http_chunked {
	uint64_t left;	    /* bytes of the current chunk that have not come yet */
	int status;	    /* after HTTP_BAD: 400 or 431 */
	const char *reason; /* after HTTP_BAD: a short literal for the log */
	/* The rest is the decoder's own. */
	uint32_t state;
	uint32_t digits;	/* of the chunk size; also bytes of its extension */
	uint32_t trailers;	/* lines begun */
	uint32_t trailer_bytes; /* of all trailers, line ends included */
	uint32_t line_bytes;	/* of the current trailer */
};

/* Body bytes within the buffer of one call. */
struct http_piece {
	size_t offset;
	size_t length;
};

void http_chunked_init(struct http_chunked *chunked);

/*
 * Decodes from `data` up to the end of the next piece of the body, at most `length` bytes.
 * *consumed_out bytes are done with once the piece has been moved; the next call continues behind
 * them.
 *
 * HTTP_MORE: *piece_out has body bytes if its length is not 0: call again with what is left. If it
 * is 0, all bytes were consumed and more are needed.
 *
 * HTTP_DONE: the body and its trailers are complete; no piece. What follows is the next request.
 *
 * HTTP_BAD: status and reason are set; no piece. Final.
 *
 * Adding up the pieces' lengths, against the pool's limit, is the caller's part.
 */
enum http_result http_chunked_feed(struct http_chunked *chunked, const char *data, size_t length,
				   size_t *consumed_out, struct http_piece *piece_out)
	__attribute__((warn_unused_result));

#endif
