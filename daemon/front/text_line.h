/*
 * Putting a line of text together in a caller's buffer, without stdio: an access log writes one for
 * every request. What does not fit is left out, and `cut` says so. Pure.
 */
#ifndef ZYGOTED_FRONT_TEXT_LINE_H
#define ZYGOTED_FRONT_TEXT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_line {
	char *data;
	size_t size;
	size_t length;
	bool cut;
};

void text_line_begin(struct text_line *line, char *data, size_t size);

void text_line_put(struct text_line *line, const char *text, size_t length);
void text_line_put_string(struct text_line *line, const char *text);
/* Decimal, with leading zeros up to `width` digits. */
void text_line_put_number(struct text_line *line, uint64_t number, unsigned width);

/*
 * Bytes of a peer, at most `most` of them. In JSON what is not printable ASCII becomes \u00XX, as
 * though it were Latin-1; in the other form \xXX, as Apache's logs have it. Quotes and backslashes
 * are escaped in both.
 */
void text_line_put_json(struct text_line *line, const char *text, size_t length, size_t most);
void text_line_put_escaped(struct text_line *line, const char *text, size_t length, size_t most);

#endif
