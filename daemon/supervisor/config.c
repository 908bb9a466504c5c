/*
 * Reads the configuration file: libconfuse takes the syntax apart, the table of keys says what each
 * value means.
 *
 * Runs in: supervisor, before anything else runs; the only file that knows libconfuse. Every value
 * reaches us as text with its line, whatever its type, so that all wrong values of a file are
 * reported, not the first alone.
 */
#include "supervisor/config.h"

#include "supervisor/config_check.h"
#include "supervisor/config_errors.h"
#include "supervisor/config_keys.h"
#include "supervisor/config_store.h"
#include "supervisor/config_text.h"
#include "supervisor/config_value.h"

#include <confuse.h>
#include <stdlib.h>
#include <string.h>

#define OPTS_MAX 32 /* keys and sections of one section, with the end mark */

/* A value as libconfuse found it. */
struct value {
	const cfg_opt_t *opt;
	unsigned line;
	char text[];
};

/* All that is needed while one file is read. libconfuse's callbacks have no argument for it: see
 * `reading`. */
struct reader {
	struct config *config;
	struct config_errors errors;
	struct config_openings openings;
	unsigned options_seen; /* option sections so far, over all pools */
	const cfg_opt_t
		*replaced; /* the key whose values libconfuse has just dropped for new ones */
	unsigned replaced_line;
	int complete; /* the file was understood to its end */
	cfg_opt_t opts[CONFIG_SECTION_MAX][OPTS_MAX];
};

static struct reader *reading;

/* ---- libconfuse's callbacks ---- */

static int
on_value(cfg_t *section, cfg_opt_t *opt, const char *text, void *result)
{
	size_t size = strlen(text) + 1;
	struct value *value = malloc(sizeof(*value) + size);

	if (!value)
		return config_error(&reading->errors, (unsigned)section->line, "out of memory");
	value->opt = opt;
	value->line = (unsigned)section->line;
	memcpy(value->text, text, size);
	if (reading->replaced == opt)
		config_error(&reading->errors, value->line,
			     "%s is given twice, first on line %u: remove one of them", opt->name,
			     reading->replaced_line);
	reading->replaced = NULL;
	*(void **)result = value;
	return 0;
}

static void
on_value_free(void *data)
{
	struct value *value = data;

	if (reading->replaced != value->opt) {
		reading->replaced = value->opt;
		reading->replaced_line = value->line;
	}
	free(value);
}

/* libconfuse's messages that can be said better; each takes the name it complains about. */
static const struct {
	const char *format;
	const char *before;
	const char *after;
} messages[] = {
	{ "no such option '%s'", "unknown key \"", "\": see zygoted.conf(5) for those there are" },
	{ "found duplicate title '%s'", "a section called \"",
	  "\" is already there: rename or remove one of them" },
	{ "unexpected token '%s'", "unexpected \"",
	  "\" here: is a quote, a comma or a brace missing before it?" },
	{ "missing equal sign after option '%s'", "no \"=\" after ", "" },
	{ "missing title for section '%s'", "no name after ", ": write NAME in double quotes" },
	{ "missing opening brace for section '%s'", "no \"{\" after the name of this ", "" },
	{ "attempt to append to non-list option '%s'", "",
	  " takes one value: write \"=\" in place of \"+=\"" },
};

static void on_error(cfg_t *section, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

static void
on_error(cfg_t *section, const char *format, va_list arguments)
{
	const unsigned line = (unsigned)section->line;
	char text[PROTO_TEXT_MAX];

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (strcmp(format, messages[i].format) == 0) {
			config_error(&reading->errors, line, "%s%.80s%s", messages[i].before,
				     va_arg(arguments, const char *), messages[i].after);
			return;
		}
	vsnprintf(text, sizeof(text), format, arguments);
	config_error(&reading->errors, line, "%s", text);
}

/* ---- the table of keys as libconfuse wants it ---- */

static cfg_opt_t
make_opt(const struct config_key *key)
{
	const int list = key->type == CONFIG_LAYERS || key->type == CONFIG_ROUTES ||
			 key->type == CONFIG_PATHS || key->type == CONFIG_FILES ||
			 key->type == CONFIG_NETWORKS || key->type == CONFIG_VALUES;

	return (cfg_opt_t)CFG_PTR_CB(key->name, 0, list ? CFGF_LIST : CFGF_NONE, on_value,
				     on_value_free);
}

static void
make_opts(struct reader *reader)
{
	static const enum config_section inside[CONFIG_SECTION_MAX] = {
		[CONFIG_LISTEN] = CONFIG_TOP,
		[CONFIG_POOL] = CONFIG_TOP,
		[CONFIG_OPTION] = CONFIG_POOL,
	};
	unsigned used[CONFIG_SECTION_MAX] = { 0 };
	size_t count;
	const struct config_key *keys = config_keys(&count);

	for (size_t i = 0; i < count; i++)
		reader->opts[keys[i].section][used[keys[i].section]++] = make_opt(&keys[i]);
	for (enum config_section i = CONFIG_LISTEN; i < CONFIG_SECTION_MAX; i++)
		reader->opts[inside[i]][used[inside[i]]++] =
			(cfg_opt_t)CFG_SEC(config_section_name(i), reader->opts[i],
					   CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	for (enum config_section i = CONFIG_TOP; i < CONFIG_SECTION_MAX; i++)
		reader->opts[i][used[i]] = (cfg_opt_t)CFG_END();
}

/* ---- from libconfuse's tree to our structs ---- */

/* A default cannot be wrong: the table is ours. It stays where a value is refused, so that no error
 * begets another. */
static void
store_preset(const struct config_place *place, const struct config_key *key)
{
	static const char between[] = "{}\", ";
	char text[128];
	char *rest = NULL;

	if (key->preset[0] == '\0' || key->computed)
		return;
	if (key->type != CONFIG_NETWORKS) {
		(void)config_store(place, key, key->preset);
		return;
	}
	snprintf(text, sizeof(text), "%s", key->preset); /* a list */
	for (char *item = strtok_r(text, between, &rest); item;
	     item = strtok_r(NULL, between, &rest))
		(void)config_store(place, key, item);
}

/* A list that is given takes the place of its default, even an empty one. */
static int
takes_preset(cfg_t *section, const struct config_key *key)
{
	return key->type != CONFIG_NETWORKS ||
	       !(cfg_getopt(section, key->name)->flags & CFGF_MODIFIED);
}

static void
read_key(struct reader *reader, cfg_t *section, const struct config_key *key,
	 struct config_place *place)
{
	unsigned count = cfg_size(section, key->name);

	if (key->preset && takes_preset(section, key))
		store_preset(place, key);
	else if (!key->preset && count == 0 && reader->complete)
		config_error(&reader->errors, place->line, "%s \"%.40s\" has no %s (%s): add it",
			     config_section_name(key->section), place->title, key->name, key->text);
	for (unsigned i = 0; i < count; i++) {
		const struct value *value = cfg_opt_getnptr(cfg_getopt(section, key->name), i);
		struct config_place at = *place;

		if (!value)
			continue;
		at.line = value->line;
		(void)config_store(&at, key, value->text);
	}
}

static void
read_keys(struct reader *reader, cfg_t *section, enum config_section kind,
	  struct config_place *place)
{
	size_t count;
	const struct config_key *keys = config_keys(&count);

	for (size_t i = 0; i < count; i++)
		if (keys[i].section == kind)
			read_key(reader, section, &keys[i], place);
}

/* The line on which the section begins: libconfuse knows where it ends. */
static unsigned
line_of(const struct reader *reader, cfg_t *section, enum config_section kind, unsigned index)
{
	unsigned line = config_text_opening(&reader->openings, config_section_name(kind), index);

	return line > 0 && line <= (unsigned)section->line ? line : (unsigned)section->line;
}

/* `out` has room for PROTO_NAME_MAX bytes; a name that is refused is cut to them, for messages. */
static int
store_title(struct reader *reader, enum config_section kind, const char *title, unsigned line,
	    char *out)
{
	snprintf(out, PROTO_NAME_MAX, "%s", title);
	if (!config_is_name(title))
		return config_error(&reader->errors, line,
				    "%s \"%.60s\": a name is 1 to 31 characters of a-z 0-9 _ -",
				    config_section_name(kind), title);
	return 0;
}

static void
read_option(struct reader *reader, cfg_t *section, struct config_place *pool)
{
	const char *name = cfg_title(section);
	unsigned line = line_of(reader, section, CONFIG_OPTION, reader->options_seen++);
	unsigned count = cfg_size(section, "value");
	char checked[PROTO_NAME_MAX];

	if (store_title(reader, CONFIG_OPTION, name, line, checked) < 0)
		return;
	if (count == 0 && reader->complete)
		config_error(&reader->errors, line,
			     "option \"%s\" has no value: add value = \"...\"", name);
	for (unsigned i = 0; i < count; i++) {
		const struct value *value = cfg_opt_getnptr(cfg_getopt(section, "value"), i);

		if (!value)
			continue;
		pool->line = value->line;
		(void)config_store_option(pool, checked, value->text);
	}
}

static void
read_listener(struct reader *reader, cfg_t *section, unsigned index)
{
	struct config_listener *listener = &reader->config->listeners[index];
	struct config_place place = { &reader->errors, listener, cfg_title(section), 0 };

	listener->line = line_of(reader, section, CONFIG_LISTEN, index);
	place.line = listener->line;
	(void)store_title(reader, CONFIG_LISTEN, place.title, place.line, listener->front.name);
	read_keys(reader, section, CONFIG_LISTEN, &place);
	reader->config->listeners_count++;
}

static void
read_pool(struct reader *reader, cfg_t *section, unsigned index)
{
	struct config_pool *pool = &reader->config->pools[index];
	struct config_place place = { &reader->errors, pool, cfg_title(section), 0 };

	pool->line = line_of(reader, section, CONFIG_POOL, index);
	place.line = pool->line;
	(void)store_title(reader, CONFIG_POOL, place.title, place.line, pool->front.name);
	read_keys(reader, section, CONFIG_POOL, &place);
	for (unsigned i = 0; i < cfg_size(section, "option"); i++)
		read_option(reader, cfg_getnsec(section, "option", i), &place);
	reader->config->pools_count++;
}

static void
read_sections(struct reader *reader, cfg_t *root, enum config_section kind, unsigned most,
	      void (*read)(struct reader *, cfg_t *, unsigned))
{
	const char *name = config_section_name(kind);
	unsigned count = cfg_size(root, name);

	for (unsigned i = 0; i < count && i < most; i++)
		read(reader, cfg_getnsec(root, name, i), i);
	if (count > most)
		config_error(&reader->errors,
			     line_of(reader, cfg_getnsec(root, name, most), kind, most),
			     "more than %u sections called %s", most, name);
}

static void
read_tree(struct reader *reader, cfg_t *root)
{
	struct config_place top = { &reader->errors, reader->config, "", (unsigned)root->line };

	read_keys(reader, root, CONFIG_TOP, &top);
	read_sections(reader, root, CONFIG_LISTEN, PROTO_LISTENERS_MAX, read_listener);
	read_sections(reader, root, CONFIG_POOL, PROTO_POOLS_MAX, read_pool);
}

/* ---- the whole ---- */

static void
parse_text(struct reader *reader, const char *text, unsigned last_line)
{
	cfg_t *root;

	make_opts(reader);
	reading = reader;
	root = cfg_init(reader->opts[CONFIG_TOP], CFGF_NONE);
	if (!root) {
		config_error(&reader->errors, 0, "out of memory");
		return;
	}
	cfg_set_error_function(root, on_error);
	reader->complete = cfg_parse_buf(root, text) == CFG_SUCCESS;
	if (!reader->complete && reader->errors.count == 0)
		config_error(&reader->errors, (unsigned)root->line,
			     "cannot be understood from here");
	read_tree(reader, root);
	if (reader->complete) {
		config_complete(reader->config, &reader->errors);
		config_check(reader->config, &reader->errors, last_line);
	}
	cfg_free(root);
	reading = NULL;
}

static void
read_file(struct reader *reader, const char *file)
{
	char *text = config_text_read(file, &reader->errors);
	unsigned last_line;

	if (!text)
		return;
	last_line = config_text_scan(text, &reader->errors, &reader->openings);
	if (last_line > 0)
		parse_text(reader, text, last_line);
	free(text);
}

int
config_read(const char *file, FILE *errors, struct config **config_out)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	struct config *config = calloc(1, sizeof(*config));
	int result = -1;

	if (!reader || !config) {
		fprintf(errors, "%s: out of memory\n", file);
	} else {
		reader->config = config;
		snprintf(config->file, sizeof(config->file), "%s", file);
		read_file(reader, file);
		config_errors_print(&reader->errors, file, errors);
		result = reader->errors.count == 0 ? 0 : -1;
	}
	if (result == 0)
		*config_out = config;
	else
		config_free(config);
	free(reader);
	return result;
}

void
config_free(struct config *config)
{
	free(config);
}
