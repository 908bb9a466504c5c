/*
 * The configuration file as text, made ready for libconfuse: see config_text.c for why that is
 * needed.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_TEXT_H
#define ZYGOTED_SUPERVISOR_CONFIG_TEXT_H

#include "supervisor/config_errors.h"

#include <stddef.h>

#define CONFIG_FILE_MAX	    (256 * 1024) /* bytes of a configuration file */
#define CONFIG_OPENINGS_MAX 4096	 /* sections whose first line is remembered */

/* Where the sections of a file begin, in its order. */
struct config_openings {
	unsigned count;
	struct {
		char word[8]; /* "listen", "pool", "option"; others are cut */
		unsigned line;
	} items[CONFIG_OPENINGS_MAX];
};

/*
 * Reads a file whole. NUL-terminated text, the caller's to free; NULL after noting an error: it
 * cannot be read, is too large, or has NUL bytes in it.
 */
char *config_text_read(const char *file, struct config_errors *errors);

/*
 * Blanks the comments of `text` in place, checks strings and ${NAME} in it, and notes where
 * sections begin. Returns the number of the last line, 0 after noting errors: what the text means
 * is not known then.
 */
unsigned config_text_scan(char *text, struct config_errors *errors,
			  struct config_openings *openings_out);

/* The line on which the index-th section called `word` begins, 0 if unknown. */
unsigned config_text_opening(const struct config_openings *openings, const char *word,
			     unsigned index);

#endif
