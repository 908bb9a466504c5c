/*
 * The supervisor's main: start-up in an order in which each step can still fail with one clear
 *line, the loop, and the stop.
 *
 *	RUNNING -> DRAINING -> ENDING -> out of the loop
 *
 * Runs in: supervisor. The rule: it never touches a byte from the network, and no wait in it is
 *without a bound.
 */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "supervisor/access_file.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/control.h"
#include "supervisor/front_ask.h"
#include "supervisor/fronts.h"
#include "supervisor/log_stream.h"
#include "supervisor/metrics.h"
#include "supervisor/options.h"
#include "supervisor/policy_log.h"
#include "supervisor/prefault.h"
#include "supervisor/sampler.h"
#include "supervisor/survey.h"
#include "supervisor/tls_files.h"
#include "supervisor/reload.h"
#include "supervisor/service_manager.h"
#include "supervisor/service_sockets.h"
#include "supervisor/signals.h"
#include "supervisor/zygote_proc.h"

#define STOP_KILL_MS 500 /* from the front's SIGTERM to its SIGKILL */

void
supervisor_add_notice(struct supervisor *supervisor, const char *text)
{
	if (text[0] == '\0' || supervisor->notices_count == SUPERVISOR_NOTICES_MAX)
		return;
	snprintf(supervisor->notices[supervisor->notices_count++], SUPERVISOR_NOTICE_MAX, "%s",
		 text);
	log_event(LOG_WARNING, "notice", "text=\"%s\"", text);
}

/* ---- stop ---- */

static void
set_stop_timer(struct supervisor *supervisor, uint32_t ms)
{
	const struct timeval timeout = clock_timeval(ms);

	if (evtimer_add(supervisor->stop_timer, &timeout) < 0)
		die("out of memory");
}

static void
set_state(struct supervisor *supervisor, enum supervisor_state state)
{
	supervisor->state = state;
	reload_stop(supervisor->reload);
	if (state == SUPERVISOR_DRAINING) {
		zygote_proc_stop_restarts(supervisor);
		set_stop_timer(supervisor, supervisor->config->drain_timeout_ms);
	} else if (state == SUPERVISOR_ENDING) {
		zygote_proc_stop_restarts(supervisor);
		zygote_proc_end_all(supervisor);
		fronts_end(supervisor, SIGTERM);
		set_stop_timer(supervisor, STOP_KILL_MS);
		supervisor_on_gone(supervisor);
	}
}

void
supervisor_stop(struct supervisor *supervisor, const char *reason)
{
	if (supervisor->state == SUPERVISOR_ENDING)
		return;
	log_event(LOG_INFO, "stop", "reason=%s", reason);
	service_manager_on_stopping(supervisor->service, supervisor->config->drain_timeout_ms);
	/* Ours would go on taking connections that nobody answers. */
	listeners_close(&supervisor->listeners);
	if (supervisor->state == SUPERVISOR_RUNNING && fronts_drain(supervisor))
		set_state(supervisor, SUPERVISOR_DRAINING);
	else
		set_state(supervisor, SUPERVISOR_ENDING);
}

void
supervisor_fail(struct supervisor *supervisor, const char *reason)
{
	supervisor->exit_code = 1;
	if (supervisor->state == SUPERVISOR_ENDING)
		return;
	log_event(LOG_ERROR, "stop", "reason=\"%s\"", reason);
	service_manager_on_stopping(supervisor->service, 0);
	set_state(supervisor, SUPERVISOR_ENDING);
}

void
supervisor_on_drained(struct supervisor *supervisor)
{
	if (supervisor->state == SUPERVISOR_DRAINING && fronts_are_drained(supervisor))
		set_state(supervisor, SUPERVISOR_ENDING);
}

void
supervisor_on_gone(struct supervisor *supervisor)
{
	/* When nobody is left to drain: comes back here. */
	if (supervisor->state == SUPERVISOR_DRAINING)
		supervisor_on_drained(supervisor);
	else if (supervisor->state == SUPERVISOR_ENDING && fronts_are_gone(supervisor) &&
		 zygote_proc_are_gone(supervisor))
		event_base_loopexit(supervisor->base, NULL);
}

static void
on_stop_timer(evutil_socket_t fd, short what, void *context)
{
	struct supervisor *supervisor = context;

	(void)fd;
	(void)what;
	if (supervisor->state == SUPERVISOR_DRAINING) {
		log_event(LOG_WARNING, "drain took too long", "after_ms=%u",
			  supervisor->config->drain_timeout_ms);
		set_state(supervisor, SUPERVISOR_ENDING);
		return;
	}
	zygote_proc_end_all(supervisor);
	fronts_end(supervisor, SIGKILL);
}

/* ---- start ---- */

/* A daemon started with one of these closed would give the number to a socket, and log into it. */
static void
open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		die("cannot open /dev/null: %s", strerror(errno));
	close(fd);
}

/* Children of a front inherit the limit too; theirs is set again at their lock-down. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_event(LOG_WARNING, "descriptor limit not raised", "error=\"%s\"",
			  strerror(errno));
}

/*
 * 0 lets dumps go to a pipe, 1 does not (worker/zygote/limits.c), and only root can raise a hard limit. A zygote that needs 1 says so when
 * it has not got it.
 */
static void
raise_core_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_max != 0)
		return;
	limit.rlim_cur = limit.rlim_max = 1;
	(void)setrlimit(RLIMIT_CORE, &limit);
}

/* Held open, so that a restart after an upgrade of the files still starts what fits this
 * supervisor. */
static int
open_program(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		die("cannot open %s: %s; set `zygote_program`", path, strerror(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || (status.st_mode & S_IXUSR) == 0)
		die("%s is no executable file; set `zygote_program`", path);
	return fd;
}

static void
resolve_environment(struct supervisor *supervisor)
{
	char text[SUPERVISOR_NOTICE_MAX];

	identity_resolve(supervisor->config->user, &supervisor->identity, text, sizeof(text));
	supervisor_add_notice(supervisor, text);
	raise_descriptor_limit();
	raise_core_limit();
	supervisor->own_program_fd = open_program("/proc/self/exe");
	supervisor->zygote_program_fd = open_program(supervisor->config->zygote_program);
	supervisor->policy_log = policy_log_new(supervisor);
	spawn_probe_namespaces(&supervisor->identity, &supervisor->namespaces);
	if (supervisor->namespaces.pid_error == 0)
		return;
	snprintf(text, sizeof(text), "zygotes run without %s: %s",
		 supervisor->identity.is_root ? "a pid namespace" : "user and pid namespaces",
		 strerror(supervisor->namespaces.pid_error));
	supervisor_add_notice(supervisor, text);
}

static void
read_certificates(struct supervisor *supervisor)
{
	supervisor->tls = options_read_certificates(supervisor->config);
	for (unsigned i = 0; supervisor->tls != NULL && i < supervisor->tls->notes_count; i++)
		supervisor_add_notice(supervisor, supervisor->tls->notes[i]);
}

static void
open_all(struct supervisor *supervisor)
{
	supervisor->base = event_base_new();
	if (supervisor->base == NULL)
		die("cannot make an event loop: %s", strerror(errno));
	supervisor->stop_timer = evtimer_new(supervisor->base, on_stop_timer, supervisor);
	supervisor->asks = front_ask_new(supervisor);
	supervisor->metrics = metrics_new(supervisor);
	supervisor->surveys = surveys_new(supervisor);
	supervisor->sampler = sampler_new(supervisor);
	supervisor->service = service_manager_open(supervisor);
	supervisor->reload = reload_new(supervisor);
	if (supervisor->stop_timer == NULL || supervisor->asks == NULL ||
	    supervisor->surveys == NULL || supervisor->sampler == NULL ||
	    supervisor->metrics == NULL || fronts_init(supervisor) < 0 ||
	    supervisor->service == NULL || supervisor->reload == NULL ||
	    zygote_proc_init(supervisor) < 0)
		die("out of memory");
	sampler_observe(supervisor->sampler, prefault_on_sample, supervisor);
	read_certificates(supervisor);
	access_file_open(supervisor);
	listeners_open(supervisor->config, &supervisor->identity, &supervisor->listeners);
	supervisor->control = control_open(supervisor);
}

static void
close_all(struct supervisor *supervisor)
{
	front_ask_free(supervisor->asks);
	metrics_free(supervisor->metrics);
	surveys_free(supervisor->surveys);
	supervisor->surveys = NULL;
	sampler_free(supervisor->sampler);
	supervisor->sampler = NULL;
	control_close(supervisor->control);
	reload_free(supervisor->reload);
	service_manager_close(supervisor->service);
	zygote_proc_fini(supervisor);
	policy_log_free(supervisor->policy_log);
	tls_files_free(supervisor->tls);
	fronts_fini(supervisor);
	listeners_close(&supervisor->listeners);
	access_file_close(supervisor);
	close(supervisor->own_program_fd);
	close(supervisor->zygote_program_fd);
	event_free(supervisor->stop_timer);
}

static void
log_start(const struct supervisor *supervisor)
{
	const struct config *config = supervisor->config;

	log_event(LOG_INFO, "started",
		  "version=" ZYGOTED_VERSION " pid=%d user=%s pools=%u listeners=%u control=%s",
		  (int)getpid(), supervisor->identity.name, config->pools_count,
		  config->listeners_count, config->control);
	for (uint32_t i = 0; i < config->listeners_count; i++)
		log_event(LOG_INFO, "listening", "listener=%s address=%s",
			  config->listeners[i].front.name, config->listeners[i].front.address);
}

static int
run(struct supervisor *supervisor)
{
	signals_hold();
	resolve_environment(supervisor);
	open_all(supervisor);
	signals_watch(supervisor);
	log_start(supervisor);
	fronts_start(supervisor);
	zygote_proc_start_all(supervisor);
	if (event_base_dispatch(supervisor->base) < 0)
		die("event loop failed");
	signals_unwatch();
	close_all(supervisor);
	event_base_free(supervisor->base);
	log_event(LOG_INFO, "stopped", "code=%d", supervisor->exit_code);
	return supervisor->exit_code;
}

int
supervisor_main(int argc, char **argv)
{
	static struct supervisor supervisor;
	struct config *config;
	int code;

	service_sockets_take();
	open_standard_fds();
	config = options_read(argc, argv);
	supervisor.config = config;
	supervisor.started_ms = clock_ms();
	supervisor.log_is_journal = log_stream_is_journal();
	log_stream_unblock();
	log_init("zygoted", (enum log_level)config->log_level, supervisor.log_is_journal);
	code = run(&supervisor);
	config_free(config);
	return code;
}
