/*
 * Prints tables of text.
 *
 * Runs in: zygotectl. Cells come from the daemon, which passes on what workers and their errors
 * say: a control character must not reach the terminal.
 */
#include "zygotectl/table.h"

#include <stdlib.h>
#include <string.h>

struct table {
	size_t columns;
	size_t cells_count;
	size_t cells_room;
	int failed;
	char **cells;
	enum table_align *aligns;
};

struct table *
table_new(size_t columns)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->aligns = calloc(columns, sizeof(*table->aligns));
	if (!table->aligns) {
		free(table);
		return NULL;
	}
	return table;
}

void
table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->cells_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->aligns);
	free(table);
}

void
table_align(struct table *table, size_t column, enum table_align align)
{
	table->aligns[column] = align;
}

/* ASCII's, DEL, and those of Latin-1 in their UTF-8 form, which terminals obey as well. */
static int
is_control(const unsigned char *at)
{
	return *at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

static void
clean(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++)
		if (is_control(at)) {
			if (*at == 0xc2)
				at[1] = '?';
			*at = '?';
		}
}

static int
grow(struct table *table)
{
	size_t room = table->cells_room ? 2 * table->cells_room : 64;
	char **cells = reallocarray(table->cells, room, sizeof(*cells));

	if (!cells)
		return -1;
	table->cells = cells;
	table->cells_room = room;
	return 0;
}

void
table_add(struct table *table, const char *text)
{
	char *copy;

	if (table->failed)
		return;
	copy = strdup(text);
	if (!copy || (table->cells_count == table->cells_room && grow(table) < 0)) {
		free(copy);
		table->failed = 1;
		return;
	}
	clean(copy);
	table->cells[table->cells_count++] = copy;
}

/* Characters, not bytes. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void
print_row(const struct table *table, size_t row, const size_t *widths, FILE *out)
{
	for (size_t i = 0; i < table->columns; i++) {
		const char *cell = table->cells[row * table->columns + i];
		int blanks = (int)(widths[i] - width_of(cell));
		int last = i + 1 == table->columns;

		if (table->aligns[i] == TABLE_RIGHT)
			fprintf(out, "%*s%s", blanks, "", cell);
		else
			fprintf(out, "%s%*s", cell, last ? 0 : blanks, "");
		fputs(last ? "\n" : "  ", out);
	}
}

int
table_print(const struct table *table, FILE *out)
{
	size_t *widths = calloc(table->columns, sizeof(*widths));
	size_t rows = table->cells_count / table->columns;

	if (table->failed || !widths) {
		free(widths);
		return -1;
	}
	for (size_t i = 0; i < rows * table->columns; i++) {
		size_t width = width_of(table->cells[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (size_t i = 0; i < rows; i++)
		print_row(table, i, widths, out);
	free(widths);
	return 0;
}
