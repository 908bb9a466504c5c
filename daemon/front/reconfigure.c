/*
 * A new configuration, applied between two events: no request sees half of it.
 *
 * Runs in: front. Trusts the supervisor. The rule: the heritage is written over in place, because
 * pools and listeners keep their places and all pointers into it stay good; a request that has
 * begun goes on with what it has copied.
 */
#include "front/reconfigure.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/listener.h"
#include "front/penalty.h"
#include "front/pool.h"
#include "front/room.h"
#include "front/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct heritage_front *
read_heritage(int fd, uint32_t bytes)
{
	struct heritage_front *heritage = malloc(sizeof(*heritage));

	if (heritage == NULL || bytes != sizeof(*heritage) ||
	    heritage_pread(fd, heritage, sizeof(*heritage)) < 0 ||
	    heritage->magic != HERITAGE_MAGIC || heritage->size != sizeof(*heritage)) {
		free(heritage);
		heritage = NULL;
	}
	close(fd);
	return heritage;
}

/*
 * Whether who came by the one must not come by the other: it has taken a free place, or listens elsewhere for the frames
 * of another pool. Paths of HTTP go to the same pools whatever the address.
 */
static bool
is_another(const struct heritage_listener *now, const struct heritage_listener *next)
{
	if (next->name[0] == '\0')
		return false;
	if (strcmp(now->name, next->name) != 0)
		return true;
	return next->protocol == PROTOCOL_FRAME && strcmp(now->address, next->address) != 0 &&
	       strcmp(now->pool, next->pool) != 0;
}

/* While the heritage is what it was: those that wait at a socket get in as what they came for. */
static void
remove_listeners(struct front *front, const struct heritage_front *next)
{
	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++) {
		const struct heritage_listener *now = &front->heritage->listeners[i];
		const bool cuts = is_another(now, &next->listeners[i]);
		if (cuts || strcmp(now->name, next->listeners[i].name) != 0)
			listener_remove(front, i);
		if (cuts)
			connection_cut_all(front, now);
	}
}

static void
configure_pools(struct front *front, const bool is_new[PROTO_POOLS_MAX])
{
	for (uint32_t i = 0; i < PROTO_POOLS_MAX; i++)
		if (front->heritage->pools[i].name[0] != '\0')
			pool_configure(&front->pools[i], is_new[i]);
}

void
reconfigure_apply(struct front *front, int fd, uint32_t bytes, int tls_fd)
{
	struct heritage_front *next = read_heritage(fd, bytes);
	bool is_new[PROTO_POOLS_MAX];
	char error[PROTO_TEXT_MAX];

	if (next == NULL)
		die("the new configuration cannot be read: %s", strerror(errno));
	remove_listeners(front, next);
	for (uint32_t i = 0; i < PROTO_POOLS_MAX; i++)
		is_new[i] = strcmp(front->heritage->pools[i].name, next->pools[i].name) != 0;
	next->epoch = front->heritage->epoch;
	*front->heritage = *next;
	free(next);
	front_change_timeouts(front);
	room_configure(front);
	front->penalties->threshold = front->heritage->penalty;
	if (tls_fd >= 0 &&
	    !tls_replace(front, tls_fd, front->heritage->tls_bytes, error, sizeof(error)))
		die("certificates that the supervisor took are refused: %s", error);
	configure_pools(front, is_new);
	listener_resume(front); /* connections may have been raised */
}
