/*
 * How the answer to each command is shown: tables of rows, walked by render.c. A new command, or a
 * new field of an old one, is a row in view.c.
 */
#ifndef ZYGOTED_ZYGOTECTL_VIEW_H
#define ZYGOTED_ZYGOTECTL_VIEW_H

#include "zygotectl/unit.h"

#include <stddef.h>

enum view_kind {
	VIEW_ROWS,   /* an array of objects: a line each */
	VIEW_PAIRS,  /* one object: a line for each column */
	VIEW_COUNTS, /* one object of names and numbers: a line for each that is not 0 */
	VIEW_NESTED, /* an array of objects: the counts in the field `nested` of each */
	VIEW_LIST,   /* an array of texts: a line each */
	VIEW_LINES,  /* one text of several lines */
	VIEW_TEXT,   /* the title, nothing else */
	VIEW_KIND_MAX
};

struct view_column {
	const char *header;
	const char *key;
	enum unit unit;
};

struct view {
	const char *command;
	enum view_kind kind;
	const char *title;  /* above it; "": none */
	const char *path;   /* to the value, keys with dots between; "": the whole answer */
	const char *nested; /* VIEW_NESTED: the key of the counts */
	const struct view_column *columns; /* ends with a NULL header */
};

/* All views, those of a command together and in the order in which they are shown. */
const struct view *view_all(size_t *count_out);

#endif
