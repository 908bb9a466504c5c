/*
 * A file of a table while it is being loaded. Zygote only.
 */
#ifndef ZYGOTED_TABLE_SOURCE_H
#define ZYGOTED_TABLE_SOURCE_H

#include "csv.h"
#include "worker.h"

#include <stddef.h>

#define SOURCE_COLUMNS_MAX 256

struct source {
	const struct zy_load *load;
	const char *file;
	struct csv_reader reader;
	char *data; /* the whole file; fields point into it */
	size_t length;
};

/* Reports "FILE:LINE: what". Returns -1, to be passed on. */
int source_error(const struct source *source, unsigned line, const char *what);

/* Reads the file into memory. 0, or -1 after an error message. source_close in either case. */
int source_open(struct source *source, char separator) __attribute__((warn_unused_result));
void source_close(struct source *source);

/*
 * Reads one record into `fields` (SOURCE_COLUMNS_MAX of them). Their number and the line on which
 * it begins; 0 at the end of the file; -1 after an error message.
 */
int source_record(struct source *source, struct csv_field *fields, unsigned *line_out);

#endif
