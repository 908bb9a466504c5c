/*
 * Lines of text, byte by byte.
 *
 * Runs in: front. What is put here came from peers: nothing but the escaping functions may be given
 * their bytes.
 */
#include "front/text_line.h"

#include <string.h>

static const char hex[] = "0123456789abcdef";

void
text_line_begin(struct text_line *line, char *data, size_t size)
{
	*line = (struct text_line){ .data = data, .size = size };
}

void
text_line_put(struct text_line *line, const char *text, size_t length)
{
	if (line->cut || length > line->size - line->length) {
		line->cut = true;
		return;
	}
	memcpy(line->data + line->length, text, length);
	line->length += length;
}

void
text_line_put_string(struct text_line *line, const char *text)
{
	text_line_put(line, text, strlen(text));
}

void
text_line_put_number(struct text_line *line, uint64_t number, unsigned width)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	const char *least = at - (width < 1 ? 1 : width < 20 ? width : 20);

	do
		*--at = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (at > least)
		*--at = '0';
	text_line_put(line, at, (size_t)(digits + sizeof(digits) - at));
}

static bool
is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Runs of plain bytes go in one piece; most texts are one run. */
static void
put_escaped(struct text_line *line, const char *text, size_t length, const char *escape)
{
	size_t start = 0;

	if (length == 0)
		return; /* `text` may be NULL then */
	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = (unsigned char)text[i];
		const char backslash[2] = { '\\', (char)byte };
		const char digits[2] = { hex[byte >> 4], hex[byte & 15] };

		if (is_plain(byte))
			continue;
		text_line_put(line, text + start, i - start);
		start = i + 1;
		if (byte == '"' || byte == '\\') {
			text_line_put(line, backslash, 2);
			continue;
		}
		text_line_put_string(line, escape);
		text_line_put(line, digits, 2);
	}
	text_line_put(line, text + start, length - start);
}

void
text_line_put_json(struct text_line *line, const char *text, size_t length, size_t most)
{
	put_escaped(line, text, length < most ? length : most, "\\u00");
}

void
text_line_put_escaped(struct text_line *line, const char *text, size_t length, size_t most)
{
	put_escaped(line, text, length < most ? length : most, "\\x");
}
