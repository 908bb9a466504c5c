/*
 * The embedded interpreter.
 *
 * Runs in: zygote. It takes nothing from the environment of whoever started the daemon, installs no signal
 * handler, writes no byte code, and reads no directory of a user's: what it runs is what the options name.
 */
#include <Python.h>

#include "interpreter.h"

#include "failure.h"
#include "forks.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Extension modules find the interpreter's symbols in the global scope, and this worker was loaded into one of its own. The library is there
 * already: its scope is all that changes.
 */
static int
open_symbols(const struct zy_load *load)
{
	Dl_info info;

	if (dladdr((void *)Py_IsInitialized, &info) == 0 || info.dli_fname == NULL)
		return zy_load_error(load, "libpython is not to be found");
	if (dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL) == NULL)
		return zy_load_error(load, "%s: %s", info.dli_fname, dlerror());
	return 0;
}

/*
 * PYTHON_EXECUTABLE is the interpreter that belongs to the library: the Makefile asks pkg-config.
 *
 * site.py finds a virtual environment by the place of the executable. One of another version would be taken without a
 * word, and its packages left out.
 */
static int
find_executable(const struct zy_load *load, const struct settings *settings, char out[PATH_MAX])
{
	if (settings->venv == NULL) {
		snprintf(out, PATH_MAX, "%s", PYTHON_EXECUTABLE);
		return 0;
	}
	snprintf(out, PATH_MAX, "%s/pyvenv.cfg", settings->venv);
	if (access(out, R_OK) < 0)
		return zy_load_error(load, "option \"venv\": %s: %s", out, strerror(errno));
	snprintf(out, PATH_MAX, "%s/lib/python%d.%d/site-packages", settings->venv,
		 PY_MAJOR_VERSION, PY_MINOR_VERSION);
	if (access(out, R_OK | X_OK) < 0)
		return zy_load_error(load,
				     "option \"venv\": %s: %s; this worker is built for "
				     "Python %d.%d",
				     out, strerror(errno), PY_MAJOR_VERSION, PY_MINOR_VERSION);
	snprintf(out, PATH_MAX, "%s/bin/python3", settings->venv);
	return 0;
}

/* UTF-8 whatever the locale: file names, standard output. */
static PyStatus
preconfigure(void)
{
	PyPreConfig preconfig;

	PyPreConfig_InitIsolatedConfig(&preconfig);
	preconfig.utf8_mode = 1;
	return Py_PreInitialize(&preconfig);
}

static PyStatus
configure(const char *executable)
{
	PyConfig config;

	PyConfig_InitIsolatedConfig(&config);
	config.write_bytecode = 0;
	PyStatus status = PyConfig_SetBytesString(&config, &config.executable, executable);
	if (!PyStatus_Exception(status))
		status = PyConfig_SetBytesString(&config, &config.program_name, executable);
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	return status;
}

/* In front of what is there, in the order given. */
static int
add_paths(const struct settings *settings)
{
	PyObject *path = PySys_GetObject("path"); /* borrowed */

	if (path == NULL || !PyList_Check(path))
		return -1;
	for (size_t i = 0; i < settings->path.count; i++) {
		PyObject *item = PyUnicode_DecodeFSDefault(settings->path.values[i]);
		int failed = item == NULL || PyList_Insert(path, (Py_ssize_t)i, item) < 0;
		Py_XDECREF(item);
		if (failed)
			return -1;
	}
	return 0;
}

/* Lines become lines of the log; stderr is so already. */
static int
buffer_lines(void)
{
	PyObject *file = PySys_GetObject("stdout"); /* borrowed */
	PyObject *reconfigure = file != NULL ? PyObject_GetAttrString(file, "reconfigure") : NULL;
	PyObject *none = PyTuple_New(0);
	PyObject *options = Py_BuildValue("{s:O}", "line_buffering", Py_True);
	PyObject *result = NULL;

	if (reconfigure != NULL && none != NULL && options != NULL)
		result = PyObject_Call(reconfigure, none, options);
	Py_XDECREF(reconfigure);
	Py_XDECREF(none);
	Py_XDECREF(options);
	Py_XDECREF(result);
	return result != NULL ? 0 : -1;
}

int
interpreter_start(const struct zy_load *load, const struct settings *settings)
{
	char executable[PATH_MAX];

	if (find_executable(load, settings, executable) < 0 || open_symbols(load) < 0)
		return -1;
	PyStatus status = preconfigure();
	if (!PyStatus_Exception(status))
		status = configure(executable);
	if (PyStatus_Exception(status))
		return zy_load_error(load, "the interpreter does not start: %s: %s",
				     status.func != NULL ? status.func : "?",
				     status.err_msg != NULL ? status.err_msg : "?");
	/*
	 * Before the first import: a collection moves objects between lists and frees some in the middle of pages, and children would
	 * write to these pages when they fill the holes.
	 */
	PyGC_Disable();
	if (forks_prepare() < 0 || add_paths(settings) < 0 || buffer_lines() < 0)
		return failure_load(load, "paths and standard output");
	return 0;
}

/* ---- forks ---- */

static int
call_function(const char *module_name, const char *name)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *result = module != NULL ? PyObject_CallMethod(module, name, NULL) : NULL;

	Py_XDECREF(module);
	Py_XDECREF(result);
	return result != NULL ? 0 : -1;
}

/*
 * tzset: libc reads the time zone's file at first use, when a child cannot. gc.freeze: all that is there now belongs to no collection, should
 * the application start one.
 */
int
interpreter_prepare_fork(void)
{
	if (call_function("time", "tzset") < 0 || call_function("gc", "freeze") < 0 ||
	    forks_before() < 0)
		return -1;
	failure_flush();
	return 0;
}
