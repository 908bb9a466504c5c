/*
 * text: answers every GET with one fixed page. A first worker to read: load() takes the page once,
 * in the zygote; handle() runs in a process of its own for each request and finds the page already
 * there.
 *
 * Runs in: zygote (load), child (handle).
 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	const char *type;
	const char *text;
	size_t length;
};

/* Reads the whole file; load() runs before the sandbox is up. The memory is kept for good: every
 * child shares it. */
static int
read_file(const struct zy_load *load, const char *path, struct page *page)
{
	FILE *file = fopen(path, "re");
	long length;

	if (file == NULL)
		return zy_load_error(load, "option \"file\": %s: %s", path, strerror(errno));
	if (fseek(file, 0, SEEK_END) < 0 || (length = ftell(file)) < 0) {
		fclose(file);
		return zy_load_error(load, "option \"file\": %s: %s", path, strerror(errno));
	}
	rewind(file);
	char *text = malloc((size_t)length + 1);
	page->length = text != NULL ? fread(text, 1, (size_t)length, file) : 0;
	fclose(file);
	if (text == NULL || page->length != (size_t)length)
		return zy_load_error(load, "option \"file\": %s cannot be read", path);
	page->text = text;
	return 0;
}

static int
load_page(const struct zy_load *load, void **state_out)
{
	static const char *const known[] = { "text", "file", "type", NULL };
	static struct page page;
	const char *text = zy_option(load, "text", 0);
	const char *file = zy_option(load, "file", 0);
	const char *type = zy_option(load, "type", 0);

	if (zy_options_check(load, known) < 0)
		return -1;
	if ((text == NULL) == (file == NULL))
		return zy_load_error(
			load, "give the page either as option \"text\" or as option \"file\"");
	page = (struct page){ type != NULL ? type : "text/plain; charset=utf-8", text, 0 };
	if (text != NULL)
		page.length = strlen(text);
	else if (read_file(load, file, &page) < 0)
		return -1;
	*state_out = &page;
	return 0;
}

static int
handle(void *state, struct zy_request *request)
{
	const struct page *page = state;
	const char *method = zy_field(request, ZY_METHOD);

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		if (zy_status(request, 405) < 0 || zy_header_add(request, "Allow", "GET, HEAD") < 0)
			return -1;
		return 0;
	}
	if (zy_status(request, 200) < 0 || zy_header_add(request, "Content-Type", page->type) < 0)
		return -1;
	return zy_write(request, page->text, page->length);
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "text",
	.profile = "compute",
	.load = load_page,
	.handle = handle,
};
