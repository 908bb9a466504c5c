/*
 * The answer of an application: PEP 3333, "The start_response() Callable", "Handling the Content-Length Header", "Buffering and Streaming".
 *
 * Runs in: zygote (type, warm-ups), child. Until the first byte of the body nothing has left: start_response may then be called again with
 * exc_info, and an exception still becomes a clean 500.
 */
#include <Python.h>

#include "answer.h"

#include "headers.h"

#include <stdbool.h>
#include <string.h>

struct answer {
	PyObject_HEAD struct call *call;
	PyObject *headers; /* list of (name, value); NULL before start_response */
	int status;
	bool is_begun;	   /* head and length are settled */
	uint64_t promised; /* ZY_LENGTH_UNKNOWN: nothing */
	uint64_t written;
};

static PyObject *answer_type;

/* ---- start_response ---- */

/* "200 OK" -> 200 */
static int
parse_status(PyObject *text)
{
	Py_ssize_t length;
	const char *digits = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;

	if (digits == NULL) {
		PyErr_Format(PyExc_TypeError, "status must be a str such as '200 OK', not %R",
			     text);
		return -1;
	}
	if (length < 3 || !Py_ISDIGIT(digits[0]) || !Py_ISDIGIT(digits[1]) ||
	    !Py_ISDIGIT(digits[2]) || (length > 3 && digits[3] != ' ') || digits[0] < '2' ||
	    digits[0] > '5') {
		PyErr_Format(PyExc_ValueError,
			     "status must be a number from 200 to 599 and a reason, not %R", text);
		return -1;
	}
	return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

/* Raises what the application caught, now that it is too late for another answer. */
static PyObject *
raise_again(PyObject *exc_info)
{
	PyObject *type, *value, *traceback;

	if (!PyArg_ParseTuple(exc_info, "OOO", &type, &value, &traceback))
		return NULL;
	Py_INCREF(type);
	Py_XINCREF(value);
	PyErr_Restore(type, value, traceback != Py_None ? Py_NewRef(traceback) : NULL);
	return NULL;
}

static int
check_order(const struct answer *answer, PyObject *exc_info)
{
	if (exc_info != NULL && !PyTuple_Check(exc_info)) {
		PyErr_SetString(PyExc_TypeError, "exc_info must be what sys.exc_info() gives");
		return -1;
	}
	if (exc_info == NULL && answer->headers != NULL) {
		PyErr_SetString(PyExc_AssertionError,
				"start_response was called before; only with exc_info can it be "
				"called again");
		return -1;
	}
	if (exc_info != NULL && answer->is_begun) {
		(void)raise_again(exc_info);
		return -1;
	}
	return 0;
}

static PyObject *
on_start_response(PyObject *self, PyObject *arguments, PyObject *keywords)
{
	static char *names[] = { "status", "headers", "exc_info", NULL };
	struct answer *answer = (struct answer *)self;
	PyObject *status, *headers, *exc_info = NULL;

	if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|O:start_response", names, &status,
					 &headers, &exc_info))
		return NULL;
	if (check_order(answer, exc_info == Py_None ? NULL : exc_info) < 0)
		return NULL;
	const int number = parse_status(status);
	if (number < 0)
		return NULL;
	PyObject *copy = headers_copy(headers);
	if (copy == NULL)
		return NULL;
	Py_XSETREF(answer->headers, copy);
	answer->status = number;
	return PyObject_GetAttrString(self, "write");
}

/* ---- the head ---- */

static bool
has_body(int status)
{
	return status != 204 && status != 304; /* RFC 9110, 15.3.5 and 15.4.5 */
}

/* `known`: bytes of the whole body when they are known although no header says so. */
static int
begin(struct answer *answer, uint64_t known)
{
	if (answer->is_begun)
		return 0;
	if (answer->headers == NULL) {
		PyErr_SetString(
			PyExc_AssertionError,
			"the application did not call start_response before its first block");
		return -1;
	}
	uint64_t length = ZY_LENGTH_UNKNOWN;
	answer->is_begun = true; /* even if it fails: some headers may be in it already */
	if (call_status(answer->call, answer->status) < 0) {
		PyErr_Format(PyExc_ValueError, "status %d cannot be sent", answer->status);
		return -1;
	}
	if (headers_send(answer->headers, answer->call, &length) < 0)
		return -1;
	if (length == ZY_LENGTH_UNKNOWN)
		length = known;
	if (length != ZY_LENGTH_UNKNOWN && has_body(answer->status) &&
	    call_length(answer->call, length) < 0) {
		PyErr_SetString(PyExc_ValueError, "Content-Length cannot be sent");
		return -1;
	}
	answer->promised = length;
	return 0;
}

/* ---- the body ---- */

static int
put(struct answer *answer, const char *data, uint64_t size)
{
	const uint64_t left = answer->promised - answer->written;

	/* "the server should not transmit any more than the header allows" */
	if (size > left)
		size = left;
	answer->written += size;
	if (!has_body(answer->status) || call_write(answer->call, data, (size_t)size) == 0)
		return 0;
	PyErr_SetString(PyExc_OSError, "the answer cannot be written");
	return -1;
}

static int
check_block(PyObject *block)
{
	if (PyBytes_Check(block))
		return 0;
	PyErr_Format(PyExc_TypeError, "the body must come as bytes, not %.100s",
		     Py_TYPE(block)->tp_name);
	return -1;
}

/* The callable that start_response returns. */
static PyObject *
on_write(PyObject *self, PyObject *block)
{
	struct answer *answer = (struct answer *)self;

	if (check_block(block) < 0)
		return NULL;
	const uint64_t size = (uint64_t)PyBytes_GET_SIZE(block);
	if (size == 0)
		return Py_NewRef(Py_None);
	if (begin(answer, ZY_LENGTH_UNKNOWN) < 0)
		return NULL;
	if (size > answer->promised - answer->written) {
		PyErr_SetString(PyExc_ValueError, "write() past the Content-Length");
		return NULL;
	}
	if (put(answer, PyBytes_AS_STRING(block), size) < 0)
		return NULL;
	(void)call_flush(answer->call);
	return Py_NewRef(Py_None);
}

static bool
is_complete(const struct answer *answer)
{
	return answer->is_begun && answer->promised != ZY_LENGTH_UNKNOWN &&
	       answer->written == answer->promised;
}

/*
 * A block must leave before the next one is asked for ("Buffering and Streaming"), but the one that completes a known length goes with the end,
 * and those of a list are all there.
 */
static int
send_block(struct answer *answer, PyObject *block, uint64_t known, bool may_wait)
{
	if (check_block(block) < 0)
		return -1;
	const uint64_t size = (uint64_t)PyBytes_GET_SIZE(block);
	if (size == 0)
		return 0;
	if (begin(answer, known) < 0 || put(answer, PyBytes_AS_STRING(block), size) < 0)
		return -1;
	if (!may_wait && !is_complete(answer))
		(void)call_flush(answer->call);
	return 0;
}

/* Of a list of one block: "if the iterable's length is 1" */
static uint64_t
known_length(const struct answer *answer, PyObject *blocks)
{
	PyObject *only = NULL;

	if (PyList_CheckExact(blocks) && PyList_GET_SIZE(blocks) == 1)
		only = PyList_GET_ITEM(blocks, 0);
	else if (PyTuple_CheckExact(blocks) && PyTuple_GET_SIZE(blocks) == 1)
		only = PyTuple_GET_ITEM(blocks, 0);
	if (only == NULL || !PyBytes_Check(only) || answer->written > 0)
		return ZY_LENGTH_UNKNOWN;
	return (uint64_t)PyBytes_GET_SIZE(only);
}

static int
send_blocks(struct answer *answer, PyObject *blocks)
{
	const bool may_wait = PyList_CheckExact(blocks) || PyTuple_CheckExact(blocks);
	const uint64_t known = known_length(answer, blocks);
	PyObject *iterator = PyObject_GetIter(blocks), *block;
	int result = iterator != NULL ? 0 : -1;

	while (result == 0 && !is_complete(answer) && (block = PyIter_Next(iterator)) != NULL) {
		result = send_block(answer, block, known, may_wait);
		Py_DECREF(block);
	}
	Py_XDECREF(iterator);
	return result == 0 && PyErr_Occurred() ? -1 : result;
}

/*
 * The end of the body. An answer to HEAD without a length has none, where an empty body would have the length 0; and a status that
 * promises none goes without a word about it.
 */
static int
finish(struct answer *answer)
{
	const bool is_head = call_is_head(answer->call);

	if (begin(answer, ZY_LENGTH_UNKNOWN) < 0)
		return -1;
	if (is_head && has_body(answer->status) && answer->promised == ZY_LENGTH_UNKNOWN)
		(void)call_flush(answer->call);
	if (is_head || !has_body(answer->status) || answer->promised == ZY_LENGTH_UNKNOWN ||
	    answer->written == answer->promised)
		return 0;
	PyErr_Format(PyExc_ValueError,
		     "the application promised a Content-Length of %llu and gave %llu bytes",
		     (unsigned long long)answer->promised, (unsigned long long)answer->written);
	return -1;
}

/* With an exception pending that one counts; else one of close() is told, and changes nothing about an answer that is complete. */
static void
close_blocks(PyObject *blocks)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	PyObject *close = PyObject_GetAttrString(blocks, "close");
	if (close == NULL) {
		PyErr_Clear();
	} else {
		PyObject *result = PyObject_CallNoArgs(close);
		if (result == NULL)
			PyErr_WriteUnraisable(close);
		Py_XDECREF(result);
		Py_DECREF(close);
	}
	PyErr_Restore(type, value, traceback);
}

int
answer_send(PyObject *self, PyObject *blocks)
{
	struct answer *answer = (struct answer *)self;
	int result = send_blocks(answer, blocks);

	if (result == 0)
		result = finish(answer);
	close_blocks(blocks);
	Py_DECREF(blocks);
	return result;
}

int
answer_status(PyObject *self)
{
	return ((struct answer *)self)->status;
}

/* ---- the type ---- */

static void
on_free(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	Py_XDECREF(((struct answer *)self)->headers);
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyMethodDef methods[] = {
	{ "write", on_write, METH_O, "write(bytes)" },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_dealloc, on_free },
	{ Py_tp_methods, methods },
	{ Py_tp_call, on_start_response },
	{ Py_tp_doc, "start_response(status, headers, exc_info=None) -> write" },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "zygoted.Answer",
	.basicsize = sizeof(struct answer),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.slots = slots,
};

int
answer_prepare(void)
{
	answer_type = PyType_FromSpec(&spec);
	return answer_type != NULL ? 0 : -1;
}

PyObject *
answer_new(struct call *call)
{
	struct answer *answer = PyObject_New(struct answer, (PyTypeObject *)answer_type);

	if (answer == NULL)
		return NULL;
	answer->call = call;
	answer->headers = NULL;
	answer->status = 0;
	answer->is_begun = false;
	answer->promised = ZY_LENGTH_UNKNOWN;
	answer->written = 0;
	return (PyObject *)answer;
}
