/*
 * What the table worker has in memory: one arena with every row, one index over it, the column
 * names. Built by the zygote at load, read by the children.
 */
#ifndef ZYGOTED_TABLE_TABLE_H
#define ZYGOTED_TABLE_TABLE_H

#include "index.h"
#include "key.h"
#include "worker.h"

#include <stddef.h>

struct table {
	struct index index;
	enum key_form form;
	int prefix; /* 1: the longest key that the request's begins with; 0: exactly that key */
	unsigned columns;
	unsigned key_column;
	char *names; /* column names, NUL-terminated, one after the other */
	size_t names_bytes;
	char *arena; /* rows: normalised key, then each column's value; all NUL-terminated */
	size_t arena_bytes;
	size_t arena_size; /* allocated */
};

/* Reads options and files. 0, or -1 after zy_load_error. Zygote only; the table is never freed. */
int table_load(const struct zy_load *load, void **state_out);

/*
 * The row for a normalised key: its first column's value, the others follow. NULL if there is none.
 */
const char *table_find(const struct table *table, const char *key, size_t length);

#endif
