/*
 * Request heads: finds lines, reads the request line, collects headers; http_framing.c then judges
 * what they say.
 *
 * Runs in: front. Trusts nobody: this is the first code that sees bytes from the network. Pure.
 * Decisions are made in the order of the bytes and never look beyond the one that decides: that
 * makes the result independent of how the head was cut into pieces, and tests rest on it.
 */
#include "front/http_request.h"

#include "front/http_framing.h"
#include "front/http_target.h"

#include <string.h>

void
http_parser_init(struct http_parser *parser)
{
	memset(parser, 0, sizeof(*parser));
}

static enum http_result
finish(struct http_parser *parser, struct http_error error)
{
	parser->status = error.status;
	parser->reason = error.reason;
	return error.status ? HTTP_BAD : HTTP_MORE;
}

static enum http_result
refuse(struct http_parser *parser, int status, const char *reason)
{
	return finish(parser, (struct http_error){ status, reason });
}

/* The byte at `scanned` does not belong into a line, or the line is full. */
static enum http_result
refuse_byte(struct http_parser *parser, char byte)
{
	if (byte == '\n')
		return refuse(parser, 400, "bare LF");
	if (!http_is(byte, HTTP_TEXT))
		return refuse(parser, 400, "control byte");
	if (!parser->in_headers)
		return refuse(parser, 414, "request line too long");
	return refuse(parser, 431, "header line too long");
}

/*
 * Looks for the current line's CRLF. HTTP_DONE: `scanned` is at its CR. `length` is at most
 * HTTP_HEAD_MAX; reaching that without the end of the head is an error already, so that a caller's
 * buffer need not hold more.
 */
static enum http_result
scan_line(struct http_parser *parser, const char *buffer, uint32_t length)
{
	uint32_t full = parser->line + HTTP_LINE_MAX;
	uint32_t stop = length < full ? length : full;

	while (parser->scanned < stop && http_is(buffer[parser->scanned], HTTP_TEXT))
		parser->scanned++;
	if (parser->scanned < length && buffer[parser->scanned] != '\r')
		return refuse_byte(parser, buffer[parser->scanned]);
	if (parser->scanned + 1 < length)
		return buffer[parser->scanned + 1] == '\n' ? HTTP_DONE
							   : refuse(parser, 400, "bare CR");
	if (length == HTTP_HEAD_MAX)
		return refuse(parser, 431, "head too large");
	return HTTP_MORE;
}

/* Length of the word that starts at `at` and ends at a space or at `end`. */
static uint32_t
word_length(const char *buffer, uint32_t at, uint32_t end)
{
	const char *space = memchr(buffer + at, ' ', end - at);

	return space ? (uint32_t)(space - (buffer + at)) : end - at;
}

static struct http_error
parse_version(const char *text, uint32_t length, int *minor_out)
{
	if (!http_all(text, length, HTTP_VISIBLE))
		return (struct http_error){ 400, "version" };
	if (length != 8 || memcmp(text, "HTTP/1.", 7) != 0 || (text[7] != '0' && text[7] != '1'))
		return (struct http_error){ 505, "version" };
	*minor_out = text[7] - '0';
	return HTTP_OK;
}

/* Cuts the line into its three words, checks the method and the version. */
static struct http_error
split_request_line(const char *buffer, struct http_span line, struct http_request *request)
{
	uint32_t end = line.offset + line.length;
	uint32_t at = line.offset;

	request->method = (struct http_span){ at, word_length(buffer, at, end) };
	if (!http_all(buffer + at, request->method.length, HTTP_TOKEN))
		return (struct http_error){ 400, "method" };
	at += request->method.length + 1;
	if (at > end)
		return (struct http_error){ 400, "no target" };
	request->target = (struct http_span){ at, word_length(buffer, at, end) };
	at += request->target.length + 1;
	if (at > end)
		return (struct http_error){ 400, "no version" };
	return parse_version(buffer + at, end - at, &request->minor);
}

static struct http_error
parse_request_line(const char *buffer, struct http_span line, struct http_request *request)
{
	struct http_error error = split_request_line(buffer, line, request);
	const char *method = buffer + request->method.offset;
	struct http_target target;
	bool is_options;

	if (error.status)
		return error;
	/* Methods are case-sensitive. */
	if (request->method.length == 7 && memcmp(method, "CONNECT", 7) == 0)
		return (struct http_error){ 501, "CONNECT" };
	is_options = request->method.length == 7 && memcmp(method, "OPTIONS", 7) == 0;
	error = http_target_parse(buffer, request->target, is_options, &target);
	request->path = target.path;
	request->query = target.query;
	request->host = target.authority;
	return error;
}

static struct http_error
parse_header(const char *buffer, struct http_span line, struct http_request *request)
{
	struct http_error error;

	if (request->headers_count == HTTP_HEADERS_MAX)
		return (struct http_error){ 431, "too many headers" };
	error = http_header_parse(buffer, line, &request->headers[request->headers_count]);
	if (!error.status)
		request->headers_count++;
	return error;
}

/* The empty line after the headers. */
static enum http_result
finish_head(struct http_parser *parser, const char *buffer)
{
	struct http_error error = http_framing_apply(buffer, &parser->request);

	if (error.status)
		return finish(parser, error);
	parser->request.head_bytes = parser->line;
	return HTTP_DONE;
}

/* Takes the line that ends at `scanned` and moves on behind it. */
static enum http_result
take_line(struct http_parser *parser, const char *buffer)
{
	struct http_span line = { parser->line, parser->scanned - parser->line };
	struct http_request *request = &parser->request;

	parser->scanned += 2;
	parser->line = parser->scanned;
	if (parser->in_headers) {
		if (line.length == 0)
			return finish_head(parser, buffer);
		return finish(parser, parse_header(buffer, line, request));
	}
	/* RFC 9112 2.2: old clients send a CRLF too many after a body. One is tolerated. */
	if (line.length == 0 && line.offset == 0)
		return HTTP_MORE;
	if (line.length == 0)
		return refuse(parser, 400, "empty request line");
	parser->in_headers = true;
	return finish(parser, parse_request_line(buffer, line, request));
}

enum http_result
http_parser_feed(struct http_parser *parser, const char *buffer, size_t length)
{
	uint32_t seen = length < HTTP_HEAD_MAX ? (uint32_t)length : HTTP_HEAD_MAX;

	while (parser->result == HTTP_MORE) {
		parser->result = scan_line(parser, buffer, seen);
		if (parser->result != HTTP_DONE)
			break;
		parser->result = take_line(parser, buffer);
	}
	return parser->result;
}
