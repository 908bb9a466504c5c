/*
 * Zygotes and the fronts that come and go beside them: who has which channel, and what happens to
 * it in between.
 *
 * Runs in: supervisor. The rule: of each generation's front channel the supervisor keeps a copy of
 * the front's end for as long as the zygote lives; so the zygote sees no hang-up when a front dies,
 * and the next front goes on with it.
 */
#include "supervisor/zygote_link.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_generation.h"
#include "supervisor/zygote_proc.h"

void
zygote_link_attach(struct zygote_generation *generation)
{
	const struct zygote_pool *pool = generation->pool;

	if (!generation->attached)
		generation->attached = front_proc_attach(pool->supervisor->front, pool->index,
							 generation->number, generation->front_fd);
}

void
zygote_link_attach_all(struct supervisor *supervisor)
{
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		if (pool->serving != NULL)
			zygote_link_attach(pool->serving);
}

/*
 * Takes what the dead front has left unread, so that the zygote can send on, and tells the zygote
 * to kill that front's children. Epoch 0 is no front's. Should the message not fit, the next
 * front's reset does the same later.
 */
static void
reset(struct zygote_generation *generation)
{
	struct msg_epoch message = { .epoch = 0 };
	struct msg_buffer buffer;

	generation->attached = false;
	for (int i = 0; i < 1024 && msg_recv(generation->front_fd, &buffer) == 1; i++)
		msg_close_fds(&buffer);
	msg_init(&message, MSG_ORDER_RESET);
	if (msg_send(generation->front_fd, &message, NULL, 0) < 0)
		log_event(LOG_DEBUG, "reset not sent", "pool=%s error=\"%s\"",
			  generation->pool->config->front.name, strerror(errno));
}

void
zygote_link_on_front_lost(struct supervisor *supervisor)
{
	struct zygote_generation *generation;

	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		zygote_generation_on_front_lost(pool);
		LIST_FOREACH (generation, &pool->generations, link)
			if (generation->attached)
				reset(generation);
	}
}

bool
zygote_link_detach(const struct zygote_generation *generation)
{
	const struct zygote_pool *pool = generation->pool;
	struct msg_generation message = { .pool = pool->index, .generation = generation->number };

	msg_init(&message, MSG_DETACH);
	return front_proc_send(pool->supervisor->front, &message) == 0;
}

void
zygote_link_on_attached(struct supervisor *supervisor, const struct msg_generation *message)
{
	if (message->pool >= supervisor->config->pools_count)
		return;
	log_event(LOG_DEBUG, "pool attached", "pool=%s generation=%u",
		  supervisor->config->pools[message->pool].front.name, message->generation);
	zygote_generation_on_attached(&supervisor->pools[message->pool], message->generation);
}

void
zygote_link_on_detached(struct supervisor *supervisor, const struct msg_generation *message)
{
	if (message->pool < supervisor->config->pools_count)
		zygote_generation_on_detached(&supervisor->pools[message->pool],
					      message->generation);
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
