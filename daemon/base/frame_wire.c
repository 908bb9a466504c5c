/*
 * Heads of frames.
 *
 * Runs in: front, zygotectl. Pure. No head is wrong in itself: any four bytes are a length. Whether it is
 * too large is for who knows the limits.
 */
#include "base/frame_wire.h"

static const char *const names[] = {
#define X(symbol, name, text) [FRAME_STATUS_##symbol] = (name),
	FRAME_STATUSES(X)
#undef X
};

_Static_assert(FRAME_STATUS_BAD_REQUEST == 6, "clients know the numbers");

const char *
frame_wire_status_name(unsigned status)
{
	return status < FRAME_STATUS_MAX ? names[status] : "?";
}

static void
put_length(uint32_t length, uint8_t *out)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(length >> (24 - 8 * i));
}

static uint32_t
get_length(const uint8_t *data)
{
	uint32_t length = 0;

	for (int i = 0; i < 4; i++)
		length = length << 8 | data[i];
	return length;
}

void
frame_wire_put_request(uint32_t payload_bytes, uint8_t head_out[FRAME_WIRE_REQUEST_HEAD])
{
	put_length(payload_bytes, head_out);
}

void
frame_wire_put_reply(enum frame_status status, uint32_t payload_bytes,
		     uint8_t head_out[FRAME_WIRE_REPLY_HEAD])
{
	head_out[0] = (uint8_t)status;
	put_length(payload_bytes, head_out + 1);
}

bool
frame_wire_get_request(const uint8_t *data, size_t length, uint32_t *payload_bytes_out)
{
	if (length < FRAME_WIRE_REQUEST_HEAD)
		return false;
	*payload_bytes_out = get_length(data);
	return true;
}

bool
frame_wire_get_reply(const uint8_t *data, size_t length, unsigned *status_out,
		     uint32_t *payload_bytes_out)
{
	if (length < FRAME_WIRE_REPLY_HEAD)
		return false;
	*status_out = data[0];
	*payload_bytes_out = get_length(data + 1);
	return true;
}
