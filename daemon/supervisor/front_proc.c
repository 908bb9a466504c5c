/*
 * The life of a front.
 *
 *	DOWN -> STARTING -> READY -> STOPPING -> DOWN
 *
 * A death leads back to DOWN from everywhere. Runs in: supervisor. Trusts nothing that the front
 *says beyond its own affairs: it parses the network. The state changes in set_state and nowhere
 *else.
 */
#include "supervisor/front_proc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/heritage.h"
#include "base/log.h"
#include "supervisor/access_file.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_ask.h"
#include "supervisor/inherit.h"
#include "supervisor/memory_watch.h"
#include "supervisor/metrics.h"
#include "supervisor/policy_compile.h"
#include "supervisor/recycle.h"
#include "supervisor/reload.h"
#include "supervisor/service_manager.h"
#include "supervisor/supervisor.h"
#include "supervisor/tls_files.h"
#include "supervisor/zygote_link.h"

#define FRONT_START_TIMEOUT_MS 10000

/* Room for the answer to `children` of a full pool: the front drops what does not fit. */
#define FRONT_CHANNEL_BYTES (1 << 20)

static void
set_timer(struct front_proc *front, uint32_t ms)
{
	const struct timeval timeout = clock_timeval(ms);

	if (evtimer_add(front->timer, &timeout) < 0)
		die("out of memory");
}

static void
set_state(struct front_proc *front, enum front_state state)
{
	evtimer_del(front->timer);
	front->state = state;
	if (state == FRONT_STARTING)
		set_timer(front, FRONT_START_TIMEOUT_MS);
	if (state == FRONT_STARTING || state == FRONT_DOWN)
		front->ready_ms = 0;
	if (state == FRONT_READY)
		front->ready_ms = clock_ms();
}

static void
restart_later(struct front_proc *front, uint64_t healthy_ms)
{
	uint32_t delay_ms = backoff_next(&front->backoff, healthy_ms);

	set_state(front, FRONT_DOWN);
	log_event(LOG_INFO, "front restart", "front=%u in_ms=%u", front->index + 1, delay_ms);
	set_timer(front, delay_ms);
}

static void
on_ready(struct front_proc *front)
{
	if (front->state != FRONT_STARTING)
		return;
	set_state(front, FRONT_READY);
	log_event(LOG_INFO, "front ready", "front=%u pid=%d epoch=%u", front->index + 1,
		  (int)front->process.pid, front->epoch);
	access_file_send(front);
	zygote_link_attach_all(front);
	service_manager_on_ready(front->supervisor->service);
}

static void
on_message(void *owner, struct msg_buffer *buffer)
{
	struct front_proc *front = owner;
	const struct msg_header *header = (const void *)buffer->bytes;

	switch (header->type) {
	case MSG_FRONT_READY:
		on_ready(front);
		break;
	case MSG_ATTACHED:
		zygote_link_on_attached(front, (const void *)buffer->bytes);
		break;
	case MSG_RECONFIGURED:
		reload_on_reconfigured(front, ((const struct msg_cookie *)header)->cookie);
		break;
	case MSG_HELD:
		zygote_link_on_held(front, (const void *)buffer->bytes);
		break;
	case MSG_MEMORY_LOOK:
		memory_watch_look(front->supervisor, (const void *)buffer->bytes);
		break;
	case MSG_DETACHED:
		zygote_link_on_detached(front, (const void *)buffer->bytes);
		break;
	case MSG_METRICS_GET:
		metrics_on_get(front, (const void *)buffer->bytes);
		break;
	case MSG_RECYCLE_WANTED:
		recycle_on_wanted(front->supervisor, (const void *)buffer->bytes);
		break;
	case MSG_STATS:
	case MSG_STATS_TIMES:
	case MSG_STATS_LISTENER:
	case MSG_STATS_END:
	case MSG_CHILDREN:
	case MSG_PENALTIES:
	case MSG_ROUTE:
		front_ask_on_message(front->supervisor->asks, front->index, buffer);
		break;
	case MSG_DRAINED:
		front->is_drained = front->state == FRONT_STOPPING;
		supervisor_on_drained(front->supervisor);
		break;
	default:
		log_event(LOG_WARNING, "unexpected message from the front", "type=%u",
			  header->type);
		spawn_kill(&front->process, SIGKILL);
	}
}

/* Dead or of no more use; SIGCHLD tells the rest. */
static void
on_closed(void *owner)
{
	struct front_proc *front = owner;

	spawn_kill(&front->process, SIGKILL);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct front_proc *front = context;

	(void)fd;
	(void)what;
	if (front->state == FRONT_DOWN) {
		front_proc_start(front);
	} else if (front->state == FRONT_STARTING) {
		log_event(LOG_WARNING, "front not ready in time", "pid=%d",
			  (int)front->process.pid);
		spawn_kill(&front->process, SIGKILL);
	}
}

int
front_proc_init(struct front_proc *front, struct supervisor *supervisor, uint32_t index)
{
	front->supervisor = supervisor;
	front->index = index;
	front->process.pidfd = -1;
	front->channel = (struct channel){
		.fd = -1, .on_message = on_message, .on_closed = on_closed, .owner = front
	};
	front->timer = evtimer_new(supervisor->base, on_timer, front);
	return front->timer != NULL ? 0 : -1;
}

void
front_proc_fini(struct front_proc *front)
{
	channel_close(&front->channel);
	spawn_forget(&front->process);
	event_free(front->timer);
}

/* Starts the process with the given ends; they stay the caller's. */
static int
spawn_front(struct front_proc *front, int channel_fd, int heritage_fd, int filter_fd)
{
	const struct listeners *listeners = &front->supervisor->listeners;
	int fds[FRONT_LISTENER_FD + PROTO_LISTENERS_MAX] = {
		[0] = -1,
		[1] = -1,
		[2] = STDERR_FILENO,
		[FRONT_SUPERVISOR_FD] = channel_fd,
		[FRONT_HERITAGE_FD] = heritage_fd,
		[FRONT_FILTER_FD] = filter_fd,
		[FRONT_TLS_FD] = tls_files_fd(front->supervisor->tls),
		[FRONT_BOARD_FD] = front->supervisor->board_fd,
	};
	char title[sizeof(FRONT_TITLE) + 2];
	const struct spawn_program program = {
		.program_fd = front->supervisor->own_program_fd,
		.title = title,
		.identity = &front->supervisor->identity,
		.channel = FRONT_SUPERVISOR_FD,
		.fds = fds,
		.fds_count = FRONT_LISTENER_FD + listeners->count,
	};

	if (front->supervisor->config->fronts > 1)
		snprintf(title, sizeof(title), FRONT_TITLE " %u", (front->index + 1) % 10);
	else
		snprintf(title, sizeof(title), FRONT_TITLE);
	memcpy(fds + FRONT_LISTENER_FD, listeners->fds, listeners->count * sizeof(fds[0]));
	return spawn_start(&program, &front->process);
}

/* More than the default when we may; without it only very long lists of children suffer. */
static void
widen_channel(int fd)
{
	const int bytes = FRONT_CHANNEL_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static int
try_start(struct front_proc *front)
{
	int ends[2] = { -1, -1 };
	int filter_fd = policy_compile("front", POLICY_REST_KILL);
	int heritage_fd = inherit_seal_front(front->supervisor, front->index, front->epoch + 1);
	int result = -1;

	if (filter_fd >= 0 && heritage_fd >= 0 && msg_channel_open(ends) == 0) {
		widen_channel(ends[1]);
		result = spawn_front(front, ends[1], heritage_fd, filter_fd);
	}
	int saved = errno;
	if (result < 0 && ends[0] >= 0)
		close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	if (filter_fd >= 0)
		close(filter_fd);
	if (heritage_fd >= 0)
		close(heritage_fd);
	errno = saved;
	return result == 0 ? channel_open(&front->channel, front->supervisor->base, ends[0]) : -1;
}

void
front_proc_start(struct front_proc *front)
{
	if (front->process.pid != 0)
		bug("front runs already");
	if (try_start(front) == 0) {
		front->epoch++;
		set_state(front, FRONT_STARTING);
		return;
	}
	log_event(LOG_ERROR, "front not started", "error=\"%s\"", strerror(errno));
	if (front->process.pid != 0) {
		/* It runs, but we cannot listen to it: its exit leads to the next try. */
		set_state(front, FRONT_STARTING);
		spawn_kill(&front->process, SIGKILL);
		return;
	}
	restart_later(front, 0);
}

static void
log_exit(const struct front_proc *front, int status)
{
	const enum log_level level = front->state == FRONT_STOPPING ? LOG_DEBUG : LOG_WARNING;
	char text[32];

	if (WIFSIGNALED(status))
		spawn_format_exit(status, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "code=%d", WEXITSTATUS(status));
	log_event(level, "front died", "front=%u pid=%d epoch=%u %s", front->index + 1,
		  (int)front->process.pid, front->epoch, text);
}

/* The first one of all ended itself at its start: so would every other. */
static bool
cannot_start(const struct front_proc *front, int status)
{
	return front->epoch == 1 && front->ready_ms == 0 && WIFEXITED(status);
}

void
front_proc_on_exit(struct front_proc *front, int status)
{
	const uint64_t healthy_ms = front->ready_ms != 0 ? clock_ms() - front->ready_ms : 0;
	const enum front_state state = front->state;

	log_exit(front, status);
	if (cannot_start(front, status))
		supervisor_fail(front->supervisor, "the front cannot start: it has said why");
	front->supervisor->board->connections[front->index] = FRONT_ABSENT;
	channel_close(&front->channel);
	spawn_forget(&front->process);
	reload_on_front_lost(front);
	zygote_link_on_front_lost(front);
	front_ask_on_front_lost(front->supervisor->asks, front->index);
	if (state == FRONT_STOPPING || front->supervisor->state != SUPERVISOR_RUNNING) {
		set_state(front, FRONT_DOWN);
		supervisor_on_gone(front->supervisor);
	} else {
		restart_later(front, healthy_ms);
	}
}

bool
front_proc_drain(struct front_proc *front)
{
	struct msg_cookie message = { .cookie = 0 };

	msg_init(&message, MSG_DRAIN);
	if (front->state != FRONT_READY || front_proc_send(front, &message) < 0)
		return false;
	set_state(front, FRONT_STOPPING);
	return true;
}

void
front_proc_end(struct front_proc *front, int signal)
{
	set_state(front, front->process.pid != 0 ? FRONT_STOPPING : FRONT_DOWN);
	spawn_kill(&front->process, signal);
}

bool
front_proc_is_ready(const struct front_proc *front)
{
	return front->state == FRONT_READY;
}

bool
front_proc_is_gone(const struct front_proc *front)
{
	return front->process.pid == 0;
}
