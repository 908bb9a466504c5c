/*
 * The headers that an application gives to start_response.
 *
 * Runs in: zygote (warm-ups), child. What may be in names and values is decided by zy_header_add, and once more by the front.
 */
#include <Python.h>

#include "headers.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

/*
 * They belong to the connection between front and client (PEP 3333, "Other HTTP Features"), or, Date, are the front's; frameworks set some of them
 * all the same, and other servers leave them out too.
 */
static const char *const dropped[] = {
	"connection",	     "keep-alive", "te",   "trailer",
	"transfer-encoding", "upgrade",	   "date", "proxy-connection"
};

static int
check_pair(PyObject *pair)
{
	if (PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 &&
	    PyUnicode_Check(PyTuple_GET_ITEM(pair, 0)) &&
	    PyUnicode_Check(PyTuple_GET_ITEM(pair, 1)))
		return 0;
	PyErr_Format(PyExc_TypeError, "headers must be (str, str) tuples, not %R", pair);
	return -1;
}

PyObject *
headers_copy(PyObject *headers)
{
	PyObject *copy = PySequence_List(headers);

	for (Py_ssize_t i = 0; copy != NULL && i < PyList_GET_SIZE(copy); i++)
		if (check_pair(PyList_GET_ITEM(copy, i)) < 0)
			Py_CLEAR(copy);
	return copy;
}

static bool
is_dropped(const char *name)
{
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (strcasecmp(name, dropped[i]) == 0)
			return true;
	return false;
}

static int
parse_length(const char *text, uint64_t *length_out)
{
	char *end;

	errno = 0;
	*length_out = strtoull(text, &end, 10);
	if (isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 &&
	    *length_out != ZY_LENGTH_UNKNOWN)
		return 0;
	PyErr_Format(PyExc_ValueError, "Content-Length: '%s' is no number of bytes", text);
	return -1;
}

static int
send_one(struct call *call, const char *name, const char *value, uint64_t *length_out)
{
	if (strcasecmp(name, "content-length") == 0)
		return parse_length(value, length_out);
	if (is_dropped(name) || call_header_add(call, name, value) == 0)
		return 0;
	PyErr_Format(PyExc_ValueError,
		     "header '%s' cannot be sent: bad bytes, reserved, too long or too many", name);
	return -1;
}

/* Bytes as characters of the same numbers; NULL with an exception. A NUL would hide what follows. */
static PyObject *
encode(PyObject *text)
{
	PyObject *bytes = PyUnicode_AsLatin1String(text);
	char *unused;

	if (bytes != NULL && PyBytes_AsStringAndSize(bytes, &unused, NULL) < 0)
		Py_CLEAR(bytes);
	return bytes;
}

int
headers_send(PyObject *headers, struct call *call, uint64_t *length_out)
{
	int result = 0;

	for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(headers); i++) {
		PyObject *pair = PyList_GET_ITEM(headers, i);
		PyObject *name = encode(PyTuple_GET_ITEM(pair, 0));
		PyObject *value = name != NULL ? encode(PyTuple_GET_ITEM(pair, 1)) : NULL;
		result = value == NULL ? -1
				       : send_one(call, PyBytes_AS_STRING(name),
						  PyBytes_AS_STRING(value), length_out);
		Py_XDECREF(name);
		Py_XDECREF(value);
	}
	return result;
}
