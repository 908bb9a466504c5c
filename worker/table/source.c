/*
 * One of a table's files: reading it, and saying what is wrong with it.
 *
 * Runs in: the zygote, at load. The path is the operator's, the contents may be anything. Reads the
 * file instead of mapping it, so that a file cut short meanwhile is an error message and no SIGBUS.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
source_error(const struct source *source, unsigned line, const char *what)
{
	return zy_load_error(source->load, "%s:%u: %s", source->file, line, what);
}

static int
source_read(struct source *source, int fd, size_t size)
{
	source->data = malloc(size + 1);
	if (source->data == NULL)
		return -1;
	while (source->length < size) {
		ssize_t got = read(fd, source->data + source->length, size - source->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break; /* it shrank since fstat */
		source->length += (size_t)got;
	}
	return 0;
}

int
source_open(struct source *source, char separator)
{
	int fd = open(source->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	int result;

	if (fd < 0)
		return zy_load_error(source->load, "cannot open %s: %s", source->file,
				     strerror(errno));
	result = fstat(fd, &status);
	if (result == 0 && !S_ISREG(status.st_mode)) {
		close(fd);
		return zy_load_error(source->load, "%s is not a regular file", source->file);
	}
	if (result == 0)
		result = source_read(source, fd, (size_t)status.st_size);
	if (result != 0)
		zy_load_error(source->load, "cannot read %s: %s", source->file, strerror(errno));
	close(fd);
	csv_init(&source->reader, source->data, source->length, separator);
	return result;
}

void
source_close(struct source *source)
{
	free(source->data);
	source->data = NULL;
}

int
source_record(struct source *source, struct csv_field *fields, unsigned *line_out)
{
	enum csv_result result;
	int count = 0;

	do {
		if (count == SOURCE_COLUMNS_MAX)
			return source_error(source, *line_out, "too many columns");
		result = csv_next(&source->reader, &fields[count]);
		if (result == CSV_BAD)
			return source_error(source, source->reader.line, source->reader.error);
		if (result == CSV_END)
			return 0;
		if (count++ == 0)
			*line_out = source->reader.line;
	} while (result == CSV_FIELD);
	return count;
}
