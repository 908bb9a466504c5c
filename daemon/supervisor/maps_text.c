/*
 * Parser of lines such as
 *
 *	55d0c0a0b000-55d0c0a0d000 r--p 00000000 fe:00 1573 /usr/libexec/zygoted/zygoted-zygote
 *
 * Runs in: supervisor. Pure. The kernel wrote the text, but paths in it are anybody's: only their
 * printable part goes on.
 */
#include "supervisor/maps_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_PATH "/memfd:zygoted-image"
/* Variables of libraries, and what came on the first stack: worker/zygote/aside.c. */
#define ASIDE_PATH "/memfd:zygoted-aside"
#define ASIDE_NAME "aside"

/* A .bss has less, mostly; what is mapped right behind one is one mapping with it, and then it is more that than this. */
#define DATA_MAX_BYTES (1u << 20)

void
mappings_free(struct mappings *mappings)
{
	free(mappings->list);
	*mappings = (struct mappings){ 0 };
}

static enum mapping_kind
kind_of(const char *path, size_t length)
{
	static const struct {
		const char *path;
		enum mapping_kind kind;
	} known[] = {
		{ "[heap]", MAPPING_HEAP },	{ "[stack]", MAPPING_STACK },
		{ "[anon", MAPPING_ANONYMOUS }, /* PR_SET_VMA_ANON_NAME */
		{ "[", MAPPING_KERNEL },	{ IMAGE_PATH, MAPPING_IMAGE },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(path, known[i].path, strlen(known[i].path)) == 0)
			return known[i].kind;
	return length > 0 ? MAPPING_FILE : MAPPING_ANONYMOUS;
}

static void
take_name(struct mapping *mapping, const char *path, size_t length)
{
	const char *slash = memrchr(path, '/', length);

	if (slash != NULL) {
		length -= (size_t)(slash + 1 - path);
		path = slash + 1;
	}
	if (length >= sizeof(mapping->name))
		length = sizeof(mapping->name) - 1;
	for (size_t i = 0; i < length; i++)
		mapping->name[i] = (char)(path[i] > ' ' && path[i] < 0x7f ? path[i] : '?');
	mapping->name[length] = '\0';
}

/* Skips one word and the blanks behind it. */
static const char *
skip_word(const char *at, const char *end)
{
	while (at < end && *at != ' ')
		at++;
	while (at < end && *at == ' ')
		at++;
	return at;
}

static int
parse_line(const char *line, const char *end, struct mapping *out)
{
	char *at;

	*out = (struct mapping){ .start = strtoull(line, &at, 16) };
	if (at == line || *at != '-')
		return -1;
	line = at + 1;
	out->end = strtoull(line, &at, 16);
	if (at == line || *at != ' ' || end - at < 6 || out->end <= out->start ||
	    memchr(at + 1, '\0', 5) != NULL || at[5] != ' ')
		return -1;
	out->readable = at[1] == 'r';
	out->writable = at[2] == 'w';
	out->executable = at[3] == 'x';
	out->is_shared = at[4] == 's';
	line = at + 6; /* offset, device, inode */
	for (int i = 0; i < 3; i++)
		line = skip_word(line, end);
	out->kind = kind_of(line, (size_t)(end - line));
	if (strncmp(line, ASIDE_PATH, strlen(ASIDE_PATH)) == 0)
		take_name(out, ASIDE_NAME, strlen(ASIDE_NAME));
	else if (out->kind == MAPPING_FILE)
		take_name(out, line, (size_t)(end - line));
	return 0;
}

/* What follows a file's writable data without a gap is the rest of its data segment. */
static void
join_data(struct mapping *mapping, const struct mapping *before)
{
	if (mapping->kind != MAPPING_ANONYMOUS || before->end != mapping->start ||
	    !before->writable || mapping->end - mapping->start >= DATA_MAX_BYTES ||
	    (before->kind != MAPPING_FILE && before->kind != MAPPING_DATA))
		return;
	mapping->kind = MAPPING_DATA;
	memcpy(mapping->name, before->name, sizeof(mapping->name));
}

static size_t
count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

int
mappings_parse(const char *text, struct mappings *out)
{
	const size_t lines = count_lines(text);
	const char *end;

	*out = (struct mappings){ 0 };
	out->list = calloc(lines + 1, sizeof(*out->list));
	if (out->list == NULL)
		return -1;
	for (; *text != '\0'; text = end + 1) {
		struct mapping *mapping = &out->list[out->count];
		const struct mapping *before = out->count > 0 ? mapping - 1 : NULL;
		end = strchr(text, '\n');
		if (end == NULL || parse_line(text, end, mapping) < 0 ||
		    (before != NULL && before->end > mapping->start)) {
			mappings_free(out);
			errno = EPROTO;
			return -1;
		}
		if (before != NULL)
			join_data(mapping, before);
		out->count++;
	}
	return 0;
}
