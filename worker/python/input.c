/*
 * wsgi.input: read, readline, readlines and iteration (PEP 3333, "Input and Error Streams").
 *
 * Runs in: zygote (type, warm-ups), child. The bytes are the client's. Reads go straight into the object that is returned; only what looks for line
 * ends has a buffer. How much may come is the front's affair (`body` of the pool); how much is held at once is the application's,
 * within the child's memory.
 */
#include <Python.h>

#include "input.h"

#include <stdbool.h>
#include <string.h>

#define AHEAD_BYTES 8192
#define GROW_FIRST  16384

struct input {
	PyObject_HEAD struct call *call;
	size_t position; /* position..end of ahead are still to be handed out */
	size_t end;
	char *ahead; /* NULL until lines are asked for */
};

static PyObject *input_type;

/* ---- bytes ---- */

/* Up to `size` bytes, 0 at the end of the body. */
static size_t
read_some(struct input *input, char *to, size_t size)
{
	const size_t there = input->end - input->position;

	if (there == 0)
		return call_read(input->call, to, size);
	if (size > there)
		size = there;
	memcpy(to, input->ahead + input->position, size);
	input->position += size;
	return size;
}

static PyObject *
read_up_to(struct input *input, Py_ssize_t size)
{
	PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
	Py_ssize_t filled = 0;
	size_t count = 1;

	while (bytes != NULL && filled < size && count > 0) {
		count = read_some(input, PyBytes_AS_STRING(bytes) + filled,
				  (size_t)(size - filled));
		filled += (Py_ssize_t)count;
	}
	if (bytes != NULL && filled < size)
		_PyBytes_Resize(&bytes, filled);
	return bytes;
}

/* Up to `most` bytes, with memory for what comes and not for what was asked. */
static PyObject *
read_growing(struct input *input, Py_ssize_t most)
{
	PyObject *bytes = PyBytes_FromStringAndSize(NULL, most < GROW_FIRST ? most : GROW_FIRST);
	Py_ssize_t filled = 0;

	while (bytes != NULL && filled < most) {
		const Py_ssize_t room = PyBytes_GET_SIZE(bytes) - filled;
		const size_t count =
			read_some(input, PyBytes_AS_STRING(bytes) + filled, (size_t)room);
		filled += (Py_ssize_t)count;
		if (count == 0)
			break;
		if ((size_t)room == count && filled < most)
			_PyBytes_Resize(&bytes, filled < most / 2 ? filled * 2 : most);
	}
	if (bytes != NULL && filled < PyBytes_GET_SIZE(bytes))
		_PyBytes_Resize(&bytes, filled);
	return bytes;
}

/* A length that is known bounds what is asked for. */
static PyObject *
read_bounded(struct input *input, Py_ssize_t size)
{
	const uint64_t length = call_content_length(input->call);

	if (size < 0)
		size = PY_SSIZE_T_MAX;
	if (length == ZY_LENGTH_UNKNOWN)
		return read_growing(input, size);
	return read_up_to(input, (uint64_t)size < length ? size : (Py_ssize_t)length);
}

/* ---- lines ---- */

/* False with an exception, or at the end of the body without one. */
static bool
fill(struct input *input)
{
	if (input->position < input->end)
		return true;
	if (input->ahead == NULL && (input->ahead = PyMem_Malloc(AHEAD_BYTES)) == NULL) {
		PyErr_NoMemory();
		return false;
	}
	input->position = 0;
	input->end = call_read(input->call, input->ahead, AHEAD_BYTES);
	return input->end > 0;
}

/* Of what is buffered the part that belongs to the line, at most `most` bytes. */
static size_t
part_of_line(const struct input *input, size_t most, bool *is_whole_out)
{
	const char *from = input->ahead + input->position;
	size_t there = input->end - input->position;

	if (there > most)
		there = most;
	const char *end = memchr(from, '\n', there);
	*is_whole_out = end != NULL || there == most;
	return end != NULL ? (size_t)(end - from) + 1 : there;
}

static PyObject *
read_line(struct input *input, Py_ssize_t limit)
{
	const size_t most = limit < 0 ? PY_SSIZE_T_MAX : (size_t)limit;
	PyObject *line = PyBytes_FromStringAndSize(NULL, 0);
	bool is_whole = most == 0;

	while (line != NULL && !is_whole && fill(input)) {
		const Py_ssize_t size = PyBytes_GET_SIZE(line);
		const size_t part = part_of_line(input, most - (size_t)size, &is_whole);
		if (_PyBytes_Resize(&line, size + (Py_ssize_t)part) < 0)
			return NULL;
		memcpy(PyBytes_AS_STRING(line) + size, input->ahead + input->position, part);
		input->position += part;
	}
	if (PyErr_Occurred())
		Py_CLEAR(line);
	return line;
}

/* ---- methods ---- */

/* One optional number; None and negative ones mean all there is. */
static int
parse_size(PyObject *const *arguments, Py_ssize_t count, Py_ssize_t *size_out)
{
	*size_out = -1;
	if (count > 1) {
		PyErr_SetString(PyExc_TypeError, "at most one argument: a number of bytes");
		return -1;
	}
	if (count == 0 || arguments[0] == Py_None)
		return 0;
	*size_out = PyNumber_AsSsize_t(arguments[0], PyExc_OverflowError);
	return *size_out == -1 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *
on_read(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	Py_ssize_t size;

	return parse_size(arguments, count, &size) < 0 ? NULL
						       : read_bounded((struct input *)self, size);
}

static PyObject *
on_readline(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	Py_ssize_t size;

	return parse_size(arguments, count, &size) < 0 ? NULL
						       : read_line((struct input *)self, size);
}

/* NULL at the end, without an exception. */
static PyObject *
on_next(PyObject *self)
{
	PyObject *line = read_line((struct input *)self, -1);

	if (line != NULL && PyBytes_GET_SIZE(line) == 0)
		Py_CLEAR(line);
	return line;
}

/* Whole lines until there are `hint` bytes of them. */
static PyObject *
on_readlines(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	PyObject *lines = PyList_New(0), *line = NULL;
	Py_ssize_t hint, bytes = 0;

	if (lines == NULL || parse_size(arguments, count, &hint) < 0) {
		Py_XDECREF(lines);
		return NULL;
	}
	while ((hint <= 0 || bytes < hint) && (line = on_next(self)) != NULL) {
		bytes += PyBytes_GET_SIZE(line);
		int failed = PyList_Append(lines, line);
		Py_DECREF(line);
		if (failed)
			break;
	}
	if (PyErr_Occurred())
		Py_CLEAR(lines);
	return lines;
}

static void
on_free(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	PyMem_Free(((struct input *)self)->ahead);
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyMethodDef methods[] = {
	{ "read", (PyCFunction)(void (*)(void))on_read, METH_FASTCALL, "read([size]) -> bytes" },
	{ "readline", (PyCFunction)(void (*)(void))on_readline, METH_FASTCALL,
	  "readline([size]) -> bytes" },
	{ "readlines", (PyCFunction)(void (*)(void))on_readlines, METH_FASTCALL,
	  "readlines([hint]) -> list of bytes" },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_dealloc, on_free },	      { Py_tp_methods, methods },
	{ Py_tp_iter, PyObject_SelfIter },    { Py_tp_iternext, on_next },
	{ Py_tp_doc, "The request's body." }, { 0, NULL },
};

static PyType_Spec spec = {
	.name = "zygoted.Input",
	.basicsize = sizeof(struct input),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.slots = slots,
};

int
input_prepare(void)
{
	input_type = PyType_FromSpec(&spec);
	return input_type != NULL ? 0 : -1;
}

PyObject *
input_new(struct call *call)
{
	struct input *input = PyObject_New(struct input, (PyTypeObject *)input_type);

	if (input == NULL)
		return NULL;
	input->call = call;
	input->position = input->end = 0;
	input->ahead = NULL;
	return (PyObject *)input;
}
