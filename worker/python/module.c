/*
 * The module `zygoted`: pool, request_id(), deadline(), on_child_start(function).
 *
 * Runs in: zygote (import, on_child_start), child. Python functions have no argument that could carry the request, so it is kept here: a
 * process has one.
 */
#include <Python.h>

#include "module.h"

static const char *pool_name;
static const struct zy_request *current; /* NULL: none yet */
static PyObject *hooks;			 /* a list; NULL before the import */

static PyObject *
on_request_id(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	if (current == NULL)
		return Py_NewRef(Py_None);
	return PyUnicode_FromString(zy_field(current, ZY_REQUEST_ID));
}

/* Comparable with time.monotonic(), which reads the same clock. */
static PyObject *
on_deadline(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	if (current == NULL)
		return Py_NewRef(Py_None);
	return PyFloat_FromDouble((double)zy_deadline_ns(current) / 1e9);
}

/* Returns the function, so that it can be used as a decorator. */
static PyObject *
on_child_start(PyObject *self, PyObject *function)
{
	(void)self;
	if (!PyCallable_Check(function)) {
		PyErr_Format(PyExc_TypeError, "on_child_start takes a function, not %R", function);
		return NULL;
	}
	if (PyList_Append(hooks, function) < 0)
		return NULL;
	return Py_NewRef(function);
}

static PyMethodDef functions[] = {
	{ "request_id", on_request_id, METH_NOARGS,
	  "What the log calls the request that this process serves: 16 hexadecimal digits. None "
	  "without one." },
	{ "deadline", on_deadline, METH_NOARGS,
	  "The time.monotonic() at which this process will be killed; None without a request." },
	{ "on_child_start", on_child_start, METH_O,
	  "Has the function called in each child before its request comes." },
	{ NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT,
	.m_name = "zygoted",
	.m_doc = "What a WSGI application can know about the zygoted that runs it.",
	.m_size = -1,
	.m_methods = functions,
};

static PyObject *
create(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (module == NULL)
		return NULL;
	if (hooks == NULL && (hooks = PyList_New(0)) == NULL)
		Py_CLEAR(module);
	else if (PyModule_AddStringConstant(module, "pool", pool_name) < 0)
		Py_CLEAR(module);
	return module;
}

int
module_register(const char *pool)
{
	pool_name = pool;
	return PyImport_AppendInittab("zygoted", create);
}

void
module_set_request(const struct zy_request *request)
{
	current = request;
}

int
module_run_hooks(void)
{
	for (Py_ssize_t i = 0; hooks != NULL && i < PyList_GET_SIZE(hooks); i++) {
		PyObject *result = PyObject_CallNoArgs(PyList_GET_ITEM(hooks, i));
		if (result == NULL)
			return -1;
		Py_DECREF(result);
	}
	return 0;
}
