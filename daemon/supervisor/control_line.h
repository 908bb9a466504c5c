/*
 * Command lines of the control socket: splitting one into words, and checking the words against a
 * command's argument specification. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_LINE_H
#define ZYGOTED_SUPERVISOR_CONTROL_LINE_H

#include <stddef.h>

#define CONTROL_LINE_MAX  1024 /* bytes, without the newline */
#define CONTROL_WORDS_MAX 8

struct control_words {
	unsigned count;
	const char *words[CONTROL_WORDS_MAX]; /* the command first; they live in text */
	char text[CONTROL_LINE_MAX + 1];
};

/*
 * Splits a line (without newline; a final CR is dropped) of printable ASCII at spaces and tabs.
 * NULL, or what is wrong with it: then words is empty.
 */
const char *control_line_split(const char *line, size_t length, struct control_words *words);

/*
 * Checks the number of arguments against a specification like "", "POOL" or "LEVEL [POOL]", where
 * those in brackets may be left out. NULL, or what is wrong.
 */
const char *control_line_check(const struct control_words *words, const char *specification);

#endif
