/*
 * Rules for what a worker's answer may carry into the client's connection.
 *
 * Runs in: front. Trusts nobody: a child may be in the hands of whoever sent its request. Pure.
 * What passes here is written to the client as it is: a name or byte let through can end one
 * client's answer and begin another's.
 */
#include "front/http_reply.h"

#include "front/http_header.h"

#include <stdint.h>

bool
http_reply_status_is_valid(unsigned status)
{
	return status >= 200 && status <= 599;
}

bool
http_reply_has_body(unsigned status)
{
	return status != 204 && status != 304;
}

/*
 * Content-Length and Transfer-Encoding follow from the frames; hop-by-hop headers belong to the
 * front's connection. Date is written by the front, once for each answer: a field that may stand
 * only once, and the child's clock may be out of its reach. X-Zygoted-Reason says why the front
 * refused, so no worker may say it. Server is the worker's to set: the front writes none.
 */
static bool
is_reserved(const char *name, size_t length)
{
	return http_header_use(name, length) == HTTP_HEADER_HOP_BY_HOP ||
	       http_equals(name, length, "content-length") || http_equals(name, length, "date") ||
	       http_equals(name, length, "x-zygoted-reason");
}

const char *
http_reply_header_check(const char *name, size_t name_length, const char *value,
			size_t value_length)
{
	if (!http_all(name, name_length, HTTP_TOKEN))
		return "header name";
	if (name_length > HTTP_HEADER_NAME_MAX)
		return "header name too long";
	if (is_reserved(name, name_length))
		return "reserved header";
	if (value_length > HTTP_REPLY_VALUE_MAX)
		return "header value too long";
	if (value_length > 0 && !http_all(value, value_length, HTTP_TEXT))
		return "byte in header value";
	return NULL;
}

/* The IANA registry of status codes. */
static const struct {
	uint16_t status;
	const char *phrase;
} phrases[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 203, "Non-Authoritative Information" },
	{ 204, "No Content" },
	{ 205, "Reset Content" },
	{ 206, "Partial Content" },
	{ 207, "Multi-Status" },
	{ 208, "Already Reported" },
	{ 226, "IM Used" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 305, "Use Proxy" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 424, "Failed Dependency" },
	{ 425, "Too Early" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 451, "Unavailable For Legal Reasons" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 506, "Variant Also Negotiates" },
	{ 507, "Insufficient Storage" },
	{ 508, "Loop Detected" },
	{ 511, "Network Authentication Required" },
};

static const char *const class_phrases[] = {
	[1] = "Informational", [2] = "Success",	     [3] = "Redirection",
	[4] = "Client Error",  [5] = "Server Error",
};

const char *
http_status_phrase(unsigned status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	if (status >= 100 && status <= 599)
		return class_phrases[status / 100];
	return "Unknown";
}
