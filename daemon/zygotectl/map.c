/*
 * The map of an image.
 *
 * Runs in: zygotectl. The answer comes from whoever listens on the socket: what does not fit is
 * drawn as shared, and text is escaped before it gets into a picture.
 */
#include "zygotectl/map.h"

#include "zygotectl/table.h"
#include "zygotectl/unit.h"

#include <errno.h>
#include <string.h>

#define GRID_COLUMNS 64

static const struct {
	char mark;
	const char *colour;
	const char *text;
} states[MAP_STATE_MAX] = {
	[MAP_MANY] = { '#', "#b2182b", "copied by half of the children or more" },
	[MAP_FEW] = { 'o', "#f4a582", "copied by fewer" },
	[MAP_NEW] = { '+', "#4393c3", "new" },
	[MAP_SHARED] = { '.', "#e0e0e0", "shared by all" },
};

static double
number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *
text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* An index; 0 for what cannot be one. */
static size_t
cell_number(const json_t *region, const char *key)
{
	double value = number(region, key);

	return value >= 0 && value < 1e9 ? (size_t)value : 0;
}

static size_t
count_cells(const json_t *answer)
{
	return json_array_size(json_object_get(answer, "copied"));
}

enum map_state
map_cell(const json_t *answer, size_t index)
{
	double copied = json_number_value(json_array_get(json_object_get(answer, "copied"), index));
	double added = json_number_value(json_array_get(json_object_get(answer, "new"), index));

	if (copied > 0)
		return 2 * copied >= number(answer, "samples") ? MAP_MANY : MAP_FEW;
	return added > 0 ? MAP_NEW : MAP_SHARED;
}

static size_t
count_state(const json_t *answer, enum map_state state, size_t first, size_t last)
{
	size_t count = 0;

	for (size_t i = first; i <= last && i < count_cells(answer); i++)
		count += map_cell(answer, i) == state;
	return count;
}

/* "echo: image inherited, 12 samples, 128.0 KiB a cell" */
static void
format_title(const json_t *answer, char *out, size_t size)
{
	char cell[UNIT_TEXT_MAX];

	snprintf(out, size, "%.40s: image %.20s, %.0f samples, %s a cell", text(answer, "pool"),
		 text(answer, "image"), number(answer, "samples"),
		 unit_format(UNIT_BYTES, number(answer, "cell_bytes"), cell, sizeof(cell)));
}

/* ---- the grid ---- */

static void
print_grid(const json_t *answer, FILE *out)
{
	const size_t cells = count_cells(answer);

	for (size_t i = 0; i < cells; i++) {
		fputc(states[map_cell(answer, i)].mark, out);
		if ((i + 1) % GRID_COLUMNS == 0 || i + 1 == cells)
			fputc('\n', out);
	}
}

static void
add_region(struct table *table, const json_t *region, const json_t *answer)
{
	const size_t first = cell_number(region, "first_cell");
	const size_t last = cell_number(region, "last_cell");
	const double cells[] = { (double)first, (double)last,
				 (double)count_state(answer, MAP_MANY, first, last),
				 (double)count_state(answer, MAP_FEW, first, last),
				 (double)count_state(answer, MAP_NEW, first, last) };
	char number_text[UNIT_TEXT_MAX];

	table_add(table, text(region, "region"));
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		table_add(table,
			  unit_format(UNIT_COUNT, cells[i], number_text, sizeof(number_text)));
}

static int
print_regions(const json_t *answer, FILE *out)
{
	static const char *const headers[] = { "REGION", "FROM CELL", "TO", "#", "o", "+" };
	const size_t columns = sizeof(headers) / sizeof(headers[0]);
	struct table *table = table_new(columns);
	const json_t *regions = json_object_get(answer, "regions");
	int result;

	if (!table)
		return -1;
	for (size_t i = 0; i < columns; i++) {
		table_align(table, i, i == 0 ? TABLE_LEFT : TABLE_RIGHT);
		table_add(table, headers[i]);
	}
	for (size_t i = 0; i < json_array_size(regions); i++)
		add_region(table, json_array_get(regions, i), answer);
	result = table_print(table, out);
	table_free(table);
	return result;
}

int
map_render(const json_t *answer, FILE *out)
{
	char title[160];

	format_title(answer, title, sizeof(title));
	fprintf(out, "%s\n", title);
	for (int i = 0; i < MAP_STATE_MAX; i++)
		fprintf(out, "%c %s  ", states[i].mark, states[i].text);
	fputs("\n\n", out);
	print_grid(answer, out);
	fputc('\n', out);
	return print_regions(answer, out);
}

/* ---- the picture ---- */

#define CELL	      10
#define HEAD	      28 /* above the cells: the title */
#define LEGEND_WIDTH  260
#define LEGEND_HEIGHT 16

static void
write_escaped(const char *value, FILE *out)
{
	static const struct {
		char byte;
		const char *entity;
	} entities[] = { { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" }, { '"', "&quot;" } };

	for (; *value; value++) {
		const char *entity = NULL;
		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (*value == entities[i].byte)
				entity = entities[i].entity;
		if (entity)
			fputs(entity, out);
		else
			fputc((unsigned char)*value < ' ' || (unsigned char)*value > '~' ? '?'
											 : *value,
			      out);
	}
}

/* Neighbours of one state are one rectangle. Returns the cell behind it. */
static size_t
write_cells(const json_t *answer, size_t first, FILE *out)
{
	const enum map_state state = map_cell(answer, first);
	const size_t row = first / GRID_COLUMNS;
	size_t end = first + 1;

	while (end < count_cells(answer) && end / GRID_COLUMNS == row &&
	       map_cell(answer, end) == state)
		end++;
	fprintf(out, "<rect x=\"%zu\" y=\"%zu\" width=\"%zu\" height=\"%d\" fill=\"%s\"/>\n",
		first % GRID_COLUMNS * CELL, HEAD + row * CELL, (end - first) * CELL - 1, CELL - 1,
		states[state].colour);
	return end;
}

static void
write_legend(const json_t *answer, size_t top, FILE *out)
{
	const json_t *regions = json_object_get(answer, "regions");

	for (size_t i = 0; i < MAP_STATE_MAX; i++)
		fprintf(out,
			"<rect x=\"0\" y=\"%zu\" width=\"12\" height=\"12\" fill=\"%s\"/>\n"
			"<text x=\"18\" y=\"%zu\">%s</text>\n",
			top + i * LEGEND_HEIGHT, states[i].colour, top + i * LEGEND_HEIGHT + 10,
			states[i].text);
	for (size_t i = 0; i < json_array_size(regions); i++) {
		const json_t *region = json_array_get(regions, i);
		fprintf(out, "<text x=\"%d\" y=\"%zu\">cells %.0f to %.0f: ",
			GRID_COLUMNS * CELL - LEGEND_WIDTH, top + i * LEGEND_HEIGHT + 10,
			number(region, "first_cell"), number(region, "last_cell"));
		write_escaped(text(region, "region"), out);
		fputs("</text>\n", out);
	}
}

static void
write_svg(const json_t *answer, FILE *out)
{
	const size_t rows = (count_cells(answer) + GRID_COLUMNS - 1) / GRID_COLUMNS;
	const size_t regions = json_array_size(json_object_get(answer, "regions"));
	const size_t lines = regions > MAP_STATE_MAX ? regions : MAP_STATE_MAX;
	const size_t top = HEAD + rows * CELL + CELL;
	char title[160];

	format_title(answer, title, sizeof(title));
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n<title>",
		GRID_COLUMNS * CELL, top + lines * LEGEND_HEIGHT + CELL);
	write_escaped(title, out);
	fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
	      "<text x=\"0\" y=\"16\">",
	      out);
	write_escaped(title, out);
	fputs("</text>\n", out);
	for (size_t i = 0; i < count_cells(answer);)
		i = write_cells(answer, i, out);
	write_legend(answer, top, out);
	fputs("</svg>\n", out);
}

int
map_write_svg(const json_t *answer, const char *file)
{
	FILE *out = fopen(file, "we");
	int failed = out == NULL;

	if (out) {
		write_svg(answer, out);
		failed = ferror(out);
		failed |= fclose(out) != 0;
	}
	if (failed)
		fprintf(stderr, "zygotectl: cannot write %s: %s\n", file, strerror(errno));
	return failed ? -1 : 0;
}
