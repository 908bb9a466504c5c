/*
 * What Python code wants done around a fork.
 *
 * Runs in: zygote (prepare, before), child (after_in_child). PyOS_AfterFork_Child is left out: it repairs locks and lists of threads after a fork in
 * the midst of other threads, and touches some two hundred pages for that, of which each would be copied for each request. Here there is no other
 * thread, no lock is held when a child is made, and the child's thread is by all marks the one that loaded the application. For the same
 * reason the hooks of threading and logging are not called, nor that of random, which gets its seed here. All others are, as by os.fork().
 */
#include <Python.h>

#include "forks.h"

#include <string.h>
#include <sys/random.h>

#define SEED_BYTES 32

static PyObject *before, *after; /* lists of functions */

/* What draws from process-wide generators; NULL while their modules are not imported. */
static PyObject *random_seed, *random_object, *numpy_seed;

/* ---- registration ---- */

/* Their hooks make locks new and forget threads; random's draws a seed, which is done below. */
static int
is_needless(PyObject *function)
{
	static const char *const modules[] = { "threading", "logging", "random" };
	PyObject *name = PyObject_GetAttrString(function, "__module__");
	int result = 0;

	/* Methods in C have none. */
	if (name == NULL || !PyUnicode_Check(name))
		PyErr_Clear();
	for (size_t i = 0; name != NULL && PyUnicode_Check(name) && i < Py_ARRAY_LENGTH(modules);
	     i++)
		result |= PyUnicode_CompareWithASCIIString(name, modules[i]) == 0;
	Py_XDECREF(name);
	return result;
}

static int
add(PyObject *list, PyObject *function, const char *name)
{
	if (function == NULL)
		return 0;
	if (!PyCallable_Check(function)) {
		PyErr_Format(PyExc_TypeError, "'%s' must be callable", name);
		return -1;
	}
	return list == NULL || is_needless(function) ? 0 : PyList_Append(list, function);
}

/* after_in_parent would have its turn when the zygote runs no Python any more. */
static PyObject *
on_register(PyObject *self, PyObject *arguments, PyObject *keywords)
{
	static char *names[] = { "before", "after_in_child", "after_in_parent", NULL };
	PyObject *functions[3] = { NULL, NULL, NULL };

	(void)self;
	if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|$OOO:register_at_fork", names,
					 &functions[0], &functions[1], &functions[2]))
		return NULL;
	if (functions[0] == NULL && functions[1] == NULL && functions[2] == NULL) {
		PyErr_SetString(PyExc_TypeError, "At least one argument is required.");
		return NULL;
	}
	if (add(before, functions[0], names[0]) < 0 || add(after, functions[1], names[1]) < 0 ||
	    add(NULL, functions[2], names[2]) < 0)
		return NULL;
	return Py_NewRef(Py_None);
}

static PyMethodDef definition = {
	"register_at_fork", (PyCFunction)(void (*)(void))on_register, METH_VARARGS | METH_KEYWORDS,
	"register_at_fork(*, before=None, after_in_child=None, after_in_parent=None)\n\n"
	"As os.register_at_fork. The fork is that of each child of the zygote; after_in_parent is "
	"not called."
};

int
forks_prepare(void)
{
	static const char *const modules[] = { "posix", "os" };
	PyObject *function = PyCFunction_New(&definition, NULL);

	before = PyList_New(0);
	after = PyList_New(0);
	if (function == NULL || before == NULL || after == NULL)
		return -1;
	for (size_t i = 0; i < Py_ARRAY_LENGTH(modules); i++) {
		PyObject *module = PyImport_ImportModule(modules[i]);
		if (module == NULL ||
		    PyObject_SetAttrString(module, "register_at_fork", function) < 0)
			return -1;
		Py_DECREF(module);
	}
	Py_DECREF(function);
	return 0;
}

/* ---- seeds ---- */

/* A module's attribute, only if somebody has imported the module. 0, -1 with an exception. */
static int
find(const char *module_name, const char *name, PyObject **out)
{
	PyObject *module =
		PyDict_GetItemString(PyImport_GetModuleDict(), module_name); /* borrowed */

	if (module == NULL)
		return 0;
	*out = PyObject_GetAttrString(module, name);
	return *out != NULL ? 0 : -1;
}

/*
 * The generator behind the functions of `random`, and the method of its base class, which takes a number as it is: random.seed() would read 2.5 KB of
 * random bytes, in Python.
 */
static int
find_seeds(void)
{
	PyObject *base = NULL;

	if (find("random", "_inst", &random_object) < 0 || find("_random", "Random", &base) < 0 ||
	    find("numpy.random", "seed", &numpy_seed) < 0)
		return -1;
	if (random_object == NULL || base == NULL)
		return 0;
	random_seed = PyObject_GetAttrString(base, "seed");
	Py_DECREF(base);
	return random_seed != NULL ? 0 : -1;
}

static PyObject *
draw_number(void)
{
	unsigned char bytes[SEED_BYTES];
	char digits[2 * SEED_BYTES + 1];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return PyErr_SetFromErrno(PyExc_OSError);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		digits[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		digits[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	digits[2 * SEED_BYTES] = '\0';
	return PyLong_FromString(digits, NULL, 16);
}

/* gauss keeps every second value for later: the siblings would all get the same one. */
static int
seed_random(void)
{
	PyObject *number = random_seed != NULL ? draw_number() : NULL;
	PyObject *result = NULL;

	if (random_seed == NULL)
		return 0;
	if (number != NULL)
		result = PyObject_CallFunctionObjArgs(random_seed, random_object, number, NULL);
	Py_XDECREF(number);
	Py_XDECREF(result);
	return result == NULL ? -1 : PyObject_SetAttrString(random_object, "gauss_next", Py_None);
}

static int
seed_numpy(void)
{
	PyObject *result = numpy_seed != NULL ? PyObject_CallNoArgs(numpy_seed) : NULL;

	Py_XDECREF(result);
	return numpy_seed == NULL || result != NULL ? 0 : -1;
}

/* ---- forks ---- */

static int
call(PyObject *function)
{
	PyObject *result = PyObject_CallNoArgs(function);

	Py_XDECREF(result);
	return result != NULL ? 0 : -1;
}

int
forks_before(void)
{
	if (find_seeds() < 0)
		return -1;
	for (Py_ssize_t i = PyList_GET_SIZE(before); i-- > 0;)
		if (call(PyList_GET_ITEM(before, i)) < 0)
			return -1;
	return 0;
}

int
forks_after_in_child(void)
{
	if (seed_random() < 0 || seed_numpy() < 0)
		return -1;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(after); i++)
		if (call(PyList_GET_ITEM(after, i)) < 0)
			return -1;
	return 0;
}
