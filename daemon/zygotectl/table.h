/*
 * A table of text cells, printed with columns as wide as their widest cell. Pure but for the
 * allocation.
 */
#ifndef ZYGOTED_ZYGOTECTL_TABLE_H
#define ZYGOTED_ZYGOTECTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table;

/* NULL when out of memory. */
struct table *table_new(size_t columns);
void table_free(struct table *table);

/* How a column's cells stand; left unless said. */
void table_align(struct table *table, size_t column, enum table_align align);

/*
 * Adds the next cell, row by row; control characters in it are shown as '?'. After the first cell
 * that cannot be kept for want of memory table_print fails.
 */
void table_add(struct table *table, const char *text);

/* Prints all complete rows, two blanks between columns, none at the end of a line. 0, or -1 when
 * out of memory. */
int table_print(const struct table *table, FILE *out);

#endif
