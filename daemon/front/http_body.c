/*
 * Chunked bodies: a machine that takes one byte per step, but for chunk data, which it only
 * measures.
 *
 * Runs in: front. Trusts nobody. Pure. No step looks at another byte than its own, so that pieces
 * of any size give the same body. Nothing is skipped leniently: not a space after the size, not a
 * line end without CR.
 */
#include "front/http_body.h"

#include <string.h>

enum state {
	STATE_SIZE,
	STATE_EXTENSION_START, /* after ';' */
	STATE_EXTENSION,
	STATE_SIZE_LF,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILER_START, /* at the start of a line after the last chunk */
	STATE_TRAILER_NAME,
	STATE_TRAILER_VALUE,
	STATE_TRAILER_LF,
	STATE_END_LF,
	STATE_DONE,
	STATE_BAD,
	STATE_MAX
};

static void
refuse(struct http_chunked *chunked, int status, const char *reason)
{
	chunked->state = STATE_BAD;
	chunked->status = status;
	chunked->reason = reason;
}

static void
step_size(struct http_chunked *chunked, char byte)
{
	int value = http_hex(byte);

	if (value >= 0 && chunked->digits == HTTP_CHUNK_DIGITS_MAX) {
		refuse(chunked, 400, "chunk size too long");
	} else if (value >= 0) {
		chunked->left = chunked->left << 4 | (uint64_t)value;
		chunked->digits++;
	} else if (chunked->digits > 0 && byte == '\r') {
		chunked->state = STATE_SIZE_LF;
	} else if (chunked->digits > 0 && byte == ';') {
		chunked->state = STATE_EXTENSION_START;
		chunked->digits = 1;
	} else {
		refuse(chunked, 400, "chunk size");
	}
}

/* An extension has a name (RFC 9112 7.1.1). */
static void
step_extension_start(struct http_chunked *chunked, char byte)
{
	if (!http_is(byte, HTTP_TOKEN)) {
		refuse(chunked, 400, "chunk extension");
		return;
	}
	chunked->digits++;
	chunked->state = STATE_EXTENSION;
}

static void
step_extension(struct http_chunked *chunked, char byte)
{
	if (byte == '\r')
		chunked->state = STATE_SIZE_LF;
	else if (!http_is(byte, HTTP_TEXT))
		refuse(chunked, 400, "byte in chunk extension");
	else if (chunked->digits == HTTP_CHUNK_EXTENSION_MAX)
		refuse(chunked, 400, "chunk extension too long");
	else
		chunked->digits++;
}

static void
step_size_lf(struct http_chunked *chunked, char byte)
{
	if (byte != '\n') {
		refuse(chunked, 400, "bare CR");
		return;
	}
	chunked->digits = 0;
	chunked->state = chunked->left > 0 ? STATE_DATA : STATE_TRAILER_START;
}

static void
step_data_cr(struct http_chunked *chunked, char byte)
{
	if (byte == '\r')
		chunked->state = STATE_DATA_LF;
	else
		refuse(chunked, 400, "no line end after chunk");
}

static void
step_data_lf(struct http_chunked *chunked, char byte)
{
	if (byte == '\n')
		chunked->state = STATE_SIZE;
	else
		refuse(chunked, 400, "no line end after chunk");
}

/* Counts a byte of the trailers; false when it is one too many. The final CRLF is counted too. */
static bool
count_trailer_byte(struct http_chunked *chunked)
{
	if (chunked->trailer_bytes == HTTP_HEAD_MAX) {
		refuse(chunked, 431, "trailers too large");
		return false;
	}
	chunked->trailer_bytes++;
	return true;
}

static bool
count_line_byte(struct http_chunked *chunked)
{
	if (chunked->line_bytes == HTTP_LINE_MAX) {
		refuse(chunked, 431, "trailer line too long");
		return false;
	}
	chunked->line_bytes++;
	return true;
}

static void
step_trailer_start(struct http_chunked *chunked, char byte)
{
	if (!count_trailer_byte(chunked))
		return;
	if (byte == '\r') {
		chunked->state = STATE_END_LF;
		return;
	}
	if (!http_is(byte, HTTP_TOKEN)) {
		refuse(chunked, 400, "trailer name");
		return;
	}
	if (chunked->trailers == HTTP_HEADERS_MAX) {
		refuse(chunked, 431, "too many trailers");
		return;
	}
	chunked->trailers++;
	chunked->line_bytes = 1;
	chunked->state = STATE_TRAILER_NAME;
}

static void
step_trailer_name(struct http_chunked *chunked, char byte)
{
	if (!count_trailer_byte(chunked))
		return;
	if (byte == ':')
		chunked->state = STATE_TRAILER_VALUE;
	else if (!http_is(byte, HTTP_TOKEN))
		refuse(chunked, 400, "trailer name");
	else if (chunked->line_bytes == HTTP_HEADER_NAME_MAX)
		refuse(chunked, 400, "trailer name too long");
	chunked->line_bytes++;
}

static void
step_trailer_value(struct http_chunked *chunked, char byte)
{
	if (!count_trailer_byte(chunked))
		return;
	if (byte == '\r')
		chunked->state = STATE_TRAILER_LF;
	else if (!http_is(byte, HTTP_TEXT))
		refuse(chunked, 400, "byte in trailer");
	else
		(void)count_line_byte(chunked);
}

static void
step_trailer_lf(struct http_chunked *chunked, char byte)
{
	if (!count_trailer_byte(chunked))
		return;
	if (byte == '\n')
		chunked->state = STATE_TRAILER_START;
	else
		refuse(chunked, 400, "bare CR");
}

static void
step_end_lf(struct http_chunked *chunked, char byte)
{
	if (!count_trailer_byte(chunked))
		return;
	if (byte == '\n')
		chunked->state = STATE_DONE;
	else
		refuse(chunked, 400, "bare CR");
}

static void (*const steps[STATE_MAX])(struct http_chunked *, char) = {
	[STATE_SIZE] = step_size,
	[STATE_EXTENSION_START] = step_extension_start,
	[STATE_EXTENSION] = step_extension,
	[STATE_SIZE_LF] = step_size_lf,
	[STATE_DATA_CR] = step_data_cr,
	[STATE_DATA_LF] = step_data_lf,
	[STATE_TRAILER_START] = step_trailer_start,
	[STATE_TRAILER_NAME] = step_trailer_name,
	[STATE_TRAILER_VALUE] = step_trailer_value,
	[STATE_TRAILER_LF] = step_trailer_lf,
	[STATE_END_LF] = step_end_lf,
};

void
http_chunked_init(struct http_chunked *chunked)
{
	memset(chunked, 0, sizeof(*chunked));
	chunked->state = STATE_SIZE;
}

/* Measures the chunk data at `at`. */
static struct http_piece
take_data(struct http_chunked *chunked, size_t at, size_t length)
{
	size_t size = length - at;

	if (size > chunked->left)
		size = (size_t)chunked->left;
	chunked->left -= size;
	if (chunked->left == 0)
		chunked->state = STATE_DATA_CR;
	return (struct http_piece){ at, size };
}

enum http_result
http_chunked_feed(struct http_chunked *chunked, const char *data, size_t length,
		  size_t *consumed_out, struct http_piece *piece_out)
{
	size_t at = 0;

	*piece_out = (struct http_piece){ 0, 0 };
	while (at < length && chunked->state < STATE_DONE && piece_out->length == 0) {
		if (chunked->state == STATE_DATA) {
			*piece_out = take_data(chunked, at, length);
			at += piece_out->length;
		} else {
			steps[chunked->state](chunked, data[at++]);
		}
	}
	*consumed_out = at;
	if (chunked->state == STATE_BAD)
		return HTTP_BAD;
	return chunked->state == STATE_DONE ? HTTP_DONE : HTTP_MORE;
}
