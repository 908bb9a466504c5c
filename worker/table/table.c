/*
 * The worker `table`: looks keys up in tables that were loaded once.
 *
 *	GET ROUTE KEY     the row as a JSON object; 404 if no row matches
 *	POST ROUTE        many keys, one a line; one line of JSON for each, in order, streamed
 *
 * Runs in: table_load in the zygote, the rest in a child. The key comes from the network: it is
 *bounded, and only ever compared or escaped. Nothing here allocates, and no page of the table is
 *written.
 */
#include "table.h"

#include "json.h"

#include <string.h>

#define PATH_KEY_MAX (3 * KEY_BYTES_MAX) /* percent-encoded */
#define READ_BYTES   4096

/* Keys of a POST: the line in progress, kept across reads. */
struct lines {
	char key[KEY_BYTES_MAX + 1]; /* and a carriage return */
	size_t length;
	int overlong;
	unsigned long number; /* of lines answered */
};

static int
answer_error(struct zy_request *request, int status, const char *error, const char *key,
	     size_t length)
{
	zy_status(request, status);
	zy_header_add(request, "content-type", "application/json");
	if (zy_printf(request, "{\"error\":\"%s\"", error) != 0)
		return -1;
	if (key != NULL && (zy_write(request, ",\"key\":", 7) != 0 ||
			    json_write_string(request, key, length) != 0))
		return -1;
	return zy_write(request, "}\n", 2);
}

/* `key` is normalised in place; the answers show it as the client wrote it. */
static int
answer_key(const struct table *table, struct zy_request *request, const char *shown, size_t length)
{
	char key[KEY_BYTES_MAX];
	size_t key_length;
	const char *wrong, *row;

	memcpy(key, shown, length);
	wrong = key_normalise(table->form, key, length, &key_length);
	if (wrong != NULL)
		return answer_error(request, 400, wrong, shown, length);
	row = table_find(table, key, key_length);
	if (row == NULL)
		return answer_error(request, 404, "no match", shown, length);
	zy_header_add(request, "content-type", "application/json");
	if (json_write_object(request, table->names, row, table->columns) != 0)
		return -1;
	return zy_write(request, "\n", 1);
}

static int
handle_get(const struct table *table, struct zy_request *request)
{
	const char *rest = zy_field(request, ZY_REST);
	char key[PATH_KEY_MAX + 1];
	ssize_t length;

	if (strlen(rest) > PATH_KEY_MAX)
		return answer_error(request, 400, "key too long", NULL, 0);
	length = zy_percent_decode(rest, key);
	if (length < 0)
		return answer_error(request, 400, "bad percent-encoding", rest, strlen(rest));
	if (length > KEY_BYTES_MAX)
		return answer_error(request, 400, "key too long", NULL, 0);
	return answer_key(table, request, key, (size_t)length);
}

static int
write_line_answer(const struct table *table, struct zy_request *request, const char *shown,
		  size_t length)
{
	char key[KEY_BYTES_MAX];
	size_t key_length;
	const char *row = NULL, *wrong;

	memcpy(key, shown, length);
	wrong = key_normalise(table->form, key, length, &key_length);
	if (wrong == NULL)
		row = table_find(table, key, key_length);
	if (zy_write(request, "{\"key\":", 7) != 0 ||
	    json_write_string(request, shown, length) != 0)
		return -1;
	if (row == NULL)
		return zy_printf(request, ",\"error\":\"%s\"}\n",
				 wrong != NULL ? wrong : "no match");
	if (zy_write(request, ",\"row\":", 7) != 0 ||
	    json_write_object(request, table->names, row, table->columns) != 0)
		return -1;
	return zy_write(request, "}\n", 2);
}

static int
lines_finish(struct lines *lines, const struct table *table, struct zy_request *request)
{
	int overlong = lines->overlong;
	size_t length = lines->length;

	if (length > 0 && lines->key[length - 1] == '\r')
		length--;
	lines->number++;
	lines->length = 0;
	lines->overlong = 0;
	if (overlong || length > KEY_BYTES_MAX)
		return zy_printf(request, "{\"line\":%lu,\"error\":\"key too long\"}\n",
				 lines->number);
	return write_line_answer(table, request, lines->key, length);
}

static void
lines_append(struct lines *lines, const char *data, size_t length)
{
	if (lines->overlong || length > sizeof(lines->key) - lines->length) {
		lines->overlong = 1;
		return;
	}
	memcpy(lines->key + lines->length, data, length);
	lines->length += length;
}

/* Takes up the bytes of one read; each line that ends in them is answered. */
static int
lines_feed(struct lines *lines, const struct table *table, struct zy_request *request,
	   const char *data, size_t length)
{
	while (length > 0) {
		const char *end = memchr(data, '\n', length);
		size_t part = end != NULL ? (size_t)(end - data) : length;

		lines_append(lines, data, part);
		if (end == NULL)
			return 0;
		if (lines_finish(lines, table, request) != 0)
			return -1;
		data += part + 1;
		length -= part + 1;
	}
	return 0;
}

static int
handle_post(const struct table *table, struct zy_request *request)
{
	struct lines lines = { .length = 0 };
	char buffer[READ_BYTES];
	size_t got;

	zy_header_add(request, "content-type", "application/x-ndjson");
	while ((got = zy_read(request, buffer, sizeof(buffer))) > 0)
		if (lines_feed(&lines, table, request, buffer, got) != 0)
			return -1;
	if (lines.length > 0 || lines.overlong)
		return lines_finish(&lines, table, request);
	/*
	 * No keys are no lines, with status 200: without this an empty answer would become a 204.
	 */
	return lines.number > 0 ? 0 : zy_flush(request);
}

static int
refuse_method(struct zy_request *request, const char *allow)
{
	zy_header_add(request, "allow", allow);
	return answer_error(request, 405, "method not allowed", NULL, 0);
}

static int
table_handle(void *state, struct zy_request *request)
{
	const char *method = zy_field(request, ZY_METHOD);

	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return handle_get(state, request);
	if (zy_field(request, ZY_REST)[0] != '\0')
		return refuse_method(request, "GET, HEAD");
	/* The payload of a frame is keys as well, one a line. */
	if (strcmp(method, "POST") == 0 || strcmp(method, "FRAME") == 0)
		return handle_post(state, request);
	return refuse_method(request, "GET, HEAD, POST");
}

/* File-backed pages are not mapped by fork: a lookup of anything brings this code's in before the
 * request. */
static int
table_child_start(void *state)
{
	const struct table *table = state;

	(void)table_find(table, "0", 1);
	return 0;
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "table",
	.profile = "compute",
	.load = table_load,
	.child_start = table_child_start,
	.handle = table_handle,
};
