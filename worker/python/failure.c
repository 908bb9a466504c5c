/*
 * Exceptions and faults, told to the log.
 *
 * Runs in: zygote (load), child. Descriptor 2 is the log in both. In a child with the profile compute no source file can be
 * opened, so tracebacks there have lines' numbers without their text.
 */
#include <Python.h>

#include "failure.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define SUMMARY_BYTES 300 /* of a text of at most 480 for the operator */
#define SIGNAL_STACK  (64 * 1024)

/*
 * What the module faulthandler uses: exported by libpython, declared in its internal headers only. It reads frames without
 * allocating, and is made for interpreters that have just been hit. Weak: without it there is no traceback, and no more.
 */
extern __attribute__((weak)) void _Py_DumpTraceback(int fd, PyThreadState *state);

void
failure_flush(void)
{
	static const char *const names[] = { "stdout", "stderr" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		PyObject *file = PySys_GetObject(names[i]); /* borrowed */
		if (file == NULL || file == Py_None)
			continue;
		PyObject *result = PyObject_CallMethod(file, "flush", NULL);
		if (result == NULL)
			PyErr_Clear();
		Py_XDECREF(result);
	}
}

/* PyErr_Print would end the process for SystemExit. */
void
failure_print(void)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (value != NULL && traceback != NULL)
		PyException_SetTraceback(value, traceback);
	PyErr_Display(type, value, traceback);
	PyErr_Clear();
	Py_XDECREF(type);
	Py_XDECREF(value);
	Py_XDECREF(traceback);
	failure_flush();
}

/* "TypeError: text" of the pending exception, which stays. */
static void
summarize(char *text, size_t size)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	PyObject *words = value != NULL ? PyObject_Str(value) : NULL;
	const char *utf8 = words != NULL ? PyUnicode_AsUTF8(words) : NULL;
	snprintf(text, size, "%.60s: %.200s",
		 type != NULL ? ((PyTypeObject *)type)->tp_name : "no exception",
		 utf8 != NULL ? utf8 : "?");
	Py_XDECREF(words);
	PyErr_Restore(type, value, traceback);
}

int
failure_load(const struct zy_load *load, const char *what)
{
	char summary[SUMMARY_BYTES];

	summarize(summary, sizeof(summary));
	failure_print();
	return zy_load_error(load, "%.100s: %s (the traceback is in the log)", what, summary);
}

/* ---- faults ---- */

/*
 * SA_RESETHAND has put the default action back, so that the return runs into the same fault again, which then kills as if nothing had been here. No
 * system call but write: a child may make hardly any other.
 */
static void
on_fault(int number)
{
	static const char text[] = "fatal: fault in native code; Python traceback:\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	PyThreadState *state = PyGILState_GetThisThreadState();
	if (state != NULL && _Py_DumpTraceback != NULL)
		_Py_DumpTraceback(STDERR_FILENO, state);
}

/* A stack of its own: an overflow of the first one is a fault as well. */
int
failure_watch_faults(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	static char memory[SIGNAL_STACK];
	const stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
	struct sigaction action = { .sa_handler = on_fault,
				    .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER };

	if (sigaltstack(&stack, NULL) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (sigaction(faults[i], &action, NULL) < 0)
			return -1;
	return 0;
}
