/*
 * The WSGI application.
 *
 * Runs in: zygote (load, warm_up), child (call).
 */
#include <Python.h>

#include "application.h"

#include "answer.h"
#include "environ.h"
#include "failure.h"
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PyObject *application;

/* ---- load ---- */

static int
import_modules(const struct zy_load *load, const struct settings_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		PyObject *module = PyImport_ImportModule(names->values[i]);
		if (module == NULL)
			return failure_load(load, names->values[i]);
		Py_DECREF(module);
	}
	return 0;
}

/* "name" or "object.name"; NULL with an exception. Takes over `object`. */
static PyObject *
walk_attributes(PyObject *object, char *names)
{
	char *rest = names, *name;

	while (object != NULL && (name = strsep(&rest, ".")) != NULL) {
		PyObject *next = PyObject_GetAttrString(object, name);
		Py_DECREF(object);
		object = next;
	}
	return object;
}

/* "module:callable" or "module:factory()"; NULL with an exception. */
static PyObject *
find_application(char *words)
{
	char *names = strchr(words, ':');
	*names++ = '\0';
	char *parentheses = strstr(names, "()");
	const int is_factory = parentheses != NULL && parentheses[2] == '\0';

	if (is_factory)
		*parentheses = '\0';
	PyObject *found = walk_attributes(PyImport_ImportModule(words), names);
	if (found != NULL && is_factory)
		Py_SETREF(found, PyObject_CallNoArgs(found));
	return found;
}

int
application_load(const struct zy_load *load, const struct settings *settings)
{
	if (import_modules(load, &settings->preload) < 0)
		return -1;
	char *words = strdup(settings->app);
	if (words == NULL)
		return zy_load_error(load, "no memory");
	application = find_application(words);
	free(words);
	if (application == NULL)
		return failure_load(load, settings->app);
	if (!PyCallable_Check(application))
		return zy_load_error(load, "%s is a %s, which cannot be called", settings->app,
				     Py_TYPE(application)->tp_name);
	if (input_prepare() < 0 || answer_prepare() < 0 ||
	    environ_prepare(settings->script_name) < 0)
		return failure_load(load, "types");
	return 0;
}

/* ---- calls ---- */

int
application_call(struct call *call, int *status_out)
{
	PyObject *environ = environ_new(call);
	PyObject *answer = environ != NULL ? answer_new(call) : NULL;
	int result = -1;

	if (answer != NULL) {
		PyObject *arguments[] = { environ, answer };
		PyObject *blocks = PyObject_Vectorcall(application, arguments, 2, NULL);
		if (blocks != NULL)
			result = answer_send(answer, blocks);
		*status_out = answer_status(answer);
	}
	Py_XDECREF(environ);
	Py_XDECREF(answer);
	return result;
}

/* ---- warm-ups ---- */

/* Takes "METHOD /path?query" apart, which becomes the fields of a call. -1: it is not that. */
static int
parse_warmup(char *text, struct call *call)
{
	char *target = strchr(text, ' ');

	if (target == NULL || target == text || target[1] != '/')
		return -1;
	*target++ = '\0';
	char *query = strchr(target, '?');
	if (query != NULL)
		*query++ = '\0';
	call->fields[ZY_PATH] = target;
	call->fields[ZY_QUERY] = query;
	call->fields[ZY_HOST] = "localhost";
	call->fields[ZY_PROTOCOL] = "HTTP/1.1";
	call->fields[ZY_SCHEME] = "http";
	call->fields[ZY_PEER_ADDRESS] = "127.0.0.1";
	call->fields[ZY_PEER_PORT] = "0";
	return 0;
}

static int
warm_up(const struct zy_load *load, const char *words, struct call *call)
{
	char *text = strdup(words), what[120];
	int status = 0;

	if (text == NULL)
		return zy_load_error(load, "no memory");
	call->fields[ZY_METHOD] = text;
	call->fields[ZY_POOL] = zy_pool(load);
	if (parse_warmup(text, call) < 0)
		return zy_load_error(load, "option \"warmup\": \"%s\" is not \"GET /path\"", words);
	snprintf(what, sizeof(what), "warmup \"%s\"", words);
	if (application_call(call, &status) < 0) {
		if (PyErr_Occurred())
			return failure_load(load, what);
		return zy_load_error(load, "%s: bad percent-encoding in the path", what);
	}
	if (status >= 500)
		return zy_load_error(load, "%s: the application answers with status %d", what,
				     status);
	return 0;
}

int
application_warm_up(const struct zy_load *load, const struct settings *settings)
{
	/* Kept, as their strings are: the application may hold on to its environ. */
	static struct call calls[SETTINGS_VALUES_MAX];

	for (size_t i = 0; i < settings->warmup.count; i++)
		if (warm_up(load, settings->warmup.values[i], &calls[i]) < 0)
			return -1;
	return 0;
}
