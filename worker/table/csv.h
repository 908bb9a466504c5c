/*
 * Reading comma- or tab-separated text by RFC 4180, strictly, from memory.
 *
 * A record ends in CRLF or LF; the last one may lack it. A field is either quoted as a whole (""
 * inside stands for one quote; separators and line ends are data there) or holds no quote at all. A
 * lone CR, a NUL, text after a closing quote and a quote that never closes are errors. A byte order
 * mark at the start is skipped. That all records have the same number of fields is the caller's to
 * check.
 */
#ifndef ZYGOTED_TABLE_CSV_H
#define ZYGOTED_TABLE_CSV_H

#include <stddef.h>

struct csv_reader {
	char *data; /* the caller's; quoted fields are unquoted in place */
	size_t length;
	size_t offset;
	char separator;
	unsigned line;	    /* where the field just returned, or the error, begins; from 1 */
	unsigned next_line; /* where reading stands */
	int in_record;	    /* a separator was read: one more field must follow */
	const char *error;  /* after CSV_BAD: a literal */
};

struct csv_field {
	const char *text; /* inside the reader's data; not terminated */
	size_t length;
};

enum csv_result {
	CSV_FIELD, /* a field, and another one follows in this record */
	CSV_LAST,  /* the last field of a record */
	CSV_END,   /* no record left */
	CSV_BAD	   /* reader->line and reader->error tell; do not go on */
};

void csv_init(struct csv_reader *reader, char *data, size_t length, char separator);

/* The next field. Pure apart from the reader and its data. */
enum csv_result csv_next(struct csv_reader *reader, struct csv_field *field_out)
	__attribute__((warn_unused_result));

#endif
