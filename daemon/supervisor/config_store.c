/*
 * Turns the text of one value into a field of the configuration's structs, as its row in the table
 * of keys says.
 *
 * Runs in: supervisor, before anything else runs. Each function checks its value alone: what needs
 * two keys to be judged is in config_check.c. Everything that is stored fits its field, or is
 * refused.
 */
#include "supervisor/config_store.h"

#include "base/address.h"
#include "supervisor/config_value.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMES_TEXT_MAX 320

/* Starts a message: `timeout of pool "oui"`, `log_level`. */
static const char *
describe(const struct config_place *place, const struct config_key *key)
{
	static char text[128]; /* the configuration is read in one thread */

	if (place->title[0] == '\0')
		return key->name;
	snprintf(text, sizeof(text), "%s of %s \"%.40s\"", key->name,
		 config_section_name(key->section), place->title);
	return text;
}

static void *
field_of(const struct config_place *place, const struct config_key *key)
{
	return (char *)place->base + key->offset;
}

static void
store_number(const struct config_place *place, const struct config_key *key, uint64_t number)
{
	uint32_t narrow = (uint32_t)number;

	if (key->width == sizeof(uint64_t))
		memcpy(field_of(place, key), &number, sizeof(number));
	else
		memcpy(field_of(place, key), &narrow, sizeof(narrow));
}

uint64_t
config_load_number(const struct config_key *key, const void *base)
{
	uint64_t wide;
	uint32_t narrow;

	if (key->width == sizeof(wide)) {
		memcpy(&wide, (const char *)base + key->offset, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)base + key->offset, sizeof(narrow));
	return narrow;
}

static char *
format_count(uint64_t number, char *out, size_t size)
{
	snprintf(out, size, "%llu", (unsigned long long)number);
	return out;
}

/* How the numeric types differ. */
static const struct {
	int (*parse)(const char *text, uint64_t *number_out);
	char *(*format)(uint64_t number, char *out, size_t size);
	const char *hint;
} numbers[CONFIG_TYPE_MAX] = {
	[CONFIG_COUNT] = { config_parse_count, format_count, "a whole number such as 16" },
	[CONFIG_DURATION] = { config_parse_duration_ms, config_format_duration_ms,
			      "a whole number with a unit: ms, s, m, h or d, such as \"500ms\"" },
	[CONFIG_SIZE] = { config_parse_size, config_format_size,
			  "a whole number of bytes, or one with K, M, G or T, such as \"64M\"" },
};

static int
store_numeric(const struct config_place *place, const struct config_key *key, const char *text)
{
	char low[CONFIG_NUMBER_MAX];
	char high[CONFIG_NUMBER_MAX];
	uint64_t number;

	if (numbers[key->type].parse(text, &number) < 0)
		return config_error(place->errors, place->line, "%s: \"%.60s\" is not %s",
				    describe(place, key), text, numbers[key->type].hint);
	if (number < key->min || number > key->max)
		return config_error(place->errors, place->line,
				    "%s: \"%.60s\" is out of range: choose from %s to %s",
				    describe(place, key), text,
				    numbers[key->type].format(key->min, low, sizeof(low)),
				    numbers[key->type].format(key->max, high, sizeof(high)));
	store_number(place, key, number);
	return 0;
}

/* The index of the name, or -1 after an error that lists what there is. */
static int
find_choice(const struct config_place *place, const struct config_key *key, const char *text)
{
	char names[NAMES_TEXT_MAX];
	size_t used = 0;

	for (int i = 0; key->choice((unsigned)i); i++)
		if (strcmp(key->choice((unsigned)i), text) == 0)
			return i;
	names[0] = '\0';
	for (unsigned i = 0; key->choice(i) && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i > 0 ? ", " : "", key->choice(i));
	return config_error(place->errors, place->line, "%s: \"%.60s\" is not known: choose %s%s",
			    describe(place, key), text, key->choice(1) ? "one of " : "", names);
}

static int
store_choice(const struct config_place *place, const struct config_key *key, const char *text)
{
	int index = find_choice(place, key, text);

	if (index < 0)
		return -1;
	store_number(place, key, (uint64_t)index);
	return 0;
}

static int
store_layer(const struct config_place *place, const struct config_key *key, const char *text)
{
	int index = find_choice(place, key, text);

	if (index < 0)
		return -1;
	store_number(place, key,
		     config_load_number(key, place->base) | UINT64_C(1) << (unsigned)index);
	return 0;
}

static int
check_length(const struct config_place *place, const struct config_key *key, const char *text)
{
	size_t length = strlen(text);

	if (length < key->min)
		return config_error(place->errors, place->line, "%s must not be empty",
				    describe(place, key));
	if (length > key->max)
		return config_error(place->errors, place->line,
				    "%s has %zu bytes: shorten it to at most %llu",
				    describe(place, key), length, (unsigned long long)key->max);
	return 0;
}

static int
store_string(const struct config_place *place, const struct config_key *key, const char *text)
{
	if (check_length(place, key, text) < 0)
		return -1;
	if (key->choice && find_choice(place, key, text) < 0)
		return -1;
	memcpy(field_of(place, key), text, strlen(text) + 1);
	return 0;
}

static int
store_log_file(const struct config_place *place, const struct config_key *key, const char *text)
{
	if (strcmp(text, "off") != 0 && strcmp(text, "stderr") != 0 && text[0] != '/')
		return config_error(place->errors, place->line,
				    "%s: \"%.60s\" is no place to write to: choose \"off\", "
				    "\"stderr\" or an absolute path",
				    describe(place, key), text);
	return store_string(place, key, text);
}

/* "": none is named. */
static int
store_user(const struct config_place *place, const struct config_key *key, const char *text)
{
	const struct passwd *user = text[0] ? getpwnam(text) : NULL;

	if (text[0] && !user)
		return config_error(place->errors, place->line,
				    "%s: \"%.60s\" does not exist: create that user, or name "
				    "another",
				    key->name, text);
	if (user && user->pw_uid == 0)
		return config_error(place->errors, place->line,
				    "%s: \"%.60s\" is root: name an unprivileged user", key->name,
				    text);
	return store_string(place, key, text);
}

static int
store_group(const struct config_place *place, const struct config_key *key, const char *text)
{
	if (text[0] && !getgrnam(text))
		return config_error(place->errors, place->line,
				    "%s: \"%.60s\" does not exist: create that group, or name "
				    "another",
				    describe(place, key), text);
	return store_string(place, key, text);
}

/* Makes it absolute: who uses it may have another working directory. */
static int
store_path(const struct config_place *place, const struct config_key *key, const char *text)
{
	char path[2 * HERITAGE_PATH_MAX];
	char here[HERITAGE_PATH_MAX];

	if (check_length(place, key, text) < 0)
		return -1;
	if (text[0] == '/' || text[0] == '\0' || !getcwd(here, sizeof(here)))
		return store_string(place, key, text);
	snprintf(path, sizeof(path), "%s/%s", here, text);
	return store_string(place, key, path);
}

static int
store_route(const struct config_place *place, const struct config_key *key, const char *text)
{
	struct config_pool *pool = place->base;
	const char *wrong = config_check_route(text);

	pool->routes_given++;
	if (wrong)
		return config_error(place->errors, place->line, "%s: route \"%.130s\" %s",
				    describe(place, key), text, wrong);
	if (pool->front.routes_count >= key->max)
		return config_error(place->errors, place->line, "%s: at most %llu routes",
				    describe(place, key), (unsigned long long)key->max);
	memcpy(pool->front.routes[pool->front.routes_count], text, strlen(text) + 1);
	pool->front.routes_count++;
	return 0;
}

/* RANGE of the key: 0 lets a place in the list be empty; at most so many. */
static int
store_file(const struct config_place *place, const struct config_key *key, const char *text)
{
	struct config_files *files = field_of(place, key);
	const struct config_key path = { .section = key->section,
					 .name = key->name,
					 .offset = key->offset +
						   offsetof(struct config_files, paths) +
						   files->count * sizeof(files->paths[0]),
					 .min = key->min,
					 .max = HERITAGE_PATH_MAX - 1 };

	if (files->count >= key->max)
		return config_error(place->errors, place->line, "%s: at most %llu files",
				    describe(place, key), (unsigned long long)key->max);
	if (store_path(place, &path, text) < 0)
		return -1;
	files->count++;
	return 0;
}

static int
store_network(const struct config_place *place, const struct config_key *key, const char *text)
{
	struct heritage_networks *networks = field_of(place, key);

	if (key->section == CONFIG_LISTEN && strcmp(text, ADDRESS_UNIX) == 0) {
		networks->local = 1;
		return 0;
	}
	if (networks->count >= key->max)
		return config_error(place->errors, place->line, "%s: at most %llu networks",
				    describe(place, key), (unsigned long long)key->max);
	if (config_parse_network(text, &networks->list[networks->count]) < 0)
		return config_error(place->errors, place->line,
				    "%s: \"%.60s\" is no address or network: write it like "
				    "\"192.0.2.1\", \"10.0.0.0/8\" or \"2001:db8::/32\", with no "
				    "bit set behind the prefix",
				    describe(place, key), text);
	networks->count++;
	return 0;
}

/* Whether the file is there is for config_check.c to say. */
static int
store_read_path(const struct config_place *place, const struct config_key *key, const char *text)
{
	struct config_pool *pool = place->base;
	const char *wrong = config_check_read_path(text);
	const size_t size = strlen(text) + 1;

	pool->read_paths_given++;
	if (wrong)
		return config_error(place->errors, place->line, "%s: \"%.130s\" %s",
				    describe(place, key), text, wrong);
	if (pool->read_paths_count >= key->max || size > HERITAGE_PATH_MAX ||
	    pool->read_paths_bytes + size > sizeof(pool->read_paths))
		return config_error(place->errors, place->line,
				    "%s: at most %llu paths of 1023 bytes, %d KiB together: name a "
				    "directory above them",
				    describe(place, key), (unsigned long long)key->max,
				    HERITAGE_READ_PATHS_MAX / 1024);
	memcpy(pool->read_paths + pool->read_paths_bytes, text, size);
	pool->read_paths_bytes += (uint32_t)size;
	pool->read_paths_count++;
	return 0;
}

/* A path names its worker by the file: /opt/x/table.so is "table". */
static int
store_worker_path(const struct config_place *place, const struct config_key *key, const char *text)
{
	struct config_pool *pool = place->base;
	const struct config_key path = { .section = key->section,
					 .name = key->name,
					 .offset = offsetof(struct config_pool, worker_path),
					 .min = 1,
					 .max = HERITAGE_PATH_MAX - 1 };
	char name[PROTO_NAME_MAX] = ""; /* all of it is copied, and reload compares all of it */
	const char *file = strrchr(text, '/') + 1;
	const char *dot = strstr(file, ".so");
	size_t length = dot && dot[3] == '\0' ? (size_t)(dot - file) : strlen(file);

	snprintf(name, sizeof(name), "%.*s", (int)(length < sizeof(name) ? length : 0), file);
	if (!config_is_name(name))
		return config_error(place->errors, place->line,
				    "%s: the file's name, without .so, must be 1 to 31 characters "
				    "of a-z 0-9 _ -",
				    describe(place, key));
	memcpy(pool->worker, name, strlen(name) + 1);
	return store_path(place, &path, text);
}

/* A plain name gets its path when worker_dir is known: config_check.c. */
static int
store_worker(const struct config_place *place, const struct config_key *key, const char *text)
{
	struct config_pool *pool = place->base;

	if (strchr(text, '/'))
		return store_worker_path(place, key, text);
	if (!config_is_name(text))
		return config_error(place->errors, place->line,
				    "%s: \"%.60s\" must be 1 to 31 characters of a-z 0-9 _ - (a "
				    "worker in worker_dir), or a path with a \"/\" in it",
				    describe(place, key), text);
	memcpy(pool->worker, text, strlen(text) + 1);
	return 0;
}

int
config_store(const struct config_place *place, const struct config_key *key, const char *text)
{
	static int (*const stores[])(const struct config_place *, const struct config_key *,
				     const char *) = {
		[CONFIG_STRING] = store_string,	    [CONFIG_PATH] = store_path,
		[CONFIG_USER] = store_user,	    [CONFIG_GROUP] = store_group,
		[CONFIG_COUNT] = store_numeric,	    [CONFIG_DURATION] = store_numeric,
		[CONFIG_SIZE] = store_numeric,	    [CONFIG_CHOICE] = store_choice,
		[CONFIG_LAYERS] = store_layer,	    [CONFIG_ROUTES] = store_route,
		[CONFIG_WORKER] = store_worker,	    [CONFIG_PATHS] = store_read_path,
		[CONFIG_FILES] = store_file,	    [CONFIG_NETWORKS] = store_network,
		[CONFIG_LOG_FILE] = store_log_file,
	};
	_Static_assert(sizeof(stores) / sizeof(stores[0]) == CONFIG_VALUES, "types");

	return stores[key->type](place, key, text);
}

int
config_store_option(const struct config_place *place, const char *name, const char *text)
{
	struct config_pool *pool = place->base;
	size_t name_size = strlen(name) + 1;
	size_t text_size = strlen(text) + 1;
	char *at = pool->options + pool->options_bytes;

	if (pool->options_bytes + name_size + text_size > sizeof(pool->options))
		return config_error(place->errors, place->line,
				    "options of pool \"%s\" are larger than %d KiB together: put "
				    "the data into a file and name it in an option",
				    place->title, HERITAGE_OPTIONS_MAX / 1024);
	memcpy(at, name, name_size);
	memcpy(at + name_size, text, text_size);
	pool->options_bytes += (uint32_t)(name_size + text_size);
	pool->options_count++;
	return 0;
}
