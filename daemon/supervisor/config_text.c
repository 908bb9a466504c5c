/*
 * Makes a configuration file's text ready for libconfuse, which by itself would count a line too
 * many for each comment between slashes and stars, refuse comments inside lists, stop without a
 * word at an open string, take a variable that is not set for an empty text, accept a section
 * without its end, and not tell on which line a section begins.
 *
 * Runs in: supervisor, before anything else runs. The file is the operator's; it is bounded all the
 * same. The rules for comments and strings must stay those of libconfuse's lexer.
 */
#include "supervisor/config_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STRUCTURE "{}()=+,\"'"
#define BLANKS	  " \t\r\n"
#define DEPTH_MAX 4 /* a list in a section in a section, and one to spare */

struct scan {
	char *at;
	unsigned line;
	struct config_errors *errors;
	struct config_openings *openings;
	char word[8]; /* the last bare word that may have opened a section */
	unsigned word_line;
	int value; /* after '=': a brace opens a list, not a section */
	unsigned depth;
	unsigned brace_lines[DEPTH_MAX];
};

static char *
read_stream(FILE *stream, const char *file, struct config_errors *errors)
{
	char *text = malloc(CONFIG_FILE_MAX + 2);
	size_t length;

	if (!text) {
		config_error(errors, 0, "out of memory");
		return NULL;
	}
	length = fread(text, 1, CONFIG_FILE_MAX + 1, stream);
	text[length] = '\0';
	if (ferror(stream))
		config_error(errors, 0, "cannot read the file: %s", strerror(errno));
	else if (length > CONFIG_FILE_MAX)
		config_error(errors, 0, "larger than %d KiB: is %s a configuration file?",
			     CONFIG_FILE_MAX / 1024, file);
	else if (strlen(text) != length)
		config_error(errors, 0, "has NUL bytes in it: save it as plain text");
	else
		return text;
	free(text);
	return NULL;
}

char *
config_text_read(const char *file, struct config_errors *errors)
{
	FILE *stream = fopen(file, "re");
	char *text;

	if (!stream) {
		config_error(errors, 0, "cannot open the file: %s", strerror(errno));
		return NULL;
	}
	text = read_stream(stream, file, errors);
	fclose(stream);
	return text;
}

/* Goes over `length` bytes that stay, or become blank but for their line ends. */
static void
pass(struct scan *scan, size_t length, int blank)
{
	for (; length > 0 && *scan->at; length--, scan->at++) {
		if (*scan->at == '\n')
			scan->line++;
		else if (blank)
			*scan->at = ' ';
	}
}

/* 1: there was one; 0: there is none here; -1 after noting an error. */
static int
pass_comment(struct scan *scan)
{
	const char *end;

	if (scan->at[0] == '#' || (scan->at[0] == '/' && scan->at[1] == '/')) {
		pass(scan, strcspn(scan->at, "\n"), 1);
		return 1;
	}
	if (scan->at[0] != '/' || scan->at[1] != '*')
		return 0;
	end = strstr(scan->at + 2, "*/");
	if (!end)
		return config_error(scan->errors, scan->line,
				    "this comment does not end: close it with */");
	pass(scan, (size_t)(end + 2 - scan->at), 1);
	return 1;
}

/* At "${": NAME or NAME:-default up to the brace; libconfuse puts the value in. */
static int
pass_variable(struct scan *scan)
{
	char name[128];
	size_t length = strcspn(scan->at + 2, "}\n");
	size_t name_length = strcspn(scan->at + 2, ":}\n");

	if (scan->at[2 + length] != '}' || name_length == 0 || name_length >= sizeof(name))
		return config_error(scan->errors, scan->line,
				    "malformed ${NAME}: write ${NAME} or ${NAME:-default}, or put "
				    "the text between single quotes to keep it as it is");
	memcpy(name, scan->at + 2, name_length);
	name[name_length] = '\0';
	if (strncmp(scan->at + 2 + name_length, ":-", 2) != 0 && !getenv(name))
		config_error(scan->errors, scan->line,
			     "environment variable %s is not set: set it, write ${%s:-default}, or "
			     "put the text between single quotes to keep it as it is",
			     name, name);
	pass(scan, length + 3, 0);
	return 1;
}

/* At a backslash in double quotes. An escaped NUL would cut the string off in silence. */
static void
pass_escape(struct scan *scan)
{
	const int hex = scan->at[1] == 'x';
	const char *digits = scan->at + (hex ? 2 : 1);
	size_t length = strspn(digits, hex ? "0123456789abcdefABCDEF" : "01234567");
	size_t most = hex ? 2 : 3;

	if (length > most)
		length = most;
	if (length > 0 && strspn(digits, "0") >= length)
		config_error(scan->errors, scan->line, "a string cannot hold a NUL byte");
	pass(scan, 2, 0);
}

static int
pass_string(struct scan *scan)
{
	const char quote = *scan->at;
	const unsigned line = scan->line;

	pass(scan, 1, 0);
	while (*scan->at && *scan->at != quote) {
		if (*scan->at == '\\' && quote == '"')
			pass_escape(scan);
		else if (*scan->at == '\\')
			pass(scan, 2, 0);
		else if (quote == '"' && scan->at[0] == '$' && scan->at[1] == '{') {
			if (pass_variable(scan) < 0)
				return -1;
		} else
			pass(scan, 1, 0);
	}
	if (!*scan->at)
		return config_error(scan->errors, line,
				    "the string that begins here does not end: "
				    "add the closing quote");
	pass(scan, 1, 0);
	return 1;
}

static void
note_opening(struct scan *scan)
{
	struct config_openings *openings = scan->openings;

	if (openings->count >= CONFIG_OPENINGS_MAX)
		return;
	memcpy(openings->items[openings->count].word, scan->word, sizeof(scan->word));
	openings->items[openings->count].line = scan->word_line;
	openings->count++;
}

static int
open_brace(struct scan *scan)
{
	if (scan->depth == DEPTH_MAX)
		return config_error(scan->errors, scan->line, "too many braces inside each other");
	if (!scan->value)
		note_opening(scan);
	scan->brace_lines[scan->depth++] = scan->line;
	scan->value = 0;
	return 1;
}

static void
close_brace(struct scan *scan)
{
	if (scan->depth > 0) /* libconfuse complains about one too many */
		scan->depth--;
	scan->value = 0;
}

static int
pass_structure(struct scan *scan)
{
	int result = 1;

	if (*scan->at == '=')
		scan->value = 1;
	else if (*scan->at == '{')
		result = open_brace(scan);
	else if (*scan->at == '}')
		close_brace(scan);
	pass(scan, 1, 0);
	return result;
}

/* A bare word: a key, a section, or a value without quotes. */
static void
pass_word(struct scan *scan)
{
	const char *start = scan->at;
	size_t length;

	while (*scan->at && !strchr(STRUCTURE BLANKS "#", *scan->at) &&
	       !(scan->at[0] == '/' && (scan->at[1] == '/' || scan->at[1] == '*')))
		scan->at++;
	length = (size_t)(scan->at - start);
	if (!scan->value) {
		snprintf(scan->word, sizeof(scan->word), "%.*s", (int)(length > 7 ? 7 : length),
			 start);
		scan->word_line = scan->line;
	}
	scan->value = 0;
}

/* One piece of the text: 1, or -1 after noting an error. */
static int
pass_piece(struct scan *scan)
{
	int comment = pass_comment(scan);

	if (comment != 0)
		return comment;
	if (scan->at[0] == '$' && scan->at[1] == '{') {
		scan->value = 0;
		return pass_variable(scan);
	}
	if (*scan->at == '"' || *scan->at == '\'') {
		scan->value = 0;
		return pass_string(scan);
	}
	if (strchr(BLANKS, *scan->at))
		pass(scan, 1, 0);
	else if (strchr(STRUCTURE, *scan->at))
		return pass_structure(scan);
	else
		pass_word(scan);
	return 1;
}

unsigned
config_text_scan(char *text, struct config_errors *errors, struct config_openings *openings_out)
{
	struct scan scan = { .at = text, .line = 1, .errors = errors, .openings = openings_out };

	const unsigned before = errors->count;

	openings_out->count = 0;
	while (*scan.at)
		if (pass_piece(&scan) < 0)
			return 0;
	if (scan.depth > 0) {
		config_error(errors, scan.brace_lines[scan.depth - 1],
			     "the brace that opens here is not closed: add \"}\"");
		return 0;
	}
	return errors->count == before ? scan.line : 0;
}

unsigned
config_text_opening(const struct config_openings *openings, const char *word, unsigned index)
{
	for (unsigned i = 0; i < openings->count; i++)
		if (strcmp(openings->items[i].word, word) == 0 && index-- == 0)
			return openings->items[i].line;
	return 0;
}
