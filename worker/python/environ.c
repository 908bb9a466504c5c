/*
 * The dictionary that an application is called with: PEP 3333, "environ Variables"; RFC 3875, 4.1.
 *
 * Runs in: zygote (prepare, warm-ups), child. All values are the client's, as the front let them through. PEP 3333 wants bytes as characters of
 * the same numbers (latin-1).
 *
 * A header's name with an underscore is left out: X_Forwarded_For would land where X-Forwarded-For belongs, and a proxy that overwrites the
 * latter does not know the former.
 */
#include <Python.h>

#include "environ.h"

#include "input.h"
#include "module.h"

#include <stdbool.h>
#include <string.h>

#define NAME_MAX_BYTES 300 /* of a variable that is made from a header's name */

static PyObject *constants;	/* copied for each call */
static const char *script_name; /* "" or "/prefix" */

/* ---- what is always the same ---- */

static int
set_object(PyObject *environ, const char *name, PyObject *value)
{
	int result = value != NULL ? PyDict_SetItemString(environ, name, value) : -1;

	Py_XDECREF(value);
	return result;
}

static int
set_bytes(PyObject *environ, const char *name, const char *text, size_t length)
{
	return set_object(environ, name, PyUnicode_DecodeLatin1(text, (Py_ssize_t)length, NULL));
}

static int
set_text(PyObject *environ, const char *name, const char *text)
{
	return set_bytes(environ, name, text, strlen(text));
}

int
environ_prepare(const char *prefix)
{
	PyObject *errors = PySys_GetObject("stderr"); /* borrowed */

	script_name = prefix;
	constants = PyDict_New();
	if (constants == NULL || errors == NULL)
		return -1;
	return set_object(constants, "wsgi.version", Py_BuildValue("(ii)", 1, 0)) < 0 ||
			       set_object(constants, "wsgi.errors", Py_NewRef(errors)) < 0 ||
			       set_object(constants, "wsgi.multithread", Py_NewRef(Py_False)) < 0 ||
			       set_object(constants, "wsgi.multiprocess", Py_NewRef(Py_True)) < 0 ||
			       set_object(constants, "wsgi.run_once", Py_NewRef(Py_True)) < 0 ||
			       set_object(constants, "wsgi.input_terminated", Py_NewRef(Py_True)) <
				       0 ||
			       set_text(constants, "SERVER_SOFTWARE", "zygoted") < 0
		       ? -1
		       : 0;
}

/* ---- the request's line ---- */

static bool
is_below(const char *path, size_t length, const char *prefix)
{
	const size_t size = strlen(prefix);

	return length >= size && memcmp(path, prefix, size) == 0 &&
	       (length == size || path[size] == '/');
}

/* 0; -1 with an exception, or without one for a path that is no text. */
static int
set_path(PyObject *environ, const struct call *call)
{
	const char *raw = call_field(call, ZY_PATH);
	char *path = PyMem_Malloc(strlen(raw) + 1);
	int result = -1;

	if (path == NULL) {
		PyErr_NoMemory();
		return -1;
	}
	const ssize_t length = zy_percent_decode(raw, path);
	if (length >= 0) {
		const char *prefix = is_below(path, (size_t)length, script_name) ? script_name : "";
		const size_t skipped = strlen(prefix);
		result = set_text(environ, "SCRIPT_NAME", prefix) < 0 ||
					 set_bytes(environ, "PATH_INFO", path + skipped,
						   (size_t)length - skipped) < 0
				 ? -1
				 : 0;
	}
	PyMem_Free(path);
	return result;
}

/* The target as it was received. */
static int
set_target(PyObject *environ, const struct call *call)
{
	const char *path = call_field(call, ZY_PATH), *query = call_field(call, ZY_QUERY);

	if (set_text(environ, "QUERY_STRING", query) < 0)
		return -1;
	return set_object(environ, "REQUEST_URI",
			  PyUnicode_FromFormat("%s%s%s", path, query[0] != '\0' ? "?" : "", query));
}

/* "name", "name:port", "[::1]:port" */
static int
set_server(PyObject *environ, const struct call *call)
{
	const char *host = call_field(call, ZY_HOST);
	const bool is_https = strcmp(call_field(call, ZY_SCHEME), "https") == 0;
	const char *bracket = strchr(host, ']');
	const char *colon = strchr(bracket != NULL ? bracket : host, ':');
	const size_t length = colon != NULL ? (size_t)(colon - host) : strlen(host);
	const char *port = colon != NULL && colon[1] != '\0' ? colon + 1 : is_https ? "443" : "80";

	if (host[0] != '\0' && set_text(environ, "HTTP_HOST", host) < 0)
		return -1;
	if (length == 0)
		return set_text(environ, "SERVER_NAME", "localhost") < 0 ||
				       set_text(environ, "SERVER_PORT", port) < 0
			       ? -1
			       : 0;
	return set_bytes(environ, "SERVER_NAME", host, length) < 0 ||
			       set_text(environ, "SERVER_PORT", port) < 0
		       ? -1
		       : 0;
}

/* By the names that Apache's mod_ssl gives them; no header of a client's can become one of these. */
static int
set_tls(PyObject *environ, const struct call *call)
{
	static const struct {
		const char *name;
		enum zy_field field;
	} fields[] = {
		{ "SSL_PROTOCOL", ZY_TLS_VERSION },    { "SSL_CIPHER", ZY_TLS_CIPHER },
		{ "SSL_TLS_SNI", ZY_TLS_SERVER_NAME }, { "SSL_CLIENT_S_DN", ZY_CLIENT_SUBJECT },
		{ "SSL_CLIENT_SAN", ZY_CLIENT_SAN },
	};
	const bool is_known = call_field(call, ZY_CLIENT_SUBJECT)[0] != '\0' ||
			      call_field(call, ZY_CLIENT_SAN)[0] != '\0';

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (set_text(environ, fields[i].name, call_field(call, fields[i].field)) < 0)
			return -1;
	if (set_text(environ, "SSL_CLIENT_VERIFY", is_known ? "SUCCESS" : "NONE") < 0)
		return -1;
	return set_text(environ, "HTTPS", "on");
}

static int
set_fields(PyObject *environ, const struct call *call)
{
	static const struct {
		const char *name;
		enum zy_field field;
	} fields[] = {
		{ "REQUEST_METHOD", ZY_METHOD },    { "SERVER_PROTOCOL", ZY_PROTOCOL },
		{ "REMOTE_ADDR", ZY_PEER_ADDRESS }, { "REMOTE_PORT", ZY_PEER_PORT },
		{ "wsgi.url_scheme", ZY_SCHEME },   { "zygoted.listener", ZY_LISTENER },
		{ "zygoted.pool", ZY_POOL },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (set_text(environ, fields[i].name, call_field(call, fields[i].field)) < 0)
			return -1;
	return strcmp(call_field(call, ZY_SCHEME), "https") == 0 ? set_tls(environ, call) : 0;
}

/* ---- headers ---- */

/* "x-request-id" becomes "HTTP_X_REQUEST_ID". False for a name that is not passed on. */
static bool
format_name(const char *header, char out[NAME_MAX_BYTES])
{
	const bool is_plain = strcmp(header, "content-type") == 0;
	size_t at = 0;

	if (!is_plain) {
		memcpy(out, "HTTP_", 5);
		at = 5;
	}
	for (; *header != '\0'; header++) {
		if (*header == '_' || at == NAME_MAX_BYTES - 1)
			return false;
		out[at++] = *header == '-'		       ? '_'
			    : *header >= 'a' && *header <= 'z' ? (char)(*header - 'a' + 'A')
							       : *header;
	}
	out[at] = '\0';
	return true;
}

/* Repeated headers are one with commas (RFC 9110, 5.3), cookies with semicolons (RFC 9113, 8.2.3). */
static int
set_header(PyObject *environ, const char *name, const char *text)
{
	PyObject *value = PyUnicode_DecodeLatin1(text, (Py_ssize_t)strlen(text), NULL);
	PyObject *earlier = PyDict_GetItemString(environ, name); /* borrowed */

	if (earlier == NULL || value == NULL)
		return set_object(environ, name, value);
	const char *between = strcmp(name, "HTTP_COOKIE") == 0 ? "; " : ",";
	PyObject *joined = PyUnicode_FromFormat("%U%s%U", earlier, between, value);
	Py_DECREF(value);
	return set_object(environ, name, joined);
}

static int
set_headers(PyObject *environ, const struct call *call)
{
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < call_headers(call); i++)
		if (format_name(call_header_name(call, i), name) &&
		    set_header(environ, name, call_header_value(call, i)) < 0)
			return -1;
	return 0;
}

/* ---- the body, the request's own ---- */

static int
set_body(PyObject *environ, struct call *call)
{
	const uint64_t length = call_content_length(call);

	if (set_object(environ, "wsgi.input", input_new(call)) < 0)
		return -1;
	/* A request without a body has no length, as under other servers. */
	if (length == ZY_LENGTH_UNKNOWN ||
	    (length == 0 && !PyDict_GetItemString(environ, "CONTENT_TYPE")))
		return 0;
	return set_object(environ, "CONTENT_LENGTH",
			  PyUnicode_FromFormat("%llu", (unsigned long long)length));
}

static int
set_request(PyObject *environ, const struct call *call)
{
	if (call->request == NULL)
		return 0;
	return set_object(environ, "zygoted.request_id",
			  PyUnicode_FromString(zy_field(call->request, ZY_REQUEST_ID)));
}

PyObject *
environ_new(struct call *call)
{
	PyObject *environ = PyDict_Copy(constants);

	if (environ == NULL)
		return NULL;
	/* Headers first: nothing of a client's may replace what is ours. */
	if (set_headers(environ, call) < 0 || set_fields(environ, call) < 0 ||
	    set_target(environ, call) < 0 || set_server(environ, call) < 0 ||
	    set_body(environ, call) < 0 || set_request(environ, call) < 0 ||
	    set_path(environ, call) < 0)
		Py_CLEAR(environ);
	return environ;
}
