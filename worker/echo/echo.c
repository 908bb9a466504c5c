/*
 * echo: returns what it is sent. A body comes back as it is, streamed; a request without one is
 * described in lines of text. Its options make it carry state and write to some of it, for tests
 * and benchmarks.
 *
 * Runs in: zygote (load), child (handle). The request is the client's: its text is only ever sent
 * back to it, as text/plain.
 */
#include "worker.h"

#include "echo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- load ---- */

/* "4096", "64K", "16M", "2G". */
static int
parse_size(const char *text, size_t *bytes_out)
{
	static const char units[] = "KMG";
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (end == text || text[0] < '0' || text[0] > '9' || errno != 0)
		return -1;
	const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
	if (*end != '\0' && (unit == NULL || end[1] != '\0'))
		return -1;
	unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
	if (value > (SIZE_MAX >> 1) >> shift)
		return -1;
	*bytes_out = (size_t)value << shift;
	return 0;
}

static int
take_size(const struct zy_load *load, const char *name, size_t *bytes_out)
{
	const char *text = zy_option(load, name, 0);

	if (text != NULL && parse_size(text, bytes_out) < 0)
		return zy_load_error(
			load, "option \"%s\": \"%s\" is no size such as 4096, 64K, 16M or 2G", name,
			text);
	return 0;
}

static int
load_echo(const struct zy_load *load, void **state_out)
{
	static const char *const known[] = { "ballast", "touch", NULL };
	static struct echo echo;
	size_t ballast = 0, touch = 0;

	if (zy_options_check(load, known) < 0 || take_size(load, "ballast", &ballast) < 0 ||
	    take_size(load, "touch", &touch) < 0)
		return -1;
	struct ballast_result result = ballast_allocate(ballast, touch, &echo);
	if (result.error != NULL)
		return zy_load_error(load, "%s (ballast %zu bytes, %zu pages; touch %zu)",
				     result.error, ballast, result.pages, touch);
	if ((echo.buffer = malloc(ECHO_BUFFER_BYTES)) == NULL)
		return zy_load_error(load, "no memory");
	*state_out = &echo;
	return 0;
}

/* ---- handle ---- */

/*
 * strlen and strcmp, by hand: the C library's are in a page of its text that no other part of the request needs. The empty
 * statement keeps compilers from putting strlen back.
 */
static size_t
length_of(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		length++;
		__asm__ volatile("" : "+r"(length));
	}
	return length;
}

static bool
is_equal(const char *one, const char *other)
{
	while (*one != '\0' && *one == *other) {
		one++;
		other++;
	}
	return *one == *other;
}

static int
put(struct zy_request *request, const char *text)
{
	return zy_write(request, text, length_of(text));
}

static int
put_line(struct zy_request *request, const char *name, const char *value)
{
	return put(request, name) < 0 || put(request, ": ") < 0 || put(request, value) < 0 ||
			       put(request, "\n") < 0
		       ? -1
		       : 0;
}

static int
describe(struct zy_request *request)
{
	if (zy_header_add(request, "Content-Type", "text/plain; charset=utf-8") < 0 ||
	    put_line(request, "method", zy_field(request, ZY_METHOD)) < 0 ||
	    put_line(request, "path", zy_field(request, ZY_PATH)) < 0 ||
	    put_line(request, "query", zy_field(request, ZY_QUERY)) < 0 ||
	    put_line(request, "request", zy_field(request, ZY_REQUEST_ID)) < 0)
		return -1;
	for (size_t i = 0; i < zy_headers(request); i++)
		if (put(request, "header ") < 0 ||
		    put_line(request, zy_header_name(request, i), zy_header_value(request, i)) < 0)
			return -1;
	return 0;
}

static int
return_body(struct zy_request *request, char *buffer)
{
	const char *type = zy_header(request, "content-type");
	const uint64_t length = zy_content_length(request);
	size_t size;

	if (zy_header_add(request, "Content-Type",
			  type != NULL ? type : "application/octet-stream") < 0 ||
	    zy_status(request, 200) < 0 ||
	    (length != ZY_LENGTH_UNKNOWN && zy_length(request, length) < 0))
		return -1;
	while ((size = zy_read(request, buffer, ECHO_BUFFER_BYTES)) > 0)
		if (zy_write(request, buffer, size) < 0)
			return -1;
	return 0;
}

static int
handle(void *state, struct zy_request *request)
{
	const struct echo *echo = state;
	const char *method = zy_field(request, ZY_METHOD);

	for (size_t i = 0; i < echo->pages_count; i++)
		++*echo->pages[i];
	if (zy_content_length(request) == 0 &&
	    (is_equal(method, "GET") || is_equal(method, "HEAD")))
		return describe(request);
	return return_body(request, echo->buffer);
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "echo",
	.profile = "compute",
	.load = load_echo,
	.handle = handle,
};
