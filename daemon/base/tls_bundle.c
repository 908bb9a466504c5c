/*
 * Walking a bundle of certificates. Pure.
 *
 * Runs in: front.
 */
#include "base/tls_bundle.h"

#include <string.h>

bool
tls_bundle_next(const char *bundle, size_t size, size_t *cursor, struct tls_part *part_out,
		struct tls_text *text_out)
{
	const size_t left = size - *cursor;

	if (left < sizeof(*part_out))
		return false;
	memcpy(part_out, bundle + *cursor, sizeof(*part_out));
	if (part_out->bytes > left - sizeof(*part_out) ||
	    part_out->listener >= PROTO_LISTENERS_MAX || part_out->kind >= TLS_PART_MAX)
		return false;
	*text_out = (struct tls_text){ bundle + *cursor + sizeof(*part_out), part_out->bytes };
	*cursor += sizeof(*part_out) + part_out->bytes;
	return true;
}
