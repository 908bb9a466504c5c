/*
 * Incremental parser of what a child sends: frames of base/proto.h, read as hostile input. Pure;
 * nothing is copied.
 */
#ifndef ZYGOTED_FRONT_REPLY_PARSE_H
#define ZYGOTED_FRONT_REPLY_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reply_kind {
	REPLY_MORE,  /* nothing to tell: bring more bytes */
	REPLY_HEAD,  /* status, content_length, headers */
	REPLY_BODY,  /* offset and length: body bytes, at least one, maybe only a part of a frame */
	REPLY_END,   /* the answer is complete */
	REPLY_ERROR, /* offset and length: the worker's own words, maybe none; nothing follows */
	REPLY_BAD,   /* reason: the child is not to be believed any further */
};

struct reply_event {
	unsigned status;
	unsigned headers;
	uint64_t content_length; /* UINT64_MAX: not known beforehand */
	size_t offset;		 /* within the data of this call; of HEAD: the headers */
	size_t length;
	bool after_head; /* of ERROR and BAD: the head was told before, so the answer breaks off */
	const char *reason; /* a short literal */
};

struct reply_parser {
	uint32_t state;
	uint32_t frame_left; /* of the body frame that is under way */
	uint64_t body_left;  /* of the promised length; UINT64_MAX and less without one */
	bool is_head;  /* set after init: the answer to HEAD, whose promised body need not come */
	bool promised; /* the head promised a length */
	bool has_body; /* the status allows one */
	bool head_told;
	bool trailing;	    /* bytes came after the end: *consumed_out stays before them */
	const char *reason; /* of REPLY_BAD */
};

/* One header of an event. Both strings are NUL-terminated and hold no other NUL. */
struct reply_header {
	const char *name;
	const char *value;
	uint32_t name_length;
	uint32_t value_length;
};

void reply_parser_init(struct reply_parser *parser);

/*
 * Reads from `data` up to the next event. The caller drops *consumed_out bytes once it has dealt
 * with the event, and calls again with the rest, until REPLY_MORE. Bytes that are not consumed must
 * be there again, in one piece with what follows: a head or an error text is told only when all of
 * it is there. So up to FRAME_HEAD_MAX + 8 bytes may have to be kept; a longer one is BAD at once.
 * END and ERROR are BAD instead when bytes follow in the same call, or in a later one. BAD is
 * final.
 */
enum reply_kind reply_parser_feed(struct reply_parser *parser, const uint8_t *data, size_t length,
				  size_t *consumed_out, struct reply_event *event_out)
	__attribute__((warn_unused_result));

/*
 * Walks the headers of a HEAD event; they have all been checked. *cursor is 0 at first. False at
 * the end. `data` is that of the call that gave the event, not drained yet.
 */
bool reply_header_next(const uint8_t *data, const struct reply_event *event, size_t *cursor,
		       struct reply_header *header_out);

#endif
