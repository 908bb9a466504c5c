/*
 * The configuration: read from a file with libconfuse, checked, and kept as plain structs. Half of
 * them are the heritage structs that front and zygotes get, so that a key is stored in one place.
 *
 * Every key stands in one table in config_keys.c with its section, type, default, range and one
 * line of text; reading, `-T` and the manual page's check walk it.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_H
#define ZYGOTED_SUPERVISOR_CONFIG_H

#include "base/heritage.h"
#include "base/log.h"
#include "base/tls_bundle.h"

#include <stdint.h>
#include <stdio.h>

/* A list of files, in its order; "" stands for none. */
struct config_files {
	uint32_t count;
	char paths[TLS_CERTIFICATES_MAX][HERITAGE_PATH_MAX];
};

/* Who may connect to a listener that is a Unix socket. */
enum config_access {
	CONFIG_ACCESS_OWNER,
	CONFIG_ACCESS_GROUP,
	CONFIG_ACCESS_ALL,
	CONFIG_ACCESS_MAX
};

struct config_listener {
	struct heritage_listener front;
	struct config_files certificates;
	struct config_files keys;
	struct config_files staples;
	char client_ca[HERITAGE_PATH_MAX];
	char group[64];	 /* of a Unix socket; "" = none */
	uint32_t access; /* enum config_access */
	unsigned line;	 /* in the file, for messages */
};

struct config_pool {
	struct heritage_pool front;
	char worker[PROTO_NAME_MAX];
	char worker_path[HERITAGE_PATH_MAX]; /* worker_dir/NAME.so, or `worker` itself when it has a
						'/' */
	char profile[PROTO_NAME_MAX];
	char selftest[HERITAGE_TARGET_MAX]; /* "GET /path"; "" = none */
	uint32_t sandbox;		    /* enum sandbox_mode */
	uint32_t image;			    /* enum image_want */
	uint32_t cpu_ms;		    /* 0: none */
	uint32_t recycle_after_ms;	    /* 0: never */
	uint64_t memory_bytes;
	uint32_t open_files;	   /* with a profile that reads files */
	uint32_t read_paths_given; /* in the file, refused ones too */
	uint32_t read_paths_count;
	uint32_t read_paths_bytes;
	uint32_t options_count;
	uint32_t options_bytes;
	char options[HERITAGE_OPTIONS_MAX];	  /* as in heritage_zygote */
	char read_paths[HERITAGE_READ_PATHS_MAX]; /* the same */
	uint32_t line;
	uint32_t
		routes_given; /* in the file, refused ones too. No padding follows: reload compares whole pools */
};

struct config {
	char file[HERITAGE_PATH_MAX];
	char user[64];		/* as configured; "" = default */
	char control[108];	/* path of the control socket */
	char control_group[64]; /* may read; "" = none */
	char worker_dir[HERITAGE_PATH_MAX];
	char zygote_program[HERITAGE_PATH_MAX]; /* zygoted-zygote; default beside our own executable
						 */
	char access_log[HERITAGE_PATH_MAX];	/* "off", "stderr" or a path */
	uint32_t log_level;
	uint32_t drain_timeout_ms;
	uint32_t required_layers; /* bit mask over enum layer */
	uint32_t fronts;
	struct heritage_front limits; /* only its limits are used: header_timeout_ms .. exempt */
	uint32_t listeners_count;
	uint32_t pools_count;
	struct config_listener listeners[PROTO_LISTENERS_MAX];
	struct config_pool pools[PROTO_POOLS_MAX];
};

/*
 * Reads and checks `file`. 0 and *config_out (heap, config_free), or -1 after writing one line
 * "FILE:LINE: what is wrong and what to do" for each error found to `errors`.
 */
int config_read(const char *file, FILE *errors, struct config **config_out)
	__attribute__((warn_unused_result));
void config_free(struct config *config);

/* Writes the effective configuration in the file's own syntax: reading it back gives the same
 * structs. */
void config_print(const struct config *config, FILE *out);

/* Bit mask over enum layer for `require` names; pure helpers for values with units. -1 when
 * malformed. */
int config_parse_duration_ms(const char *text, uint64_t *ms_out); /* "2s" "500ms" "1m" "1h" "1d" */
int config_parse_size(const char *text, uint64_t *bytes_out);	  /* "64M" "16K" "1G" "4096" */

#endif
