/*
 * The service manager's side of the daemon: sd_notify(3) by hand, because the protocol is one
 * datagram and a library would be one more thing in the process that is root.
 *
 * Runs in: supervisor. Signs of life are those of the daemon, not of this process: a round of
 * questions goes to each front and to each zygote that serves, and only a round that all of them
 * have answered in time is told as WATCHDOG=1. So if a front is stopped or spins it is restarted
 * with the daemon, although the supervisor is well.
 */
#include "supervisor/service_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_ask.h"
#include "supervisor/fronts.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_link.h"
#include "supervisor/zygote_proc.h"

#define STATUS_MS   5000 /* between two rounds without a watchdog */
#define ROUNDS_EACH 3	 /* rounds in an interval of the watchdog: one may be late or lost */
#define MESSAGE_MAX 512

struct service_manager {
	struct supervisor *supervisor;
	int fd; /* -1: nobody listens */
	bool is_ready;
	bool has_watchdog;
	bool fronts_answered; /* in this round, all that run */
	bool round_said;
	uint64_t round;
	uint32_t period_ms;
	struct event *timer;
	char status[MESSAGE_MAX]; /* as told last */
};

/* ---- the protocol ---- */

/* systemd names a path, or an abstract address by a leading '@': sd_notify(3). */
static int
open_socket(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t length = strlen(name);
	int fd;

	if ((name[0] != '/' && name[0] != '@') || length >= sizeof(address.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == 0)
		return fd;
	const int saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

/* Never waits: what a manager that is busy does not take is said again or out of date soon. */
static __attribute__((format(printf, 2, 3))) bool
tell(const struct service_manager *manager, const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list arguments;

	if (manager->fd < 0)
		return true;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (send(manager->fd, text, strlen(text), MSG_NOSIGNAL) >= 0)
		return true;
	log_event(LOG_WARNING, "service manager not told", "error=\"%s\"", strerror(errno));
	return false;
}

/* ---- a round ---- */

static bool
has_answered(const struct zygote_pool *pool, uint64_t round)
{
	for (uint32_t i = 0; pool->serving != NULL && i < pool->serving->zygotes; i++)
		if (pool->serving->healthy_rounds[i] != round)
			return false;
	return true;
}

/* Parts that are down are not asked: the supervisor restarts them itself. */
static void
check_round(struct service_manager *manager)
{
	const struct supervisor *supervisor = manager->supervisor;

	if (manager->round_said || !manager->has_watchdog || !manager->fronts_answered)
		return;
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		if (!has_answered(pool, manager->round))
			return;
	manager->round_said = tell(manager, "WATCHDOG=1");
}

void
service_manager_on_healthy(struct zygote_generation *generation, const struct msg_healthy *message)
{
	struct service_manager *manager = generation->pool->supervisor->service;

	if (message->zygote >= generation->zygotes)
		return;
	generation->healthy_rounds[message->zygote] = message->cookie;
	if (message->cookie == manager->round)
		check_round(manager);
}

/* ---- the line that `systemctl status` shows ---- */

static void
format_status(const struct service_manager *manager, const struct front_answer *answer, char *out)
{
	const struct supervisor *supervisor = manager->supervisor;
	uint32_t pools = 0, serving = 0, spare = 0, busy = 0, queued = 0, recycles = 0;

	for (const struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		const struct msg_stats *stats = &answer->pools[pool->index];
		if (pool->phase != POOL_LIVE)
			continue;
		pools++;
		serving += pool->serving != NULL;
		spare += stats->spare;
		busy += stats->busy;
		queued += stats->queued;
		recycles += pool->recycle.count;
	}
	snprintf(out, MESSAGE_MAX,
		 "pools %u of %u, children %u spare %u busy, requests %u queued %" PRIu64
		 " answered, recycles %u",
		 serving, pools, spare, busy, queued, answer->front.requests, recycles);
}

static void
tell_status(struct service_manager *manager, const char *text)
{
	if (strcmp(manager->status, text) != 0 && tell(manager, "STATUS=%s", text))
		snprintf(manager->status, sizeof(manager->status), "%s", text);
}

static void
on_stats(void *owner, const struct front_answer *answer)
{
	struct service_manager *manager = owner;
	char text[MESSAGE_MAX];

	/* A question that was asked in an earlier round tells nothing about this one. */
	if (answer->error != NULL) {
		manager->fronts_answered |= !fronts_are_serving(manager->supervisor);
	} else {
		manager->fronts_answered = true;
		format_status(manager, answer, text);
		if (manager->is_ready && manager->supervisor->state == SUPERVISOR_RUNNING)
			tell_status(manager, text);
	}
	check_round(manager);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct service_manager *manager = context;

	(void)fd;
	(void)what;
	if (manager->has_watchdog && !manager->round_said && manager->round > 0)
		log_event(LOG_WARNING, "fronts or zygotes did not answer in time",
			  "round=%" PRIu64 " within_ms=%u fronts=%s", manager->round,
			  manager->period_ms, manager->fronts_answered ? "answered" : "silent");
	manager->round++;
	manager->round_said = false;
	manager->fronts_answered = false;
	zygote_link_ask_health(manager->supervisor, manager->round);
	front_ask_stats(manager->supervisor->asks, on_stats, manager);
}

/* ---- life ---- */

/* For another process's eyes if WATCHDOG_PID names one: sd_watchdog_enabled(3). */
static uint64_t
watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoull(us, NULL, 10);
}

static void
read_environment(struct service_manager *manager)
{
	const char *name = getenv("NOTIFY_SOCKET");
	const uint64_t watchdog_ms = watchdog_us() / 1000;

	manager->fd = name != NULL ? open_socket(name) : -1;
	if (name != NULL && manager->fd < 0)
		log_event(LOG_WARNING, "service manager not reached", "error=\"%s\"",
			  strerror(errno));
	manager->has_watchdog = manager->fd >= 0 && watchdog_ms >= ROUNDS_EACH;
	manager->period_ms = STATUS_MS;
	if (manager->has_watchdog && watchdog_ms / ROUNDS_EACH < STATUS_MS)
		manager->period_ms = (uint32_t)(watchdog_ms / ROUNDS_EACH);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

struct service_manager *
service_manager_open(struct supervisor *supervisor)
{
	struct service_manager *manager = calloc(1, sizeof(*manager));

	if (manager == NULL)
		return NULL;
	manager->supervisor = supervisor;
	read_environment(manager);
	if (manager->fd < 0)
		return manager;
	const struct timeval period = clock_timeval(manager->period_ms);
	manager->timer = event_new(supervisor->base, -1, EV_PERSIST, on_timer, manager);
	if (manager->timer == NULL || event_add(manager->timer, &period) < 0) {
		service_manager_close(manager);
		return NULL;
	}
	return manager;
}

void
service_manager_close(struct service_manager *manager)
{
	if (manager == NULL)
		return;
	if (manager->timer != NULL)
		event_free(manager->timer);
	if (manager->fd >= 0)
		close(manager->fd);
	free(manager);
}

/* ---- what has happened ---- */

void
service_manager_on_ready(struct service_manager *manager)
{
	const struct supervisor *supervisor = manager->supervisor;

	if (manager->is_ready || supervisor->state != SUPERVISOR_RUNNING ||
	    !fronts_are_ready(supervisor))
		return;
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		if (pool->phase == POOL_LIVE && pool->serving == NULL)
			return;
	manager->is_ready = true;
	log_event(LOG_INFO, "ready", "after_ms=%" PRIu64, clock_ms() - supervisor->started_ms);
	(void)tell(manager, "READY=1\nSTATUS=serving");
}

bool
service_manager_is_ready(const struct service_manager *manager)
{
	return manager->is_ready;
}

/* Later ones are shown by the control socket, beside figures that matter more. */
void
service_manager_on_pool_failed(const struct service_manager *manager, const char *pool,
			       const char *error)
{
	if (!manager->is_ready)
		(void)tell(manager, "STATUS=not ready: pool \"%s\": %s", pool, error);
}

void
service_manager_on_stopping(struct service_manager *manager, uint32_t timeout_ms)
{
	(void)tell(manager, "STOPPING=1\nSTATUS=answering what is in progress, for up to %u ms",
		   timeout_ms);
}

/* Before it is ready a reload is part of getting there: READY=1 after it would be untrue. */
void
service_manager_on_reloading(struct service_manager *manager)
{
	if (manager->is_ready)
		(void)tell(manager, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
			   clock_ns() / 1000);
}

void
service_manager_on_reloaded(struct service_manager *manager, const char *error)
{
	manager->status[0] = '\0';
	if (manager->supervisor->state != SUPERVISOR_RUNNING)
		return;
	/* What was missing may be configured no longer. */
	if (!manager->is_ready)
		service_manager_on_ready(manager);
	else if (error != NULL)
		(void)tell(manager, "READY=1\nSTATUS=serving; the last reload failed: %s", error);
	else
		(void)tell(manager, "READY=1\nSTATUS=serving");
}
