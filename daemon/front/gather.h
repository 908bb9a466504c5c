/*
 * Answers that have to be complete before their first byte leaves: of frames, whose length comes first,
 * and where a client could not see that an answer broke off.
 */
#ifndef ZYGOTED_FRONT_GATHER_H
#define ZYGOTED_FRONT_GATHER_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stddef.h>

struct connection;
struct exchange;

/* The exchange's answer is gathered from now on. Where its head may be put; NULL when out of memory. */
struct evbuffer *gather_begin(struct exchange *exchange);
/* What has been put there so far is the head: the rest is body. */
void gather_end_head(struct exchange *exchange);
/* Adds to the body. False when out of memory, or of what all gathered answers together may take. */
bool gather_add(struct exchange *exchange, const unsigned char *data, size_t length)
	__attribute__((warn_unused_result));

/* Bytes of the body. */
size_t gather_body_bytes(const struct exchange *exchange);
/* Moves the head to the connection's `out`, and then, in another call, the body. False when out of memory. */
bool gather_move_head(struct exchange *exchange) __attribute__((warn_unused_result));
bool gather_move_body(struct exchange *exchange) __attribute__((warn_unused_result));

/* Drops what has not been moved. */
void gather_drop(struct exchange *exchange);
/* Nothing of the answer is in memory any more. */
void gather_release(struct connection *connection);

#endif
