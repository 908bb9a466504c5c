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
#include "heap.h"
#include "interpreter.h"
#include "module.h"
#include "placement.h"
#include "settings.h"

#include <errno.h>
#include <string.h>

/* ---- rehearsals: what load and a child do, for placement ---- */

struct rehearsed {
	const struct zy_load *load;
	const struct settings *settings;
};

static int
load_application(void *context)
{
	const struct rehearsed *rehearsed = context;

	if (application_load(rehearsed->load, rehearsed->settings) < 0 ||
	    application_warm_up(rehearsed->load, rehearsed->settings) < 0)
		return -1;
	return interpreter_prepare_fork() < 0 ? failure_load(rehearsed->load, "preparing for forks")
					      : 0;
}

static int
request_warm_ups(void *context)
{
	const struct rehearsed *rehearsed = context;

	if (forks_after_in_child() < 0 || module_run_hooks() < 0)
		return -1;
	return application_warm_up(rehearsed->load, rehearsed->settings);
}

/* ---- load ---- */

static void
name_objects(void)
{
	size_t size;
	const void *objects = placement_region(&size);

	(void)zy_name_region(objects, size, "objects in use");
}

static int
load_python(const struct zy_load *load, void **state_out)
{
	static struct settings settings;
	struct rehearsed rehearsed = { load, &settings };
	const struct placement_rehearsal rehearsal = { load_application, request_warm_ups,
						       &rehearsed };

	(void)state_out;
	if (settings_read(load, &settings) < 0)
		return -1;
	if (module_register(zy_pool(load)) < 0)
		return zy_load_error(load, "no memory");
	if (interpreter_start(load, &settings) < 0)
		return -1;
	if (settings.places_objects &&
	    placement_start(settings.learns_placement ? &rehearsal : NULL) < 0)
		return zy_load_error(load, "no memory");
	if (load_application(&rehearsed) < 0)
		return -1;
	if (failure_watch_faults() < 0)
		return zy_load_error(load, "signal handlers: %s", strerror(errno));
	heap_fill_holes();
	if (settings.places_objects) {
		name_objects();
		placement_settle();
	}
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
