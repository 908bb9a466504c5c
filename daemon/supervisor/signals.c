/*
 * Each signal is an event of the loop; no code runs in a handler but libevent's.
 *
 * Runs in: supervisor. The rule: nothing here decides, it calls the part that does.
 */
#include "supervisor/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include <event2/event.h>

#include "base/log.h"
#include "supervisor/access_file.h"
#include "supervisor/fronts.h"
#include "supervisor/reload.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

static void
on_stop(evutil_socket_t number, short what, void *context)
{
	(void)what;
	supervisor_stop(context, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void
on_reload(evutil_socket_t number, short what, void *context)
{
	const struct supervisor *supervisor = context;

	(void)number;
	(void)what;
	reload_start(supervisor->reload, NULL, false, NULL, NULL);
}

static void
on_child(evutil_socket_t number, short what, void *context)
{
	struct supervisor *supervisor = context;
	int status;
	pid_t pid;

	(void)number;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!fronts_on_exit(supervisor, pid, status) &&
		    !zygote_proc_on_exit(supervisor, pid, status))
			log_event(LOG_DEBUG, "unknown process reaped", "pid=%d", (int)pid);
}

static void
on_reopen(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	access_file_reopen(context);
}

static struct watched {
	int number;
	event_callback_fn on_signal;
	struct event *event;
} watched[] = {
	{ .number = SIGTERM, .on_signal = on_stop },   { .number = SIGINT, .on_signal = on_stop },
	{ .number = SIGHUP, .on_signal = on_reload },  { .number = SIGCHLD, .on_signal = on_child },
	{ .number = SIGUSR1, .on_signal = on_reopen },
};

#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static void
set_mask(int how)
{
	sigset_t ours;

	sigemptyset(&ours);
	for (const struct watched *each = watched; each < watched + WATCHED; each++)
		sigaddset(&ours, each->number);
	if (sigprocmask(how, &ours, NULL) < 0)
		bug("signal mask");
}

void
signals_hold(void)
{
	set_mask(SIG_BLOCK);
}

void
signals_watch(struct supervisor *supervisor)
{
	signal(SIGPIPE, SIG_IGN);
	for (struct watched *each = watched; each < watched + WATCHED; each++) {
		each->event =
			evsignal_new(supervisor->base, each->number, each->on_signal, supervisor);
		if (each->event == NULL || evsignal_add(each->event, NULL) < 0)
			die("cannot watch signals");
	}
	set_mask(SIG_UNBLOCK);
}

void
signals_unwatch(void)
{
	set_mask(SIG_BLOCK);
	for (struct watched *each = watched; each < watched + WATCHED; each++)
		event_free(each->event);
}
