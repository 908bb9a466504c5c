/*
 * Judges the configuration as a whole.
 *
 * Runs in: supervisor, before anything else runs. Looks at the system (files, users) but changes
 * nothing, so that `zygoted -t` may run beside a serving daemon. Every message says what to do.
 */
#include "supervisor/config_check.h"

#include "base/control_path.h"
#include "supervisor/config_check_listener.h"
#include "supervisor/config_keys.h"
#include "supervisor/config_selftest.h"
#include "supervisor/config_value.h"
#include "supervisor/policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- defaults ---- */

/* `name` beside our own executable if it is there, else the place of an installation. */
static void
find_beside(const char *name, const char *otherwise, char *out, size_t size)
{
	char path[HERITAGE_PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length > 0) {
		path[length] = '\0';
		slash = strrchr(path, '/');
		if (slash &&
		    snprintf(out, size, "%.*s/%s", (int)(slash - path), path, name) < (int)size &&
		    access(out, F_OK) == 0)
			return;
	}
	snprintf(out, size, "%s", otherwise);
}

static const char *
preset_of(enum config_section section, const char *name)
{
	return config_key_find(section, name)->preset;
}

static void
complete_pool(const struct config *config, struct config_pool *pool, struct config_errors *errors)
{
	char path[HERITAGE_PATH_MAX];
	uint64_t spare;

	if (pool->worker[0] && !pool->worker_path[0]) {
		int length =
			snprintf(path, sizeof(path), "%s/%s.so", config->worker_dir, pool->worker);

		if (length < (int)sizeof(path))
			memcpy(pool->worker_path, path, (size_t)length + 1);
		else
			config_error(errors, pool->line,
				     "pool \"%s\": the worker's path is too "
				     "long: shorten worker_dir",
				     pool->front.name);
	}
	if (pool->front.spare == 0 &&
	    config_parse_count(preset_of(CONFIG_POOL, "spare"), &spare) == 0)
		pool->front.spare = spare < pool->front.max_children ? (uint32_t)spare
								     : pool->front.max_children;
}

void
config_complete(struct config *config, struct config_errors *errors)
{
	if (!config->control[0] &&
	    control_path_default(config->control, sizeof(config->control)) < 0)
		config_error(errors, 0,
			     "the default path of the control socket is too long: name "
			     "a shorter one with control = \"PATH\"");
	if (!config->worker_dir[0])
		find_beside("workers", preset_of(CONFIG_TOP, "worker_dir"), config->worker_dir,
			    sizeof(config->worker_dir));
	if (!config->zygote_program[0])
		find_beside("zygoted-zygote", preset_of(CONFIG_TOP, "zygote_program"),
			    config->zygote_program, sizeof(config->zygote_program));
	for (uint32_t i = 0; i < config->listeners_count; i++)
		config_complete_listener(config, &config->listeners[i], errors);
	config->limits.access_log = strcmp(config->access_log, "off") != 0;
	for (uint32_t i = 0; i < config->pools_count; i++)
		complete_pool(config, &config->pools[i], errors);
}

/* ---- the system ---- */

static void
check_program(const struct config *config, struct config_errors *errors)
{
	struct stat status;

	if (stat(config->zygote_program, &status) < 0)
		config_error(errors, 0,
			     "zygote program %s: %s: install it, or set "
			     "zygote_program",
			     config->zygote_program, strerror(errno));
	else if (!S_ISREG(status.st_mode) || access(config->zygote_program, X_OK) < 0)
		config_error(errors, 0,
			     "zygote program %s cannot be executed: set "
			     "zygote_program",
			     config->zygote_program);
}

static void
check_worker(const struct config_pool *pool, struct config_errors *errors)
{
	struct stat status;

	if (!pool->worker_path[0])
		return;
	if (stat(pool->worker_path, &status) < 0)
		config_error(errors, pool->line,
			     "pool \"%s\": worker %s: %s: build or install it, "
			     "or set worker_dir",
			     pool->front.name, pool->worker_path, strerror(errno));
	else if (!S_ISREG(status.st_mode) || access(pool->worker_path, R_OK) < 0)
		config_error(errors, pool->line, "pool \"%s\": worker %s is not a readable file",
			     pool->front.name, pool->worker_path);
}

/* ---- read_paths ---- */

static void
check_read_path(const struct config_pool *pool, const char *path, struct config_errors *errors)
{
	struct stat status;

	if (stat(path, &status) < 0)
		config_error(errors, pool->line,
			     "pool \"%s\": read_paths: %s: %s: correct or remove it",
			     pool->front.name, path, strerror(errno));
	else if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		config_error(errors, pool->line,
			     "pool \"%s\": read_paths: %s is neither a file nor a directory",
			     pool->front.name, path);
}

static void
check_read_paths(const struct config_pool *pool, struct config_errors *errors)
{
	const char *path = pool->read_paths;

	for (uint32_t i = 0; i < pool->read_paths_count; i++, path += strlen(path) + 1)
		check_read_path(pool, path, errors);
	if (!policy_is_profile(pool->profile)) /* a wrong one has been said */
		return;
	if (policy_reads_files(pool->profile) && pool->read_paths_given == 0)
		config_error(errors, pool->line,
			     "pool \"%s\": profile %s without read_paths: name what children may "
			     "read, or set profile = \"compute\"",
			     pool->front.name, pool->profile);
	if (!policy_reads_files(pool->profile) && pool->read_paths_given > 0)
		config_error(errors, pool->line,
			     "pool \"%s\": children of profile %s read no files: remove "
			     "read_paths, or set profile = \"files\"",
			     pool->front.name, pool->profile);
}

/* ---- pools ---- */

/* Each front gets a share; 0 is 0 for all of them. */
static void
check_share(const struct config *config, const struct config_pool *pool, const char *key,
	    uint32_t value, struct config_errors *errors)
{
	if (value != 0 && value < config->fronts)
		config_error(errors, pool->line,
			     "pool \"%s\": %s = %u cannot be shared by fronts = %u: raise %s, or "
			     "lower fronts",
			     pool->front.name, key, value, config->fronts, key);
}

static void
check_numbers(const struct config *config, const struct config_pool *pool,
	      struct config_errors *errors)
{
	if (pool->front.spare > pool->front.max_children)
		config_error(errors, pool->line,
			     "pool \"%s\": spare = %u is more than max_children = %u: lower spare, "
			     "or raise max_children",
			     pool->front.name, pool->front.spare, pool->front.max_children);
	if (pool->front.max_children < config->fronts * pool->front.zygotes)
		config_error(errors, pool->line,
			     "pool \"%s\": max_children = %u is less than fronts x zygotes = %u: "
			     "each pair of them has a child at least: raise max_children",
			     pool->front.name, pool->front.max_children,
			     config->fronts * pool->front.zygotes);
	check_share(config, pool, "spare", pool->front.spare, errors);
	check_share(config, pool, "queue", pool->front.queue, errors);
	if (pool->cpu_ms % 1000 != 0)
		config_error(errors, pool->line,
			     "pool \"%s\": cpu counts in whole seconds: write \"%us\"",
			     pool->front.name, pool->cpu_ms / 1000 + 1);
}

static void
check_sandbox(const struct config *config, const struct config_pool *pool,
	      struct config_errors *errors)
{
	if (pool->sandbox == SANDBOX_LOG && (config->required_layers & 1u << LAYER_SECCOMP) != 0)
		config_error(errors, pool->line,
			     "pool \"%s\": sandbox = \"log\" lets calls pass, but require names "
			     "seccomp: remove one of them",
			     pool->front.name);
}

static const struct config_pool *
find_route(const struct config *config, const char *route, uint32_t pool, uint32_t before)
{
	for (uint32_t i = 0; i <= pool; i++) {
		const struct heritage_pool *front = &config->pools[i].front;
		uint32_t count = i == pool ? before : front->routes_count;

		for (uint32_t j = 0; j < count; j++)
			if (strcmp(front->routes[j], route) == 0)
				return &config->pools[i];
	}
	return NULL;
}

static void
check_routes(const struct config *config, uint32_t index, struct config_errors *errors)
{
	const struct config_pool *pool = &config->pools[index];

	if (pool->front.routes_count == 0 && pool->routes_given == 0)
		config_error(
			errors, pool->line,
			"pool \"%s\" has no routes and gets no frames: add routes = {\"/%s/\"}, "
			"or name it as pool of a listen with protocol = \"frame\"",
			pool->front.name, pool->front.name);
	for (uint32_t i = 0; i < pool->front.routes_count; i++) {
		const char *route = pool->front.routes[i];
		const struct config_pool *other = find_route(config, route, index, i);

		if (strcmp(route, HERITAGE_FRAME_ROUTE) == 0)
			continue;
		if (other == pool)
			config_error(errors, pool->line, "pool \"%s\": route \"%s\" is there twice",
				     pool->front.name, route);
		else if (other)
			config_error(errors, pool->line,
				     "pool \"%s\": route \"%s\" belongs to pool \"%s\" on line %u: "
				     "remove it from one of them",
				     pool->front.name, route, other->front.name, other->line);
	}
}

static void
check_selftest(const struct config_pool *pool, struct config_errors *errors)
{
	struct heritage_selftest selftest;
	const char *reason = config_selftest_parse(pool, &selftest);

	if (reason != NULL)
		config_error(errors, pool->line, "pool \"%s\": selftest \"%.60s\" %s",
			     pool->front.name, pool->selftest, reason);
}

void
config_check(const struct config *config, struct config_errors *errors, unsigned last_line)
{
	if (!config_has_client_listener(config))
		config_error(errors, last_line,
			     "no listener: add listen \"web\" { address = "
			     "\"127.0.0.1:8080\" }");
	if (config->pools_count == 0)
		config_error(errors, last_line,
			     "no pool: add pool \"NAME\" { worker = \"NAME\" "
			     "routes = {\"/\"} }");
	if (config->limits.connections_max < config->fronts)
		config_error(errors, last_line,
			     "connections = %u cannot be shared by fronts = %u: raise connections",
			     config->limits.connections_max, config->fronts);
	check_program(config, errors);
	for (uint32_t i = 0; i < config->listeners_count; i++) {
		config_check_listener(config, i, errors);
	}
	for (uint32_t i = 0; i < config->pools_count; i++) {
		check_worker(&config->pools[i], errors);
		check_numbers(config, &config->pools[i], errors);
		check_sandbox(config, &config->pools[i], errors);
		check_read_paths(&config->pools[i], errors);
		check_routes(config, i, errors);
		check_selftest(&config->pools[i], errors);
	}
}
