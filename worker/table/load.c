/*
 * Filling a table from its files.
 *
 * Runs in: the zygote, once, before it locks itself down. Trusts the options; the files may be
 * malformed, and then the pool must not start: a message with file and line says what to mend. All
 * rows go into one arena in file order, without pointers, so that the frozen image is dense and a
 * lookup touches few of its pages.
 */
#include "table.h"

#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_START (1u << 20)

/* Room for `bytes` more at the end of the arena. */
static int
arena_reserve(struct table *table, size_t bytes)
{
	size_t size = table->arena_size > 0 ? table->arena_size : ARENA_START;
	char *grown;

	while (size - table->arena_bytes < bytes)
		size *= 2;
	if (size == table->arena_size)
		return 0;
	grown = realloc(table->arena, size);
	if (grown == NULL)
		return -1;
	table->arena = grown;
	table->arena_size = size;
	return 0;
}

static int
arena_append(struct table *table, const char *text, size_t length)
{
	if (arena_reserve(table, length + 1) != 0)
		return -1;
	memcpy(table->arena + table->arena_bytes, text, length);
	table->arena[table->arena_bytes + length] = '\0';
	table->arena_bytes += length + 1;
	return 0;
}

/* Column names lie as the rows do: one after the other, NUL-terminated. */
static int
names_keep(struct table *table, const struct csv_field *fields, int count)
{
	size_t bytes = (size_t)count;
	char *at;

	for (int i = 0; i < count; i++)
		bytes += fields[i].length;
	at = calloc(bytes, 1);
	if (at == NULL)
		return -1;
	table->names = at;
	table->names_bytes = bytes;
	table->columns = (unsigned)count;
	for (int i = 0; i < count; i++) {
		memcpy(at, fields[i].text, fields[i].length);
		at += fields[i].length + 1;
	}
	return 0;
}

static int
field_is(const struct csv_field *field, const char *text, size_t length)
{
	return field->length == length && memcmp(field->text, text, length) == 0;
}

static int
names_check(const struct source *source, const struct csv_field *fields, int count)
{
	for (int i = 0; i < count; i++) {
		if (fields[i].length == 0)
			return source_error(source, 1,
					    "a column without a name; the first line must "
					    "name every column");
		for (int j = 0; j < i; j++)
			if (field_is(&fields[j], fields[i].text, fields[i].length))
				return source_error(source, 1, "two columns have the same name");
	}
	return 0;
}

/* A later file must name the same columns in the same order: a row of any file then reads alike. */
static int
names_compare(const struct source *source, const struct table *table,
	      const struct csv_field *fields, int count)
{
	const char *name = table->names;

	for (int i = 0; i < count && (unsigned)count == table->columns; i++) {
		if (!field_is(&fields[i], name, strlen(name)))
			break;
		name += strlen(name) + 1;
	}
	if (name != table->names + table->names_bytes)
		return source_error(source, 1,
				    "other columns than in the first file; give all files "
				    "of a table the same first line");
	return 0;
}

static int
key_column_find(const struct source *source, struct table *table, const struct csv_field *fields,
		int count)
{
	const char *key = zy_option(source->load, "key", 0);

	for (int i = 0; i < count; i++) {
		if (!field_is(&fields[i], key, strlen(key)))
			continue;
		table->key_column = (unsigned)i;
		return 0;
	}
	return zy_load_error(
		source->load,
		"%s:1: no column named \"%s\"; set option \"key\" to one of the names in "
		"that line",
		source->file, key);
}

static int
source_header(struct source *source, struct table *table, struct csv_field *fields)
{
	unsigned line = 1;
	int count = source_record(source, fields, &line);

	if (count < 0)
		return -1;
	if (count == 0)
		return source_error(source, 1,
				    "the file is empty; its first line must name the columns");
	if (table->names != NULL)
		return names_compare(source, table, fields, count);
	if (names_check(source, fields, count) != 0 ||
	    key_column_find(source, table, fields, count) != 0)
		return -1;
	if (names_keep(table, fields, count) != 0)
		return source_error(source, 1, "out of memory");
	return 0;
}

static int
source_row(struct source *source, struct table *table, const struct csv_field *fields,
	   unsigned line)
{
	const struct csv_field *key = &fields[table->key_column];
	char normalised[KEY_BYTES_MAX];
	size_t length;
	const char *wrong;

	if (key->length > sizeof(normalised))
		return source_error(source, line, "key longer than 1024 bytes");
	memcpy(normalised, key->text, key->length);
	wrong = key_normalise(table->form, normalised, key->length, &length);
	if (wrong != NULL)
		return source_error(source, line, wrong);
	if (arena_append(table, normalised, length) != 0)
		return source_error(source, line, "out of memory");
	for (unsigned i = 0; i < table->columns; i++)
		if (arena_append(table, fields[i].text, fields[i].length) != 0)
			return source_error(source, line, "out of memory");
	return 0;
}

static int
source_rows(struct source *source, struct table *table, struct csv_field *fields)
{
	unsigned line = 1;
	int count;

	while ((count = source_record(source, fields, &line)) > 0) {
		if ((unsigned)count != table->columns)
			return zy_load_error(source->load,
					     "%s:%u: %d fields, but the first line names "
					     "%u columns",
					     source->file, line, count, table->columns);
		if (source_row(source, table, fields, line) != 0)
			return -1;
	}
	return count;
}

static int
separator_for(const struct zy_load *load, const char *file, char *separator_out)
{
	const char *option = zy_option(load, "separator", 0);
	size_t length = strlen(file);

	if (option == NULL)
		*separator_out = length > 4 && strcmp(file + length - 4, ".tsv") == 0 ? '\t' : ',';
	else if (strcmp(option, ",") == 0)
		*separator_out = ',';
	else if (strcmp(option, "tab") == 0)
		*separator_out = '\t';
	else
		return zy_load_error(load,
				     "option \"separator\" is \"%s\"; it may be \",\" or \"tab\"",
				     option);
	return 0;
}

static int
file_load(const struct zy_load *load, struct table *table, const char *file)
{
	struct source source = { .load = load, .file = file };
	struct csv_field fields[SOURCE_COLUMNS_MAX];
	char separator = ',';
	int result = separator_for(load, file, &separator);

	if (result == 0)
		result = source_open(&source, separator);
	if (result == 0)
		result = source_header(&source, table, fields);
	if (result == 0)
		result = source_rows(&source, table, fields);
	source_close(&source);
	return result;
}

static int
options_read(const struct zy_load *load, struct table *table)
{
	static const char *const known[] = {
		"file", "key", "match", "normalise", "separator", NULL
	};
	const char *match = zy_option(load, "match", 0);
	const char *normalise = zy_option(load, "normalise", 0);
	int form = normalise != NULL ? key_form_parse(normalise) : KEY_AS_IS;

	if (zy_options_check(load, known) != 0)
		return -1;
	if (zy_option(load, "file", 0) == NULL || zy_option(load, "key", 0) == NULL)
		return zy_load_error(load, "options \"file\" (one or more) and \"key\" (the key's "
					   "column) are needed");
	if (form < 0)
		return zy_load_error(load,
				     "option \"normalise\" is \"%s\"; it may be \"none\" or "
				     "\"hex\"",
				     normalise);
	if (match != NULL && strcmp(match, "exact") != 0 && strcmp(match, "prefix") != 0)
		return zy_load_error(load,
				     "option \"match\" is \"%s\"; it may be \"exact\" or "
				     "\"prefix\"",
				     match);
	table->form = (enum key_form)form;
	table->prefix = match != NULL && strcmp(match, "prefix") == 0;
	return 0;
}

static int
files_load(const struct zy_load *load, struct table *table)
{
	const char *file;

	for (size_t i = 0; (file = zy_option(load, "file", i)) != NULL; i++)
		if (file_load(load, table, file) != 0)
			return -1;
	return 0;
}

static void
table_free(struct table *table)
{
	index_fini(&table->index);
	free(table->names);
	free(table->arena);
	free(table);
}

/* For `zygotectl maps`: neither should ever be copied. Without names nothing else is lost. */
static void
name_regions(const struct table *table)
{
	(void)zy_name_region(table->arena, table->arena_bytes, "rows");
	(void)zy_name_region(table->index.slots, (table->index.mask + 1) * sizeof(uint64_t),
			     "index");
}

static int
table_fill(const struct zy_load *load, struct table *table)
{
	char *arena;

	if (options_read(load, table) != 0 || files_load(load, table) != 0)
		return -1;
	if (table->arena_bytes == 0)
		return zy_load_error(load, "no rows in any file");
	arena = realloc(table->arena, table->arena_bytes);
	if (arena != NULL)
		table->arena = arena;
	if (index_init(&table->index, table->arena, table->arena_bytes, 1 + table->columns) != 0)
		return zy_load_error(load, "cannot index the rows: %s", strerror(errno));
	name_regions(table);
	return 0;
}

int
table_load(const struct zy_load *load, void **state_out)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return zy_load_error(load, "out of memory");
	if (table_fill(load, table) != 0) {
		table_free(table);
		return -1;
	}
	*state_out = table;
	return 0;
}

const char *
table_find(const struct table *table, const char *key, size_t length)
{
	const char *row = table->prefix ? index_find_prefix(&table->index, key, length)
					: index_find(&table->index, key, length);

	return row != NULL ? row + strlen(row) + 1 : NULL;
}
