/*
 * exec: answers with a program of any kind, by the common gateway interface (RFC 3875). Each request is an execution of its own, confined by
 * the profile "exec".
 *
 * Runs in: zygote (load), child (handle). Options are the operator's; nothing of a request becomes an argument or the program's name.
 */
#include "relay.h"
#include "variables.h"
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX  64
#define FIXED_MAX 64

static struct settings {
	struct zy_program program;
	const char *argv[ARGS_MAX + 2];
	const char *fixed[FIXED_MAX + 1]; /* variables of the configuration; PATH at least */
} settings;

/* ---- load ---- */

static int
read_program(const struct zy_load *load)
{
	const char *program = zy_option(load, "program", 0);

	if (program == NULL || zy_option(load, "program", 1) != NULL || program[0] != '/')
		return zy_load_error(load, "option \"program\": the absolute path of one program "
					   "is needed");
	if (access(program, X_OK) < 0)
		return zy_load_error(load, "option \"program\": %s cannot be executed: %s", program,
				     strerror(errno));
	settings.argv[0] = program;
	return 0;
}

static int
read_args(const struct zy_load *load)
{
	const char *value;

	for (size_t i = 0; (value = zy_option(load, "args", i)) != NULL; i++) {
		if (i == ARGS_MAX)
			return zy_load_error(load, "option \"args\": more than %d", ARGS_MAX);
		settings.argv[i + 1] = value;
	}
	return 0;
}

static int
read_variables(const struct zy_load *load)
{
	const char *value;
	size_t i;

	for (i = 0; (value = zy_option(load, "env", i)) != NULL; i++) {
		const char *equals = strchr(value, '=');
		if (equals == NULL || equals == value)
			return zy_load_error(load, "option \"env\": \"%s\" is not NAME=value",
					     value);
		if (i == FIXED_MAX - 1)
			return zy_load_error(load, "option \"env\": more than %d", FIXED_MAX - 1);
		settings.fixed[i] = value;
	}
	/* Of two the first counts, so this is one where the operator gave none. */
	settings.fixed[i] = "PATH=/usr/local/bin:/usr/bin:/bin";
	return 0;
}

/* Where RFC 3875, 7.2 wants it to start: where the program is, unless the operator has it otherwise. */
static int
read_directory(const struct zy_load *load)
{
	const char *program = settings.argv[0];
	const char *directory = zy_option(load, "directory", 0);
	const size_t length = (size_t)(strrchr(program, '/') - program);

	if (directory != NULL && (directory[0] != '/' || zy_option(load, "directory", 1) != NULL))
		return zy_load_error(load, "option \"directory\": one absolute path");
	if (directory == NULL)
		directory = length > 0 ? strndup(program, length) : "/";
	if (directory == NULL)
		return zy_load_error(load, "no memory");
	settings.program.directory = directory;
	return 0;
}

static int
load_exec(const struct zy_load *load, void **state_out)
{
	static const char *const known[] = { "program", "args", "env", "directory", NULL };

	if (zy_options_check(load, known) < 0)
		return -1;
	if (!zy_runs_programs(load))
		return zy_load_error(load, "it needs profile = \"exec\" and read_paths");
	if (read_program(load) < 0 || read_args(load) < 0 || read_variables(load) < 0 ||
	    read_directory(load) < 0)
		return -1;
	settings.program.argv = settings.argv;
	*state_out = &settings;
	return 0;
}

/* ---- a child ---- */

static int
refuse(struct zy_request *request, int status, const char *text)
{
	if (zy_status(request, status) < 0 ||
	    zy_header_add(request, "Content-Type", "text/plain") < 0)
		return -1;
	return zy_printf(request, "%s\n", text);
}

static int
handle(void *state, struct zy_request *request)
{
	static struct variables variables;
	const struct settings *own = state;
	struct zy_program program = own->program;
	int fds[2];

	/* A program reads as many bytes as CONTENT_LENGTH says (RFC 3875, 4.2), so it has to be known. */
	if (zy_content_length(request) == ZY_LENGTH_UNKNOWN)
		return refuse(request, 411, "a body needs a Content-Length here");
	const int result = variables_make(&variables, request, own->fixed);
	if (result == 400)
		return refuse(request, 400, "the path cannot be decoded");
	program.envp = variables.list;
	if (result < 0 || zy_program_start(request, &program, fds) < 0) {
		fprintf(stderr,
			"the program could not be started: no memory, or too many variables\n");
		return -1;
	}
	return relay_run(request, fds);
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "exec",
	.profile = "exec",
	.load = load_exec,
	.handle = handle,
};
