/*
 * Command lines of the control socket. Pure.
 *
 * Runs in: supervisor. The peer may have written anything, up to CONTROL_LINE_MAX bytes of it: what
 * goes on from here are words of printable ASCII.
 */
#include "supervisor/control_line.h"

#include <stdbool.h>
#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_printable(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((line[i] < 0x20 || line[i] > 0x7e) && line[i] != '\t')
			return false;
	return true;
}

/* Ends each word with a NUL and lists it. False when there are too many. */
static bool
list_words(struct control_words *words)
{
	char *text = words->text;

	for (;;) {
		while (is_space(*text))
			text++;
		if (*text == '\0')
			return true;
		if (words->count == CONTROL_WORDS_MAX)
			return false;
		words->words[words->count++] = text;
		while (*text != '\0' && !is_space(*text))
			text++;
		if (*text != '\0')
			*text++ = '\0';
	}
}

const char *
control_line_split(const char *line, size_t length, struct control_words *words)
{
	words->count = 0;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length > CONTROL_LINE_MAX)
		return "line too long";
	if (!is_printable(line, length))
		return "line holds bytes that are no printable ASCII";
	memcpy(words->text, line, length);
	words->text[length] = '\0';
	if (!list_words(words)) {
		words->count = 0;
		return "too many words";
	}
	return words->count > 0 ? NULL : "empty line; try help";
}

const char *
control_line_check(const struct control_words *words, const char *specification)
{
	const unsigned given = words->count - 1;
	unsigned needed = 0;
	unsigned known = 0;

	for (const char *at = specification; *at != '\0';) {
		known++;
		needed += *at != '[';
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	if (given < needed)
		return "an argument is missing; try help";
	if (given > known)
		return "too many arguments; try help";
	return NULL;
}
