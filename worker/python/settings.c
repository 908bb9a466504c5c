/*
 * Options in, settings out: every mistake that shows without an interpreter is named here.
 *
 * Runs in: zygote (load). The options are the operator's.
 */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const known[] = { "app",  "env",	    "path",   "placement", "preload",
				     "venv", "script_name", "warmup", NULL };

/*
 * Libraries of numerics start a thread for each processor when they are imported, and a child has none of its zygote's threads. Their own
 * variables keep them from it; who sets one by option "env" knows better.
 */
static const char *const single_thread[] = { "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
					     "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS" };

static int
read_list(const struct zy_load *load, const char *name, struct settings_list *out)
{
	const char *value;

	for (size_t i = 0; (value = zy_option(load, name, i)) != NULL; i++) {
		if (out->count == SETTINGS_VALUES_MAX)
			return zy_load_error(load, "option \"%s\": more than %d values", name,
					     SETTINGS_VALUES_MAX);
		out->values[out->count++] = value;
	}
	return 0;
}

/* At most one value; `out` stays as it is without one. */
static int
read_one(const struct zy_load *load, const char *name, const char **out)
{
	const char *value = zy_option(load, name, 0);

	if (value != NULL && zy_option(load, name, 1) != NULL)
		return zy_load_error(load, "option \"%s\": one value only", name);
	if (value != NULL)
		*out = value;
	return 0;
}

/* `*path` becomes absolute, and is a directory. Python would leave one out that is not there. */
static int
resolve_directory(const struct zy_load *load, const char *name, const char **path)
{
	struct stat status;
	char *whole = realpath(*path, NULL);

	if (whole == NULL || stat(whole, &status) < 0)
		return zy_load_error(load, "option \"%s\": %s: %s", name, *path, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return zy_load_error(load, "option \"%s\": %s is no directory", name, *path);
	*path = whole;
	return 0;
}

static int
resolve_directories(const struct zy_load *load, struct settings *out)
{
	if (out->venv != NULL && resolve_directory(load, "venv", &out->venv) < 0)
		return -1;
	for (size_t i = 0; i < out->path.count; i++)
		if (resolve_directory(load, "path", &out->path.values[i]) < 0)
			return -1;
	return 0;
}

static int
check_app(const struct zy_load *load, const char *app)
{
	if (app == NULL)
		return zy_load_error(load, "option \"app\" is missing: the WSGI application as "
					   "\"module:callable\"");
	const char *colon = strchr(app, ':');
	if (colon == NULL || colon == app || colon[1] == '\0')
		return zy_load_error(load, "option \"app\": \"%s\" is not \"module:callable\"",
				     app);
	return 0;
}

static int
check_script_name(const struct zy_load *load, const char *name)
{
	const size_t length = strlen(name);

	if (length > 0 && (name[0] != '/' || name[length - 1] == '/'))
		return zy_load_error(load,
				     "option \"script_name\": \"%s\" neither is empty nor begins, "
				     "without ending, with a slash",
				     name);
	return 0;
}

/* What requests use shows in the warm-ups alone. */
static int
read_placement(const struct zy_load *load, struct settings *out)
{
	const char *words = NULL;

	if (read_one(load, "placement", &words) < 0)
		return -1;
	out->places_objects = true;
	out->learns_placement = out->warmup.count > 0;
	if (words == NULL)
		return 0;
	if (strcmp(words, "none") == 0)
		out->places_objects = out->learns_placement = false;
	else if (strcmp(words, "learned") != 0)
		return zy_load_error(
			load, "option \"placement\": \"%s\" is neither \"learned\" nor \"none\"",
			words);
	else if (!out->learns_placement)
		return zy_load_error(load, "option \"placement\": \"learned\" needs an option "
					   "\"warmup\" to learn from");
	return 0;
}

static int
set_variables(const struct zy_load *load)
{
	const char *value;

	for (size_t i = 0; i < sizeof(single_thread) / sizeof(single_thread[0]); i++)
		if (setenv(single_thread[i], "1", 0) < 0)
			return zy_load_error(load, "no memory for the environment");
	for (size_t i = 0; (value = zy_option(load, "env", i)) != NULL; i++) {
		const char *equals = strchr(value, '=');
		if (equals == NULL || equals == value)
			return zy_load_error(load, "option \"env\": \"%s\" is not NAME=value",
					     value);
		char *copy = strdup(value); /* putenv keeps it */
		if (copy == NULL || putenv(copy) != 0)
			return zy_load_error(load, "no memory for the environment");
	}
	return 0;
}

int
settings_read(const struct zy_load *load, struct settings *out)
{
	*out = (struct settings){ .script_name = "" };
	if (zy_options_check(load, known) < 0 || read_one(load, "app", &out->app) < 0 ||
	    read_one(load, "venv", &out->venv) < 0 ||
	    read_one(load, "script_name", &out->script_name) < 0 ||
	    read_list(load, "path", &out->path) < 0 ||
	    read_list(load, "preload", &out->preload) < 0 ||
	    read_list(load, "warmup", &out->warmup) < 0 || read_placement(load, out) < 0)
		return -1;
	if (check_app(load, out->app) < 0 || check_script_name(load, out->script_name) < 0 ||
	    resolve_directories(load, out) < 0)
		return -1;
	return set_variables(load);
}
