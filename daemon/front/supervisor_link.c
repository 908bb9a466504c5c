/*
 * Messages from and to the supervisor.
 *
 * Runs in: front. Trusts the supervisor. A message that cannot be sent because the channel is full
 * is dropped with a log line: the asker has a time-out, and the front never waits.
 */
#include "front/supervisor_link.h"

#include "base/log.h"
#include "base/msg.h"
#include "front/access_log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/generation.h"
#include "front/listener.h"
#include "front/memory_look.h"
#include "front/pool.h"
#include "front/scrape.h"
#include "front/route_stats.h"
#include "front/sample.h"
#include "front/reconfigure.h"
#include "front/source.h"
#include "front/tls.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void
send_message(const void *message)
{
	if (msg_send(FRONT_SUPERVISOR_FD, message, NULL, 0) < 0)
		log_event(LOG_WARNING, "message to the supervisor lost", "error=\"%s\"",
			  strerror(errno));
}

static void
send_cookie(enum msg_type type, uint64_t cookie)
{
	struct msg_cookie message = { .cookie = cookie };

	msg_init(&message, type);
	send_message(&message);
}

void
supervisor_link_send_generation(enum msg_type type, uint32_t pool, uint32_t generation)
{
	struct msg_generation message = { .pool = pool, .generation = generation };

	msg_init(&message, type);
	send_message(&message);
}

bool
supervisor_link_send_recycle(uint32_t pool, uint32_t generation, enum recycle_reason reason)
{
	struct msg_recycle message = { .pool = pool, .generation = generation, .reason = reason };

	msg_init(&message, MSG_RECYCLE_WANTED);
	return msg_send(FRONT_SUPERVISOR_FD, &message, NULL, 0) == 0;
}

bool
supervisor_link_ask_metrics(enum metrics_format format)
{
	struct msg_metrics message = { .format = format };

	msg_init(&message, MSG_METRICS_GET);
	return msg_send(FRONT_SUPERVISOR_FD, &message, NULL, 0) == 0;
}

void
supervisor_link_send_look(uint32_t pool, uint32_t generation)
{
	struct msg_generation message = { .pool = pool, .generation = generation };

	msg_init(&message, MSG_MEMORY_LOOK);
	if (msg_send(FRONT_SUPERVISOR_FD, &message, NULL, 0) < 0)
		log_event(LOG_DEBUG, "look at memory not asked for", "error=\"%s\"",
			  strerror(errno));
}

static void
send_listener(const struct listener_figures *figures, uint32_t index, uint64_t cookie)
{
	struct msg_stats_listener message = { .cookie = cookie,
					      .listener = index,
					      .accepted = figures->accepted,
					      .refused = figures->refused };

	memcpy(message.connections, figures->connections, sizeof(message.connections));
	msg_init(&message, MSG_STATS_LISTENER);
	send_message(&message);
}

static void
answer_stats(struct front *front, uint64_t cookie)
{
	struct msg_stats_end end = {
		.cookie = cookie,
		.connections = front->connections_count,
		.active = front->active_count,
		.accepted = front->accepted,
		.refused = front->refused,
		.requests = front->requests,
		.penalties = front->penalties->begun,
		.penalties_active = penalty_count(front->penalties, front_now_ns()),
		.scrapes = scrape_count(front),
		.log_lost = log_lost(),
		.access_lost = access_log_lost(front),
		.uptime_ms = (front_now_ns() - front->started_ns) / 1000000,
	};

	for (uint32_t i = 0; i < front->heritage->pools_count; i++) {
		struct msg_stats stats;
		struct msg_stats_times times;
		pool_stats(&front->pools[i], &stats);
		stats.cookie = cookie;
		send_message(&stats);
		pool_stats_times(&front->pools[i], &times);
		times.cookie = cookie;
		send_message(&times);
	}
	for (uint32_t i = 0; i < front->heritage->listeners_count; i++)
		send_listener(&front->figures[i], i, cookie);
	memcpy(end.outcomes, front->outcomes, sizeof(end.outcomes));
	handshake_stats(front, &end);
	msg_init(&end, MSG_STATS_END);
	send_message(&end);
}

static void
describe_child(const struct child *child, uint64_t now, struct msg_child *out)
{
	*out = (struct msg_child){
		.pid = child->pid,
		.state = child->state,
		.generation = child->generation->number,
		.slot = child->slot,
		.request = child->request,
		.age_us = (now - child->ordered_ns) / 1000,
		.run_us = child->request != 0 ? (now - child->taken_ns) / 1000 : 0,
	};
}

static void
answer_children(struct front *front, const struct msg_children_get *get)
{
	struct msg_children message = { .cookie = get->cookie, .pool = get->pool };
	const struct generation *generation;
	const uint64_t now = front_now_ns();

	msg_init(&message, MSG_CHILDREN);
	LIST_FOREACH (generation, &front->pools[get->pool].generations, link) {
		for (uint32_t slot = 0; slot < generation->slots; slot++) {
			if (generation->children[slot].state == CHILD_FREE)
				continue;
			describe_child(&generation->children[slot], now,
				       &message.children[message.count++]);
			if (message.count < PROTO_BATCH_MAX)
				continue;
			send_message(&message);
			message.count = 0;
		}
	}
	message.last = 1;
	send_message(&message);
}

static void
answer_penalties(struct front *front, uint64_t cookie)
{
	static struct penalty_entry list[PROTO_PENALTIES_MAX];
	struct msg_penalties message = { .cookie = cookie };
	const uint64_t now = front_now_ns();
	const unsigned count = penalty_list(front->penalties, now, list, PROTO_PENALTIES_MAX);

	msg_init(&message, MSG_PENALTIES);
	for (unsigned i = 0; i < count; i++) {
		source_describe(&list[i], now, &message.penalties[message.count++]);
		if (message.count < PROTO_BATCH_MAX)
			continue;
		send_message(&message);
		message.count = 0;
	}
	message.last = 1;
	send_message(&message);
}

static void
answer_routes(struct front *front, const struct msg_children_get *get)
{
	const struct pool *pool = &front->pools[get->pool];

	for (uint32_t i = 0; i < pool->config->routes_count; i++) {
		struct msg_route message = { .cookie = get->cookie,
					     .pool = get->pool,
					     .route = i,
					     .last = i + 1 == pool->config->routes_count };
		msg_init(&message, MSG_ROUTE);
		route_stats_report(&pool->routes[i], &message);
		send_message(&message);
	}
}

void
supervisor_link_check_drained(struct front *front)
{
	if (!front->draining || front->connections_count > 0)
		return;
	access_log_finish(front);
	send_cookie(MSG_DRAINED, front->drain_cookie);
	front->draining = false;
}

static void
drain(struct front *front, uint64_t cookie)
{
	front->draining = true;
	front->drain_cookie = cookie;
	listener_close_clients(front);
	connection_leave_all(front, NULL);
	supervisor_link_check_drained(front);
}

/* Certificates come along if any listener has some. */
static void
reconfigure(struct front *front, struct msg_buffer *buffer)
{
	const struct msg_reconfigure *message = (const void *)buffer->bytes;

	if (buffer->fds_count == 0)
		bug("reconfigure");
	reconfigure_apply(front, buffer->fds[0], message->bytes,
			  buffer->fds_count > 1 ? buffer->fds[1] : -1);
	buffer->fds_count = 0;
	send_cookie(MSG_RECONFIGURED, message->cookie);
}

static void
attach(struct front *front, struct msg_buffer *buffer)
{
	const struct msg_attach *message = (const void *)buffer->bytes;

	if (message->pool >= front->heritage->pools_count || buffer->fds_count == 0 ||
	    buffer->fds_count > PROTO_ZYGOTES_MAX)
		bug("attach");
	pool_attach(&front->pools[message->pool], message, buffer->fds, buffer->fds_count);
	buffer->fds_count = 0;
}

/* MSG_GO or MSG_DETACH. */
static void
on_generation(struct front *front, const struct msg_generation *message)
{
	if (message->pool >= front->heritage->pools_count)
		return;
	if (message->header.type == MSG_GO)
		pool_go(&front->pools[message->pool], message->generation);
	else
		pool_detach(&front->pools[message->pool], message->generation);
}

static void
take_listener(struct front *front, struct msg_buffer *buffer)
{
	const struct msg_listen *message = (const void *)buffer->bytes;

	if (buffer->fds_count != 1 || message->listener >= PROTO_LISTENERS_MAX)
		bug("listen");
	listener_take(front, message->listener, buffer->fds[0]);
	buffer->fds_count = 0;
}

/* Whether the message is a question. */
static bool
answer(struct front *front, const void *message)
{
	const struct msg_header *header = message;
	const struct msg_children_get *of_pool = message;
	const struct msg_cookie *of_front = message;

	switch (header->type) {
	case MSG_STATS_GET:
		answer_stats(front, of_front->cookie);
		return true;
	case MSG_PENALTIES_GET:
		answer_penalties(front, of_front->cookie);
		return true;
	case MSG_CHILDREN_GET:
		if (of_pool->pool < front->heritage->pools_count)
			answer_children(front, of_pool);
		return true;
	case MSG_ROUTES_GET:
		if (of_pool->pool < front->heritage->pools_count)
			answer_routes(front, of_pool);
		return true;
	default:
		return false;
	}
}

static void
dispatch(struct front *front, struct msg_buffer *buffer)
{
	const void *message = buffer->bytes;
	const struct msg_header *header = message;
	const struct msg_memory *memory = message;
	const struct msg_sample *sample = message;
	const struct msg_prefault *prefault = message;

	switch (header->type) {
	case MSG_ATTACH:
		attach(front, buffer);
		break;
	case MSG_GO:
	case MSG_DETACH:
		on_generation(front, message);
		break;
	case MSG_RECONFIGURE:
		reconfigure(front, buffer);
		break;
	case MSG_LISTEN:
		take_listener(front, buffer);
		break;
	case MSG_SAMPLED:
		if (sample->pool < front->heritage->pools_count)
			sample_on_sampled(front, sample);
		break;
	case MSG_PREFAULT:
		if (prefault->pool < front->heritage->pools_count)
			prefault_on_table(front, prefault);
		break;
	case MSG_MEMORY_OVER:
		if (memory->pool < front->heritage->pools_count)
			memory_look_on_over(front, memory);
		break;
	case MSG_METRICS:
		scrape_on_text(front, message, buffer->fds_count == 1 ? buffer->fds[0] : -1);
		buffer->fds_count = 0;
		break;
	case MSG_LOG_LEVEL:
		log_set_level(((const struct msg_log_level *)message)->level);
		break;
	case MSG_ACCESS_LOG:
		if (buffer->fds_count != 1)
			bug("access log");
		access_log_set_fd(front, buffer->fds[0]);
		buffer->fds_count = 0;
		break;
	case MSG_DRAIN:
		drain(front, ((const struct msg_cookie *)message)->cookie);
		break;
	default:
		if (answer(front, message))
			break;
		log_event(LOG_ERROR, "unexpected message", "type=%u", header->type);
		msg_close_fds(buffer);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct msg_buffer buffer;
	int got;

	(void)what;
	while ((got = msg_recv(fd, &buffer)) > 0)
		dispatch(argument, &buffer);
	if (got == 0 || errno != EAGAIN) {
		log_event(LOG_WARNING, "supervisor gone", "");
		access_log_finish(argument);
		_exit(1);
	}
}

void
supervisor_link_open(struct front *front)
{
	event_assign(&front->supervisor_event, front->base, FRONT_SUPERVISOR_FD,
		     EV_READ | EV_PERSIST, on_readable, front);
	event_add(&front->supervisor_event, NULL);
	send_cookie(MSG_FRONT_READY, 0);
}
