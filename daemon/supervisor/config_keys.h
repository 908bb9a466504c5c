/*
 * The table of all configuration keys. Reading, defaults, ranges, `zygoted -T` and the check that
 * the manual page and the sample file name every key walk it: a new key is a row here and a line in
 * each of those two.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_KEYS_H
#define ZYGOTED_SUPERVISOR_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum config_section { CONFIG_TOP, CONFIG_LISTEN, CONFIG_POOL, CONFIG_OPTION, CONFIG_SECTION_MAX };

enum config_type {
	CONFIG_STRING,	 /* char[width]; min, max: bytes */
	CONFIG_PATH,	 /* the same; a relative one starts at the working directory */
	CONFIG_USER,	 /* the same as a string; must exist, and not be root */
	CONFIG_GROUP,	 /* the same as a string; must exist */
	CONFIG_COUNT,	 /* uint32_t or uint64_t by width, as all numbers */
	CONFIG_DURATION, /* in ms */
	CONFIG_SIZE,	 /* in bytes */
	CONFIG_CHOICE,	 /* uint32_t, the index of the name */
	CONFIG_LAYERS,	 /* uint32_t, bit mask over enum layer; a list */
	CONFIG_ROUTES,	 /* of a pool; a list */
	CONFIG_WORKER,	 /* of a pool: its name and path */
	CONFIG_PATHS,	 /* of a pool: files and directories to read; a list */
	CONFIG_FILES,	 /* struct config_files; a list */
	CONFIG_NETWORKS, /* struct heritage_networks; a list */
	CONFIG_LOG_FILE, /* char[width]: "off", "stderr" or an absolute path */
	CONFIG_VALUES,	 /* of an option in a pool; a list */
	CONFIG_TYPE_MAX
};

struct config_key {
	enum config_section section;
	enum config_type type;
	const char *name;
	const char *preset; /* default as it would stand in the file; NULL: must be given */
	int computed;	    /* the default depends on other things and is filled in at the end */
	uint64_t min;
	uint64_t max;
	size_t offset; /* in struct config, config_listener or config_pool by section */
	size_t width;
	const char *(*choice)(unsigned index); /* names allowed, NULL after the last; NULL: any */
	const char *text;
};

const struct config_key *config_keys(size_t *count_out);

/* The key of that name in a section, NULL when there is none. */
const struct config_key *config_key_find(enum config_section section, const char *name);

/* "" for the top, "listen", "pool", "option". */
const char *config_section_name(enum config_section section);

#endif
