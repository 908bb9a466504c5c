/*
 * Zygotes and the fronts that come and go beside them: who has which channel, and what happens to
 * it in between.
 *
 * Runs in: supervisor. The rule: of each channel between a front and a zygote the supervisor keeps a
 * copy of the front's end for as long as the zygote lives; so the zygote sees no hang-up when a
 * front dies, and the next front in its place goes on with it.
 */
#include "supervisor/zygote_link.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/fronts.h"
#include "supervisor/prefault.h"
#include "supervisor/share.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_generation.h"
#include "supervisor/zygote_proc.h"

/* Unless the front has it, or is not ready. */
static void
attach_to(struct zygote_generation *generation, struct front_proc *front)
{
	const uint32_t bit = 1u << front->index;
	const uint32_t fronts = front->supervisor->config->fronts;
	struct msg_attach message = {
		.pool = generation->pool->index,
		.generation = generation->number,
		.max_children = share_of(generation->max_children, fronts, front->index),
		.is_held = generation->is_held,
	};

	if ((generation->given & bit) != 0 ||
	    !front_proc_attach(front, &message, generation->front_fds[front->index],
			       generation->zygotes))
		return;
	generation->given |= bit;
	prefault_tell_front(generation, front);
}

void
zygote_link_attach(struct zygote_generation *generation)
{
	const struct supervisor *supervisor = generation->pool->supervisor;

	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		attach_to(generation, front);
}

void
zygote_link_attach_all(struct front_proc *front)
{
	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(front->supervisor, pool)) != NULL;) {
		struct zygote_generation *standby =
			zygote_proc_find_state(pool, GENERATION_STANDBY);
		if (pool->serving != NULL)
			attach_to(pool->serving, front);
		if (standby != NULL)
			attach_to(standby, front);
	}
}

/*
 * Takes what the dead front has left unread, so that the zygote can send on, and tells the zygote
 * to kill that front's children. Epoch 0 is no front's. Should the message not fit, the next
 * front's reset does the same later.
 */
static void
reset(const struct zygote_generation *generation, int fd)
{
	struct msg_epoch message = { .epoch = 0 };
	struct msg_buffer buffer;

	for (int i = 0; i < 1024 && msg_recv(fd, &buffer) == 1; i++)
		msg_close_fds(&buffer);
	msg_init(&message, MSG_ORDER_RESET);
	if (msg_send(fd, &message, NULL, 0) < 0)
		log_event(LOG_DEBUG, "reset not sent", "pool=%s error=\"%s\"",
			  generation->pool->config->front.name, strerror(errno));
}

static void
forget_front(struct zygote_generation *generation, uint32_t front)
{
	if ((generation->given & 1u << front) == 0)
		return;
	generation->given &= ~(1u << front);
	generation->attached &= ~(1u << front);
	generation->held &= ~(1u << front);
	for (uint32_t i = 0; i < generation->zygotes; i++)
		reset(generation, generation->front_fds[front][i]);
}

void
zygote_link_on_front_lost(const struct front_proc *front)
{
	struct zygote_generation *generation;

	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(front->supervisor, pool)) != NULL;) {
		LIST_FOREACH (generation, &pool->generations, link)
			forget_front(generation, front->index);
		zygote_generation_on_front_lost(pool);
	}
}

/* Those that have it. Whether any could be told. */
static bool
tell_fronts(const struct zygote_generation *generation, enum msg_type type)
{
	const struct zygote_pool *pool = generation->pool;
	struct msg_generation message = { .pool = pool->index, .generation = generation->number };
	bool is_told = false;

	msg_init(&message, type);
	for (struct front_proc *front = NULL;
	     (front = fronts_next(pool->supervisor, front)) != NULL;)
		if ((generation->given & 1u << front->index) != 0)
			is_told |= front_proc_send(front, &message) == 0;
	return is_told;
}

bool
zygote_link_detach(const struct zygote_generation *generation)
{
	return tell_fronts(generation, MSG_DETACH);
}

/* One that cannot be told would keep it parked for ever. */
void
zygote_link_go(struct zygote_generation *generation)
{
	const struct zygote_pool *pool = generation->pool;
	struct msg_generation message = { .pool = pool->index, .generation = generation->number };

	msg_init(&message, MSG_GO);
	for (struct front_proc *front = NULL;
	     (front = fronts_next(pool->supervisor, front)) != NULL;)
		if ((generation->given & 1u << front->index) != 0)
			front_proc_send_or_kill(front, &message);
}

void
zygote_link_on_held(const struct front_proc *front, const struct msg_generation *message)
{
	const struct supervisor *supervisor = front->supervisor;

	if (message->pool < supervisor->config->pools_count)
		zygote_generation_on_held(&supervisor->pools[message->pool], message->generation,
					  front->index);
}

void
zygote_link_on_attached(const struct front_proc *front, const struct msg_generation *message)
{
	const struct supervisor *supervisor = front->supervisor;

	if (message->pool >= supervisor->config->pools_count)
		return;
	log_event(LOG_DEBUG, "pool attached", "pool=%s generation=%u front=%u",
		  supervisor->config->pools[message->pool].front.name, message->generation,
		  front->index + 1);
	zygote_generation_on_attached(&supervisor->pools[message->pool], message->generation,
				      front->index);
}

void
zygote_link_on_detached(const struct front_proc *front, const struct msg_generation *message)
{
	const struct supervisor *supervisor = front->supervisor;

	if (message->pool < supervisor->config->pools_count)
		zygote_generation_on_detached(&supervisor->pools[message->pool],
					      message->generation, front->index);
}

/*
 * The first zygote of a generation is asked on its own channel. The others read none from here, but those of fronts: any that has
 * room will do.
 */
static bool
ask_health(struct zygote_generation *generation, uint32_t zygote, const void *message)
{
	const uint32_t fronts = generation->pool->supervisor->config->fronts;

	if (zygote == 0)
		return channel_send(&generation->channel, message, NULL, 0) == 0;
	for (uint32_t i = 0; i < fronts; i++)
		if (msg_send(generation->front_fds[i][zygote], message, NULL, 0) == 0)
			return true;
	return false;
}

void
zygote_link_ask_health(struct supervisor *supervisor, uint64_t round)
{
	struct msg_cookie message = { .cookie = round };

	msg_init(&message, MSG_HEALTH);
	for (const struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		for (uint32_t i = 0; pool->serving != NULL && i < pool->serving->zygotes; i++)
			if (!ask_health(pool->serving, i, &message))
				log_event(LOG_DEBUG, "health not asked for",
					  "pool=%s zygote=%u error=\"%s\"",
					  pool->config->front.name, i + 1, strerror(errno));
}

void
zygote_link_send_log_level(struct supervisor *supervisor, uint32_t level)
{
	struct msg_log_level message = { .level = level };
	struct zygote_generation *generation;

	msg_init(&message, MSG_LOG_LEVEL);
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		LIST_FOREACH (generation, &pool->generations, link)
			if (channel_send(&generation->channel, &message, NULL, 0) < 0)
				log_event(LOG_DEBUG, "log level not sent", "pool=%s error=\"%s\"",
					  pool->config->front.name, strerror(errno));
}
