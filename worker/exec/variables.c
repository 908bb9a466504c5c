/*
 * Meta-variables: what a CGI program is told of the request, as RFC 3875, 4.1 has them, and what servers usually add.
 *
 * Runs in: child. Values are the client's, as the front let them through. Three things are not passed on: headers with anything but letters,
 * digits and dashes in their name, because an underscore would pass for a dash, and to some interpreters a dot would as well; Proxy, which
 * would be HTTP_PROXY, by which libraries find a proxy; Authorization, as 4.1.18 asks.
 * There are never arguments from the query (4.4): they have let clients give options to interpreters.
 */
#include "variables.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 300 /* of a header, longer ones are left out */

static int __attribute__((format(printf, 2, 3)))
add(struct variables *variables, const char *format, ...)
{
	const size_t room = (size_t)(variables->end - variables->place);
	va_list arguments;

	va_start(arguments, format);
	const int length = vsnprintf(variables->place, room, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= room || variables->count == VARIABLES_MAX)
		return -1;
	variables->list[variables->count++] = variables->place;
	variables->place += length + 1;
	return 0;
}

/* ---- fields ---- */

static int
add_fields(struct variables *variables, const struct zy_request *request)
{
	static const struct {
		const char *name;
		enum zy_field field;
	} fields[] = {
		{ "REQUEST_METHOD", ZY_METHOD },    { "QUERY_STRING", ZY_QUERY },
		{ "SERVER_PROTOCOL", ZY_PROTOCOL }, { "REQUEST_SCHEME", ZY_SCHEME },
		{ "REMOTE_ADDR", ZY_PEER_ADDRESS }, { "REMOTE_HOST", ZY_PEER_ADDRESS },
		{ "REMOTE_PORT", ZY_PEER_PORT },    { "ZYGOTED_REQUEST_ID", ZY_REQUEST_ID },
		{ "ZYGOTED_POOL", ZY_POOL },	    { "ZYGOTED_LISTENER", ZY_LISTENER },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (add(variables, "%s=%s", fields[i].name, zy_field(request, fields[i].field)) < 0)
			return -1;
	return add(variables, "GATEWAY_INTERFACE=CGI/1.1") < 0 ||
			       add(variables, "SERVER_SOFTWARE=zygoted") < 0
		       ? -1
		       : 0;
}

/* By the names that Apache's mod_ssl gives them; no header of a client's can become one of these. */
static int
add_tls(struct variables *variables, const struct zy_request *request)
{
	static const struct {
		const char *name;
		enum zy_field field;
	} fields[] = {
		{ "SSL_PROTOCOL", ZY_TLS_VERSION },    { "SSL_CIPHER", ZY_TLS_CIPHER },
		{ "SSL_TLS_SNI", ZY_TLS_SERVER_NAME }, { "SSL_CLIENT_S_DN", ZY_CLIENT_SUBJECT },
		{ "SSL_CLIENT_SAN", ZY_CLIENT_SAN },
	};
	const bool is_known = zy_field(request, ZY_CLIENT_SUBJECT)[0] != '\0' ||
			      zy_field(request, ZY_CLIENT_SAN)[0] != '\0';

	if (strcmp(zy_field(request, ZY_SCHEME), "https") != 0)
		return 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (add(variables, "%s=%s", fields[i].name, zy_field(request, fields[i].field)) < 0)
			return -1;
	return add(variables, "HTTPS=on") < 0 || add(variables, "SSL_CLIENT_VERIFY=%s",
						     is_known ? "SUCCESS" : "NONE") < 0
		       ? -1
		       : 0;
}

/* "name", "name:port", "[::1]:port" */
static int
add_server(struct variables *variables, const struct zy_request *request)
{
	const char *host = zy_field(request, ZY_HOST);
	const bool is_https = strcmp(zy_field(request, ZY_SCHEME), "https") == 0;
	const char *bracket = strchr(host, ']');
	const char *colon = strchr(bracket != NULL ? bracket : host, ':');
	const int length = colon != NULL ? (int)(colon - host) : (int)strlen(host);
	const char *port = colon != NULL && colon[1] != '\0' ? colon + 1 : is_https ? "443" : "80";

	if (host[0] != '\0' && add(variables, "HTTP_HOST=%s", host) < 0)
		return -1;
	if (add(variables, "SERVER_PORT=%s", port) < 0)
		return -1;
	return length == 0 ? add(variables, "SERVER_NAME=localhost")
			   : add(variables, "SERVER_NAME=%.*s", length, host);
}

/* ---- the target ---- */

/* The route "/cgi/" is the script "/cgi"; what follows it in the path, decoded, is PATH_INFO. */
static int
add_path(struct variables *variables, const struct zy_request *request)
{
	const char *route = zy_field(request, ZY_ROUTE), *rest = zy_field(request, ZY_REST);
	const char *path = zy_field(request, ZY_PATH), *query = zy_field(request, ZY_QUERY);
	const size_t length = strlen(route);
	const bool ends_in_slash = length > 0 && route[length - 1] == '/';
	char *decoded = malloc(strlen(rest) + 1);

	if (decoded == NULL)
		return -1;
	if (zy_percent_decode(rest, decoded) < 0) {
		free(decoded);
		return 400;
	}
	int result = add(variables, "SCRIPT_NAME=%.*s", (int)(length - ends_in_slash), route);
	if (result == 0)
		result = add(variables, "PATH_INFO=%s%s", ends_in_slash ? "/" : "", decoded);
	free(decoded);
	if (result < 0)
		return -1;
	return add(variables, "REQUEST_URI=%s%s%s", path, query[0] != '\0' ? "?" : "", query);
}

/* ---- headers ---- */

static bool
is_plain(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
}

/* "accept-language" becomes "HTTP_ACCEPT_LANGUAGE". False for one that is not passed on. */
static bool
format_name(const char *header, char out[NAME_BYTES_MAX])
{
	static const char *const kept[] = { "proxy", "authorization", "proxy-authorization",
					    "content-length", "host" };
	size_t at = strcmp(header, "content-type") == 0 ? 0 : 5;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(header, kept[i]) == 0)
			return false;
	memcpy(out, "HTTP_", at);
	for (; *header != '\0'; header++) {
		if (!is_plain(*header) || at == NAME_BYTES_MAX - 1)
			return false;
		out[at++] = *header == '-'		       ? '_'
			    : *header >= 'a' && *header <= 'z' ? (char)(*header - 'a' + 'A')
							       : *header;
	}
	out[at] = '\0';
	return true;
}

static bool
is_repeated(const struct zy_request *request, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(zy_header_name(request, i), zy_header_name(request, index)) == 0)
			return true;
	return false;
}

/* Appends to the variable that was added last. */
static int
append(struct variables *variables, const char *between, const char *value)
{
	const size_t room = (size_t)(variables->end - variables->place);
	const int length = snprintf(variables->place - 1, room + 1, "%s%s", between, value);

	if (length < 0 || (size_t)length > room)
		return -1;
	variables->place += length;
	return 0;
}

/* Repeated headers are one with commas (RFC 9110, 5.3), cookies with semicolons (RFC 9113, 8.2.3). */
static int
add_header(struct variables *variables, const struct zy_request *request, size_t index)
{
	const char *header = zy_header_name(request, index);
	const char *between = strcmp(header, "cookie") == 0 ? "; " : ", ";
	char name[NAME_BYTES_MAX];

	if (!format_name(header, name) || is_repeated(request, index))
		return 0;
	if (add(variables, "%s=%s", name, zy_header_value(request, index)) < 0)
		return -1;
	for (size_t i = index + 1; i < zy_headers(request); i++)
		if (strcmp(zy_header_name(request, i), header) == 0 &&
		    append(variables, between, zy_header_value(request, i)) < 0)
			return -1;
	return 0;
}

static int
add_headers(struct variables *variables, const struct zy_request *request)
{
	const uint64_t length = zy_content_length(request);

	for (size_t i = 0; i < zy_headers(request); i++)
		if (add_header(variables, request, i) < 0)
			return -1;
	/* Only for a request with a body; a client that says 0 has sent an empty one. */
	return length > 0 || zy_header(request, "content-type") != NULL
		       ? add(variables, "CONTENT_LENGTH=%" PRIu64, length)
		       : 0;
}

/* ---- the operator's ---- */

/* Libraries take the first of two: so one of the operator's must not be there beside one of the request's. */
static bool
is_there(const struct variables *variables, const char *entry)
{
	const size_t length = (size_t)(strchrnul(entry, '=') - entry) + 1;

	for (size_t i = 0; i < variables->count; i++)
		if (strncmp(variables->list[i], entry, length) == 0)
			return true;
	return false;
}

static int
add_fixed(struct variables *variables, const char *const fixed[])
{
	for (size_t i = 0; fixed[i] != NULL; i++) {
		if (is_there(variables, fixed[i]))
			continue;
		if (variables->count == VARIABLES_MAX)
			return -1;
		variables->list[variables->count++] = fixed[i];
	}
	return 0;
}

int
variables_make(struct variables *variables, const struct zy_request *request,
	       const char *const fixed[])
{
	char *memory = malloc(ZY_PROGRAM_BYTES);
	int result;

	if (memory == NULL)
		return -1;
	*variables = (struct variables){ .place = memory, .end = memory + ZY_PROGRAM_BYTES };
	if (add_fields(variables, request) < 0 || add_tls(variables, request) < 0 ||
	    add_server(variables, request) < 0)
		return -1;
	result = add_path(variables, request);
	if (result != 0)
		return result;
	if (add_headers(variables, request) < 0 || add_fixed(variables, fixed) < 0)
		return -1;
	variables->list[variables->count] = NULL;
	return 0;
}
