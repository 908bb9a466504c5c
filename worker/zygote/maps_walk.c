/*
 * Lines out of a file that is read piece by piece.
 *
 * Runs in: zygote, while it still has /proc open. Allocates nothing: the memory that it lists is about to move.
 */
#include "maps_walk.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct walk {
	void (*visit)(void *context, const struct maps_entry *entry);
	void *context;
	struct maps_entry entry;
	bool has_entry; /* its details are not all there yet */
};

static void
flush(struct walk *walk)
{
	if (walk->has_entry)
		walk->visit(walk->context, &walk->entry);
	walk->has_entry = false;
}

static int
take_line(struct walk *walk, const char *line)
{
	struct maps_entry entry = walk->entry;

	const enum maps_line kind = maps_parse_line(line, &entry);

	if (kind == MAPS_LINE_BAD || (kind == MAPS_LINE_DETAIL && !walk->has_entry)) {
		errno = EPROTO;
		return -1;
	}
	if (kind == MAPS_LINE_ENTRY) {
		flush(walk);
		walk->has_entry = true;
	}
	walk->entry = entry;
	return 0;
}

/* Takes all whole lines of `text`; returns the length of what is left at its start, -1 when one is bad. */
static ssize_t
take_lines(struct walk *walk, char *text, size_t length)
{
	char *line = text;
	char *end;

	while ((end = memchr(line, '\n', length)) != NULL) {
		*end = '\0';
		if (take_line(walk, line) < 0)
			return -1;
		length -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(text, line, length);
	return (ssize_t)length;
}

int
maps_walk(int fd, char *text, void (*visit)(void *context, const struct maps_entry *entry),
	  void *context)
{
	struct walk walk = { .visit = visit, .context = context };
	ssize_t length = 0, count;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	while ((count = read(fd, text + length, MAPS_TEXT_BYTES - (size_t)length)) > 0) {
		length = take_lines(&walk, text, (size_t)(length + count));
		if (length < 0)
			return -1;
		if (length == MAPS_TEXT_BYTES)
			break;
	}
	if (count < 0)
		return -1;
	if (length != 0) {
		errno = EPROTO;
		return -1;
	}
	flush(&walk);
	return 0;
}
