/*
 * The JSON writer.
 *
 * Runs in: a child. Trusts nobody: text comes from files and from clients. Output must be valid
 * JSON for every sequence of bytes.
 */
#include "json.h"

#include <string.h>

/* Bytes of the well-formed UTF-8 sequence at text, 0 if there is none. Ranges: Unicode 15, table
 * 3-7. */
static size_t
utf8_sequence(const unsigned char *text, size_t length)
{
	unsigned char lead = text[0], low = 0x80, high = 0xbf;
	size_t bytes = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	if (bytes == 1)
		return 1;
	if (bytes == 0 || lead > 0xf4 || bytes > length)
		return 0;
	if (lead == 0xe0)
		low = 0xa0;
	if (lead == 0xed)
		high = 0x9f;
	if (lead == 0xf0)
		low = 0x90;
	if (lead == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < bytes; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return bytes;
}

static int
needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* How many bytes from the start of text can be copied as they are. */
static size_t
plain_run(const unsigned char *text, size_t length)
{
	size_t run = 0;

	while (run < length && !needs_escape(text[run])) {
		size_t bytes = utf8_sequence(text + run, length - run);

		if (bytes == 0)
			break;
		run += bytes;
	}
	return run;
}

static int
write_escaped(struct zy_request *request, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char unicode[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	char pair[] = { '\\', (char)c };

	if (c >= 0x80)
		return zy_write(request, "\xef\xbf\xbd", 3);
	if (c == '\n')
		return zy_write(request, "\\n", 2);
	if (c < 0x20)
		return zy_write(request, unicode, sizeof(unicode));
	return zy_write(request, pair, sizeof(pair));
}

int
json_write_string(struct zy_request *request, const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	int failed = zy_write(request, "\"", 1);

	while (length > 0 && !failed) {
		size_t run = plain_run(at, length);

		if (run > 0)
			failed = zy_write(request, at, run);
		else
			failed = write_escaped(request, at[run++]);
		at += run;
		length -= run;
	}
	return failed ? -1 : zy_write(request, "\"", 1);
}

int
json_write_object(struct zy_request *request, const char *names, const char *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		size_t name_length = strlen(names), value_length = strlen(values);

		if (zy_write(request, i == 0 ? "{" : ",", 1) != 0 ||
		    json_write_string(request, names, name_length) != 0 ||
		    zy_write(request, ":", 1) != 0 ||
		    json_write_string(request, values, value_length) != 0)
			return -1;
		names += name_length + 1;
		values += value_length + 1;
	}
	return zy_write(request, count > 0 ? "}" : "{}", count > 0 ? 1 : 2);
}
