/*
 * The protocols that listeners can speak.
 *
 * Runs in: front.
 */
#include "front/protocol_ops.h"

#include "base/log.h"

const struct protocol_ops *
protocol_ops_of(enum protocol protocol)
{
	static const struct protocol_ops *const all[] = {
		[PROTOCOL_HTTP] = &protocol_http,
		[PROTOCOL_METRICS] = &protocol_metrics,
		[PROTOCOL_FRAME] = &protocol_frame,
	};
	_Static_assert(sizeof(all) / sizeof(all[0]) == PROTOCOL_MAX, "protocols");

	if ((unsigned)protocol >= PROTOCOL_MAX)
		bug("unknown protocol");
	return all[protocol];
}
