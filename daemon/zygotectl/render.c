/*
 * Turns JSON into tables.
 *
 * Runs in: zygotectl. The answer comes from whoever listens on the socket: any shape is taken, what
 * does not fit a view is shown as missing.
 */
#include "zygotectl/render.h"

#include "zygotectl/map.h"
#include "zygotectl/table.h"
#include "zygotectl/view.h"

#include <stdlib.h>
#include <string.h>

static size_t
count_columns(const struct view *view)
{
	size_t count = 0;

	while (view->columns[count].header)
		count++;
	return count;
}

/* Follows "front.outcomes" down from the answer. NULL when there is no such value. */
static const json_t *
find_path(const json_t *value, const char *path)
{
	char key[64];

	while (value && *path) {
		size_t length = strcspn(path, ".");

		if (length >= sizeof(key))
			return NULL;
		memcpy(key, path, length);
		key[length] = '\0';
		value = json_object_get(value, key);
		path += length + (path[length] == '.');
	}
	return value;
}

static void
add_value(struct table *table, const json_t *value, enum unit unit)
{
	char text[UNIT_TEXT_MAX];

	if (json_is_string(value))
		table_add(table, json_string_length(value) > 0 ? json_string_value(value) : "-");
	else if (json_is_number(value))
		table_add(table, unit_format(unit, json_number_value(value), text, sizeof(text)));
	else if (json_is_boolean(value))
		table_add(table, json_is_true(value) ? "yes" : "no");
	else
		table_add(table, "-");
}

static struct table *
new_table(const struct view *view)
{
	size_t columns = count_columns(view);
	struct table *table = table_new(columns);

	for (size_t i = 0; table && i < columns; i++) {
		table_align(table, i,
			    view->columns[i].unit == UNIT_TEXT ? TABLE_LEFT : TABLE_RIGHT);
		table_add(table, view->columns[i].header);
	}
	return table;
}

static struct table *
make_rows(const struct view *view, const json_t *value)
{
	struct table *table = new_table(view);
	size_t index;
	const json_t *row;

	json_array_foreach(value, index, row) for (size_t i = 0; table && view->columns[i].header;
						   i++)
		add_value(table, json_object_get(row, view->columns[i].key), view->columns[i].unit);
	return table;
}

static struct table *
make_pairs(const struct view *view, const json_t *value)
{
	struct table *table = table_new(2);

	for (size_t i = 0; table && view->columns[i].header; i++) {
		table_add(table, view->columns[i].header);
		add_value(table, json_object_get(value, view->columns[i].key),
			  view->columns[i].unit);
	}
	return table;
}

/* Rows of the object `counts`, each behind the text `first` unless that is NULL. */
static void
add_counts(struct table *table, const json_t *first, const json_t *counts)
{
	const char *name;
	json_t *count;

	json_object_foreach((json_t *)counts, name, count)
	{
		if (json_number_value(count) == 0)
			continue;
		if (first)
			add_value(table, first, UNIT_TEXT);
		table_add(table, name);
		add_value(table, count, UNIT_COUNT);
	}
}

static struct table *
make_counts(const struct view *view, const json_t *value)
{
	struct table *table = new_table(view);

	if (table)
		add_counts(table, NULL, value);
	return table;
}

static struct table *
make_nested(const struct view *view, const json_t *value)
{
	struct table *table = new_table(view);
	size_t index;
	const json_t *row;

	json_array_foreach(value, index, row)
	{
		const json_t *first = json_object_get(row, view->columns[0].key);

		if (table && first)
			add_counts(table, first, json_object_get(row, view->nested));
	}
	return table;
}

static struct table *
make_list(const struct view *view, const json_t *value)
{
	struct table *table = table_new(1);
	size_t index;
	const json_t *item;

	(void)view;
	json_array_foreach(value, index, item) if (table) add_value(table, item, UNIT_COUNT);
	return table;
}

static struct table *
make_lines(const struct view *view, const json_t *value)
{
	struct table *table = table_new(1);
	const char *at = json_string_value(value);

	(void)view;
	while (table && at && *at) {
		size_t length = strcspn(at, "\n");
		char *line = strndup(at, length);

		if (!line) {
			table_free(table);
			return NULL;
		}
		table_add(table, line);
		free(line);
		at += length + (at[length] == '\n');
	}
	return table;
}

static struct table *
make_text(const struct view *view, const json_t *value)
{
	(void)view;
	(void)value;
	return table_new(1);
}

static int
render_view(const struct view *view, const json_t *value, FILE *out)
{
	static struct table *(*const makers[])(const struct view *, const json_t *) = {
		[VIEW_ROWS] = make_rows,     [VIEW_PAIRS] = make_pairs, [VIEW_COUNTS] = make_counts,
		[VIEW_NESTED] = make_nested, [VIEW_LIST] = make_list,	[VIEW_LINES] = make_lines,
		[VIEW_TEXT] = make_text,
	};
	_Static_assert(sizeof(makers) / sizeof(makers[0]) == VIEW_KIND_MAX, "kinds of views");
	struct table *table = makers[view->kind](view, value);
	int result;

	if (!table)
		return -1;
	if (view->title[0])
		fprintf(out, "%s\n", view->title);
	result = table_print(table, out);
	table_free(table);
	return result;
}

/* An empty list with a title of its own is not worth a line; a table shows its header at least. */
static int
is_worth_showing(const struct view *view, const json_t *value)
{
	return view->kind != VIEW_LIST || json_array_size(value) > 0;
}

static int
render_json(const json_t *answer, FILE *out)
{
	int result = json_dumpf(answer, out, JSON_INDENT(2));

	fputc('\n', out);
	return result;
}

int
render_answer(const char *command, const json_t *answer, FILE *out)
{
	size_t count;
	const struct view *views = view_all(&count);
	int shown = 0;

	if (strcmp(command, "map") == 0)
		return map_render(answer, out);
	for (size_t i = 0; i < count; i++) {
		const json_t *value;

		if (strcmp(views[i].command, command) != 0)
			continue;
		value = find_path(answer, views[i].path ? views[i].path : "");
		if (!is_worth_showing(&views[i], value))
			continue;
		if (shown++ > 0)
			fputc('\n', out);
		if (render_view(&views[i], value, out) < 0)
			return -1;
	}
	return shown > 0 ? 0 : render_json(answer, out);
}
