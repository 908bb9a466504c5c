/*
 * What a reload has to do: the configuration in effect beside the one that was read. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_RELOAD_PLAN_H
#define ZYGOTED_SUPERVISOR_RELOAD_PLAN_H

#include "supervisor/config.h"
#include "supervisor/zygote_proc.h"

#define RELOAD_ERROR_MAX (HERITAGE_PATH_MAX + 640)

enum pool_change {
	POOL_SAME,
	POOL_SETTINGS,	 /* limits of the front's: they count for new requests */
	POOL_GENERATION, /* the zygote has to be loaded anew */
	POOL_ADDED,
	POOL_TAKEN_AWAY,
	POOL_CHANGE_MAX
};

struct reload_plan {
	enum pool_change pools[PROTO_POOLS_MAX];
	bool opens
		[PROTO_LISTENERS_MAX]; /* a socket is needed: a new listener, or another address */
	bool closes[PROTO_LISTENERS_MAX]; /* the socket that is there is not */
	int socket_of
		[PROTO_LISTENERS_MAX]; /* of `opens`: the place whose socket has that address; -1 */
};

/*
 * Puts what was read into the places that pools and listeners have now, or into free ones, and says what differs. The
 * new configuration, the caller's; in it removed pools keep their place. NULL after writing what cannot be done.
 */
struct config *reload_plan_make(const struct config *now, const struct config *read,
				const enum pool_phase phases[PROTO_POOLS_MAX],
				struct reload_plan *plan_out, char error[RELOAD_ERROR_MAX]);

/* "settings", "generation", "added", "removed"; "" for none. */
const char *reload_plan_change_name(enum pool_change change);

#endif
