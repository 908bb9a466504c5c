/*
 * python: answers with a WSGI application. Interpreter, modules and application are loaded once, in the zygote; each request is one call in a
 * process of its own.
 *
 * Runs in: zygote (load), child (child_start, handle). The zygote runs no Python after load: reference counts are writes.
 */
#include <Python.h>

#include "application.h"
#include "failure.h"
#include "forks.h"
#include "interpreter.h"
#include "module.h"
#include "settings.h"

#include <errno.h>

static int
load_python(const struct zy_load *load, void **state_out)
{
	static struct settings settings;

	(void)state_out;
	if (settings_read(load, &settings) < 0)
		return -1;
	if (module_register(zy_pool(load)) < 0)
		return zy_load_error(load, "no memory");
	if (interpreter_start(load, &settings) < 0 || application_load(load, &settings) < 0 ||
	    application_warm_up(load, &settings) < 0)
		return -1;
	if (failure_watch_faults() < 0)
		return zy_load_error(load, "signal handlers: %s", strerror(errno));
	if (interpreter_prepare_fork() < 0)
		return failure_load(load, "preparing for forks");
	return 0;
}

static int
start_child(void *state)
{
	(void)state;
	if (forks_after_in_child() == 0 && module_run_hooks() == 0)
		return 0;
	failure_print();
	return -1;
}

/* A path with a bad escape; the front lets it through because workers may want it as it is. */
static int
refuse(struct zy_request *request)
{
	(void)zy_status(request, 400);
	(void)zy_header_add(request, "Content-Type", "text/plain; charset=utf-8");
	return zy_printf(request, "bad percent-encoding in the path\n");
}

static int
handle(void *state, struct zy_request *request)
{
	struct call call = { .request = request };
	int status = 0;

	(void)state;
	module_set_request(request);
	int result = application_call(&call, &status);
	if (result == 0) {
		failure_flush();
		return 0;
	}
	if (!PyErr_Occurred())
		return refuse(request);
	failure_print();
	return -1;
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "python",
	.profile = "compute",
	.load = load_python,
	.child_start = start_child,
	.handle = handle,
};
