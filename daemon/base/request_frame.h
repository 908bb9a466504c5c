/*
 * Writing FRAME_REQUEST, the canonical form in which a child gets a request head. Pure.
 */
#ifndef ZYGOTED_BASE_REQUEST_FRAME_H
#define ZYGOTED_BASE_REQUEST_FRAME_H

#include "base/proto.h"

#include <stdbool.h>
#include <stddef.h>

/* Fills a caller's buffer; `failed` stays set once something did not fit. */
struct request_frame {
	unsigned char *data;
	size_t size;
	size_t length;
	bool failed;
	uint16_t fields;
	uint16_t headers;
};

/* Starts a frame in `data`, `size` bytes. */
void request_frame_begin(struct request_frame *frame, void *data, size_t size);
/* The fields in the order of enum zy_field, then the headers, whose names become lower case. */
void request_frame_add_field(struct request_frame *frame, const char *text, size_t length);
void request_frame_add_header(struct request_frame *frame, const char *name, size_t name_length,
			      const char *value, size_t value_length);
/* Writes the fixed part. Bytes of the whole frame, 0 if it did not fit. */
size_t request_frame_end(struct request_frame *frame, const struct frame_request *fixed)
	__attribute__((warn_unused_result));

#endif
