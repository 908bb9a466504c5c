/*
 * A strict reader of comma- or tab-separated text.
 *
 * Runs in: the zygote, at load; unit tests. Trusts nobody: the file may be anything. Must never
 * read beyond data + length nor write outside the field that it unquotes; no I/O, no allocation.
 */
#include "csv.h"

#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

void
csv_init(struct csv_reader *reader, char *data, size_t length, char separator)
{
	size_t mark = sizeof(byte_order_mark) - 1;

	*reader = (struct csv_reader){
		.data = data,
		.length = length,
		.separator = separator,
		.line = 1,
		.next_line = 1,
	};
	if (length >= mark && memcmp(data, byte_order_mark, mark) == 0)
		reader->offset = mark;
}

static enum csv_result
csv_fail(struct csv_reader *reader, const char *error)
{
	reader->line = reader->next_line;
	reader->error = error;
	return CSV_BAD;
}

/* What stands after a field: a separator, a line end or the end of the data. */
static enum csv_result
csv_finish_field(struct csv_reader *reader)
{
	const char *at = reader->data + reader->offset;
	size_t left = reader->length - reader->offset;

	reader->in_record = 0;
	if (left == 0)
		return CSV_LAST;
	if (*at == reader->separator) {
		reader->offset++;
		reader->in_record = 1;
		return CSV_FIELD;
	}
	if (*at == '\r' && (left < 2 || at[1] != '\n'))
		return csv_fail(reader, "a carriage return without a line feed");
	if (*at != '\r' && *at != '\n')
		return csv_fail(reader, "text after a closing quote");
	reader->offset += *at == '\r' ? 2 : 1;
	reader->next_line++;
	return CSV_LAST;
}

static enum csv_result
csv_plain_field(struct csv_reader *reader, struct csv_field *field_out)
{
	size_t start = reader->offset;

	for (; reader->offset < reader->length; reader->offset++) {
		char c = reader->data[reader->offset];

		if (c == reader->separator || c == '\n' || c == '\r')
			break;
		if (c == '"')
			return csv_fail(reader, "a quote inside a field that is not quoted");
		if (c == '\0')
			return csv_fail(reader, "a NUL byte");
	}
	*field_out = (struct csv_field){ reader->data + start, reader->offset - start };
	return csv_finish_field(reader);
}

static enum csv_result
csv_quoted_field(struct csv_reader *reader, struct csv_field *field_out)
{
	char *text = reader->data + ++reader->offset;
	size_t length = 0;

	while (reader->offset < reader->length) {
		char c = reader->data[reader->offset++];

		if (c == '"') {
			if (reader->offset == reader->length ||
			    reader->data[reader->offset] != '"') {
				*field_out = (struct csv_field){ text, length };
				return csv_finish_field(reader);
			}
			reader->offset++;
		}
		if (c == '\0')
			return csv_fail(reader, "a NUL byte");
		if (c == '\n')
			reader->next_line++;
		text[length++] = c;
	}
	reader->next_line = reader->line;
	return csv_fail(reader, "a quote that is never closed");
}

enum csv_result
csv_next(struct csv_reader *reader, struct csv_field *field_out)
{
	reader->line = reader->next_line;
	if (reader->offset == reader->length && !reader->in_record)
		return CSV_END;
	if (reader->offset < reader->length && reader->data[reader->offset] == '"')
		return csv_quoted_field(reader, field_out);
	return csv_plain_field(reader, field_out);
}
