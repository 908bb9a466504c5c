/* Frames: any bytes as a stream of requests and as one of replies; the same heads for one piece and for single bytes. */
/* LINK: daemon/base/frame_wire.c daemon/front/frame_reply.c daemon/base/proto.c */
#include "base/frame_wire.h"
#include "front/frame_reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* A copy of exactly that size, so that a byte too many is seen. */
static uint8_t *
copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	require(copy != NULL);
	memcpy(copy + 1, data, size);
	return copy;
}

/* Bytes of the request's head and payload, as far as they are there; 0: the head is not complete. */
static size_t
read_request(const uint8_t *data, size_t size)
{
	uint8_t again[FRAME_WIRE_REQUEST_HEAD];
	uint32_t length = 0;
	bool whole = false;

	for (size_t had = 0; had <= size && !whole; had++) {
		uint8_t *copy = copy_of(data, had);
		whole = frame_wire_get_request(copy + 1, had, &length);
		free(copy);
		require(whole == (had >= FRAME_WIRE_REQUEST_HEAD));
	}
	if (!whole)
		return 0;
	frame_wire_put_request(length, again);
	require(memcmp(again, data, sizeof(again)) == 0);
	const size_t left = size - sizeof(again);
	return sizeof(again) + (length < left ? length : left);
}

static size_t
read_reply(const uint8_t *data, size_t size)
{
	uint8_t again[FRAME_WIRE_REPLY_HEAD];
	uint32_t length = 0;
	unsigned status = 0;
	/* More than the head is not looked at; a copy of all would make long inputs slow. */
	const size_t had = size < 2 * sizeof(again) ? size : 2 * sizeof(again);
	uint8_t *copy = copy_of(data, had);
	const bool whole = frame_wire_get_reply(copy + 1, had, &status, &length);

	free(copy);
	require(whole == (size >= FRAME_WIRE_REPLY_HEAD));
	if (!whole)
		return 0;
	require(strlen(frame_wire_status_name(status)) > 0);
	frame_wire_put_reply((enum frame_status)status, length, again);
	require(memcmp(again, data, sizeof(again)) == 0);
	const size_t left = size - sizeof(again);
	return sizeof(again) + (length < left ? length : left);
}

/* Two bytes as what a request may end with. */
static void
choose_status(uint8_t high, uint8_t low)
{
	const unsigned status = 200 + (high << 8 | low) % 400;
	const enum outcome outcome = (enum outcome)(low % OUTCOME_MAX);

	require(frame_reply_of_status(status) < FRAME_STATUS_MAX);
	require((frame_reply_of_status(status) == FRAME_STATUS_OK) == (status < 400));
	require((frame_reply_of_outcome(outcome) == FRAME_STATUS_OK) == (outcome == OUTCOME_OK));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used;

	for (size_t at = 0; (used = read_request(data + at, size - at)) > 0;)
		at += used;
	for (size_t at = 0; (used = read_reply(data + at, size - at)) > 0;)
		at += used;
	if (size >= 2)
		choose_status(data[0], data[1]);
	return 0;
}
