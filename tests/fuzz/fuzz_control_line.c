/* Command lines of the control socket: any bytes; words that are printable, in their order, and all of the line. */
/* LINK: daemon/supervisor/control_line.c */
#include "supervisor/control_line.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Word by word they are the line, but for blanks; nothing is in them that is no printable ASCII. */
static void
compare(const struct control_words *words, const char *line, size_t length)
{
	size_t at = 0;

	for (unsigned i = 0; i < words->count; i++) {
		const char *word = words->words[i];

		require(word[0] != '\0');
		while (at < length && (line[at] == ' ' || line[at] == '\t'))
			at++;
		for (; *word != '\0'; word++, at++)
			require(at < length && *word == line[at] && *word > ' ' && *word <= '~');
	}
	for (; at < length; at++)
		require(line[at] == ' ' || line[at] == '\t' || line[at] == '\r');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const specifications[] = { "", "POOL", "[POOL]", "LEVEL [POOL]",
						      "[POOL] [--all] [--wait]" };
	struct control_words *words = malloc(sizeof(*words));
	char *line = malloc(size + 1);
	const char *wrong;

	require(words != NULL && line != NULL);
	memcpy(line, data, size);
	wrong = control_line_split(line, size, words);
	require((wrong == NULL) == (words->count > 0));
	require(words->count <= CONTROL_WORDS_MAX);
	if (wrong == NULL)
		compare(words, line, size);
	for (size_t i = 0; wrong == NULL && i < sizeof(specifications) / sizeof(specifications[0]);
	     i++) {
		const char *why = control_line_check(words, specifications[i]);
		require(i != 0 || (why == NULL) == (words->count == 1));
	}
	free(line);
	free(words);
	return 0;
}
