/*
 * Percent-decoding for workers.
 *
 * Runs in: child. Pure; the text is the client's.
 */
#include "worker.h"

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

ssize_t
zy_percent_decode(const char *text, char *out)
{
	char *start = out;

	for (; *text != '\0'; text++) {
		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		int high = hex_value(text[1]);
		int low = high < 0 ? -1 : hex_value(text[2]);
		if (low < 0 || (high == 0 && low == 0))
			return -1;
		*out++ = (char)(high << 4 | low);
		text += 2;
	}
	*out = '\0';
	return out - start;
}
