/*
 * The control socket's commands.
 *
 * Runs in: supervisor. The rule: a command that has to wait returns and answers from a callback;
 * none blocks.
 */
#include "supervisor/control_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/config.h"
#include "supervisor/control.h"
#include "supervisor/control_connection.h"
#include "supervisor/control_figures.h"
#include "supervisor/control_histogram.h"
#include "supervisor/control_memory.h"
#include "supervisor/control_policy.h"
#include "supervisor/front_ask.h"
#include "supervisor/fronts.h"
#include "supervisor/metrics.h"
#include "supervisor/procfs.h"
#include "supervisor/reload.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_link.h"
#include "supervisor/zygote_proc.h"

struct control_command {
	const char *name;
	const char *arguments; /* as control_line_check takes them */
	enum control_access access;
	void (*run)(struct control_request *request);
	const char *text;
};

static const char *
argument(const struct control_request *request)
{
	return request->words.count > 1 ? request->words.words[1] : NULL;
}

bool
control_commands_find_pool(struct control_request *request, struct zygote_pool **pool_out)
{
	const char *name = argument(request);

	*pool_out = NULL;
	if (name == NULL)
		return true;
	*pool_out = zygote_proc_find(request->supervisor, name);
	if (*pool_out != NULL)
		return true;
	control_reply_error(request, "there is no pool \"%.31s\"", name);
	return false;
}

bool
control_commands_take_pools(struct control_request *request)
{
	struct zygote_pool *pool;

	if (!control_commands_find_pool(request, &pool))
		return false;
	request->pool = pool != NULL ? pool->index : 0;
	request->pools_end =
		pool != NULL ? pool->index + 1 : request->supervisor->config->pools_count;
	return true;
}

static void
reply_list(struct control_request *request, const char *name, json_t *list)
{
	control_reply(request, json_pack("{s:b, s:o}", "ok", 1, name, list));
}

static void
run_ping(struct control_request *request)
{
	control_reply(request, json_pack("{s:b, s:b}", "ok", 1, "pong", 1));
}

static void
run_info(struct control_request *request)
{
	control_reply(request, control_figures_info(request->supervisor));
}

static void
on_stats(void *owner, const struct front_answer *answer)
{
	struct control_request *request = owner;
	json_t *pools;

	if (answer->error != NULL) {
		control_reply_error(request, "%s", answer->error);
		return;
	}
	pools = json_array();
	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(request->supervisor, pool)) != NULL;)
		json_array_append_new(pools,
				      control_figures_requests(pool, &answer->pools[pool->index],
							       &answer->times[pool->index]));
	control_reply(request,
		      json_pack("{s:b, s:o, s:o, s:o}", "ok", 1, "front",
				control_figures_front(&answer->front, answer->fronts), "pools",
				pools, "bucket_bounds_us", control_histogram_bounds()));
}

static void
run_stats(struct control_request *request)
{
	front_ask_stats(request->supervisor->asks, on_stats, request);
}

/* Zygotes are shown without a front too: then there are no children. */
static void
on_pools(void *owner, const struct front_answer *answer)
{
	struct control_request *request = owner;
	json_t *pools = json_array();

	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(request->supervisor, pool)) != NULL;)
		json_array_append_new(pools,
				      control_figures_pool(pool, &answer->pools[pool->index]));
	reply_list(request, "pools", pools);
}

static void
run_pools(struct control_request *request)
{
	front_ask_stats(request->supervisor->asks, on_pools, request);
}

static void on_children(void *owner, const struct front_answer *answer);

/* `children` goes through the pools one by one, so that the front's answers stay small. */
static void
ask_children(struct control_request *request)
{
	if (request->pool < request->pools_end)
		front_ask_children(request->supervisor->asks, request->pool, on_children, request);
	else
		reply_list(request, "children", json_incref(request->list));
}

/* Each generation's children have pids of their own. */
static void
list_generation(json_t *list, const struct zygote_generation *generation,
		const struct front_answer *answer)
{
	const struct zygote_pool *pool = generation->pool;
	struct procfs_children pids = { 0 };

	for (uint32_t i = 0; answer->children_count > 0 && i <= generation->siblings_count; i++)
		if (procfs_children_add(zygote_proc_pid(generation, i), &pids) < 0)
			log_event(LOG_DEBUG, "children not listed", "pool=%s error=\"%s\"",
				  pool->config->front.name, strerror(errno));
	for (uint32_t i = 0; i < answer->children_count; i++) {
		const struct msg_child *child = &answer->children[i];
		if (child->generation != generation->number)
			continue;
		const pid_t pid = procfs_children_outer(&pids, child->pid);
		json_array_append_new(list, control_figures_child(pool, child, (int)pid));
	}
	procfs_children_free(&pids);
}

static void
list_children(json_t *list, const struct zygote_pool *pool, const struct front_answer *answer)
{
	const struct zygote_generation *generation;

	LIST_FOREACH (generation, &pool->generations, link)
		list_generation(list, generation, answer);
}

static void
on_children(void *owner, const struct front_answer *answer)
{
	struct control_request *request = owner;

	if (answer->error != NULL) {
		control_reply_error(request, "%s", answer->error);
		return;
	}
	list_children(request->list, &request->supervisor->pools[request->pool], answer);
	request->pool++;
	ask_children(request);
}

static void
run_children(struct control_request *request)
{
	if (!control_commands_take_pools(request))
		return;
	request->list = json_array();
	ask_children(request);
}

static void
on_penalties(void *owner, const struct front_answer *answer)
{
	struct control_request *request = owner;
	json_t *list;

	if (answer->error != NULL) {
		control_reply_error(request, "%s", answer->error);
		return;
	}
	list = json_array();
	for (uint32_t i = 0; i < answer->penalties_count; i++)
		json_array_append_new(list, control_figures_penalty(&answer->penalties[i]));
	reply_list(request, "penalties", list);
}

static void
run_penalties(struct control_request *request)
{
	front_ask_penalties(request->supervisor->asks, on_penalties, request);
}

static void
on_recycled(void *owner, const struct zygote_pool *pool, const char *error)
{
	struct control_request *request = owner;

	if (error != NULL)
		control_reply_error(request, "%s", error);
	else
		control_reply(request, control_figures_recycle(pool));
}

static void
run_recycle(struct control_request *request)
{
	struct zygote_pool *pool;

	if (control_commands_find_pool(request, &pool))
		recycle_by_hand(pool, on_recycled, request);
}

static void
on_reloaded(void *owner, const struct reload_result *result)
{
	struct control_request *request = owner;

	if (result->error != NULL)
		control_reply(request, control_make_error(result->error));
	else
		control_reply(request, control_figures_reload(request->supervisor, result));
}

/* reload [POOL | --all] [--wait] */
static void
run_reload(struct control_request *request)
{
	struct reload *reload = request->supervisor->reload;
	const char *pool = NULL;
	bool is_all = false, waits = false;

	for (unsigned i = 1; i < request->words.count; i++) {
		const char *word = request->words.words[i];
		if (strcmp(word, "--wait") == 0) {
			waits = true;
		} else if (strcmp(word, "--all") == 0) {
			is_all = true;
		} else if (word[0] != '-' && pool == NULL) {
			pool = word;
		} else {
			control_reply_error(request, "reload takes a pool, --all and --wait");
			return;
		}
	}
	if (waits && request->connection != NULL)
		control_connection_wait_long(request->connection);
	reload_start(reload, pool, is_all, on_reloaded, request);
	if (!waits)
		reload_answer_now(reload, request); /* the request may be gone by now */
}

static void
run_policy(struct control_request *request)
{
	struct zygote_pool *pool;

	if (control_commands_find_pool(request, &pool))
		control_reply(request, control_policy_make(request->supervisor, pool));
}

static void
run_log(struct control_request *request)
{
	struct supervisor *supervisor = request->supervisor;
	const int level = log_level_parse(argument(request));
	struct msg_log_level message = { .level = (uint32_t)level };

	if (level < 0) {
		control_reply_error(request, "level is one of error, warning, info, debug");
		return;
	}
	log_set_level((enum log_level)level);
	msg_init(&message, MSG_LOG_LEVEL);
	zygote_link_send_log_level(supervisor, message.level);
	/* A front that is not there gets the level when it starts. */
	if (fronts_send(supervisor, &message) < 0) {
		control_reply_error(request, "a front is busy and keeps its level; try again");
		return;
	}
	control_reply(request, json_pack("{s:b, s:s}", "ok", 1, "level",
					 log_level_name((enum log_level)level)));
}

static void
on_metrics(void *owner, const char *text, size_t length)
{
	(void)length;
	control_reply(owner, text != NULL ? json_pack("{s:b, s:s}", "ok", 1, "text", text) : NULL);
}

static void
run_metrics(struct control_request *request)
{
	metrics_get(request->supervisor->metrics, METRICS_TEXT, on_metrics, request);
}

static void
run_stop(struct control_request *request)
{
	struct supervisor *supervisor = request->supervisor;

	control_reply(request, json_pack("{s:b}", "ok", 1));
	supervisor_stop(supervisor, "control");
}

static void run_help(struct control_request *request);

/* clang-format off */
static const struct control_command commands[] = {
	{ "ping", "", CONTROL_READ, run_ping, "answers, if the daemon is alive" },
	{ "info", "", CONTROL_READ, run_info, "version, listeners, layers of the sandbox, notices" },
	{ "stats", "", CONTROL_READ, run_stats, "requests: counts, outcomes, times" },
	{ "pools", "", CONTROL_READ, run_pools, "zygotes and their children: counts and states" },
	{ "children", "[POOL]", CONTROL_READ, run_children, "each child: pid, state, request" },
	{ "penalties", "", CONTROL_READ, run_penalties, "sources whose requests did harm" },
	{ "memory", "[POOL]", CONTROL_READ, control_memory_run, "what sharing memory saves" },
	{ "maps", "[POOL]", CONTROL_READ, control_maps_run, "which regions are shared, copied, new" },
	{ "map", "POOL", CONTROL_READ, control_map_run, "the image as a picture: which pages are copied" },
	{ "routes", "[POOL]", CONTROL_READ, control_routes_run, "what requests of each route cost" },
	{ "recycle", "POOL", CONTROL_ADMIN, run_recycle, "replaces a zygote by a new one" },
	{ "reload", "[POOL] [--all] [--wait]", CONTROL_ADMIN, run_reload, "reads the configuration, workers, certificates again" },
	{ "policy", "[POOL]", CONTROL_READ, run_policy, "calls outside the profile, with sandbox = \"log\"" },
	{ "metrics", "", CONTROL_READ, run_metrics, "all figures as Prometheus reads them" },
	{ "log", "LEVEL", CONTROL_ADMIN, run_log, "sets the log level: error, warning, info, debug" },
	{ "stop", "", CONTROL_ADMIN, run_stop, "answers what is in progress, then ends the daemon" },
	{ "help", "", CONTROL_READ, run_help, "lists the commands" },
};
/* clang-format on */

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
run_help(struct control_request *request)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COMMANDS; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "command", commands[i].name,
						"arguments", commands[i].arguments, "text",
						commands[i].text));
	reply_list(request, "commands", list);
}

void
control_commands_run(struct control_request *request)
{
	const struct control_command *command = NULL;
	const char *error;

	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, request->words.words[0]) == 0)
			command = &commands[i];
	if (command == NULL) {
		control_reply_error(request, "unknown command; try help");
		return;
	}
	if (request->access < command->access) {
		control_reply_error(request,
				    "permission denied: %s is for root and the daemon's user",
				    command->name);
		return;
	}
	error = control_line_check(&request->words, command->arguments);
	if (error != NULL)
		control_reply_error(request, "%s", error);
	else
		command->run(request);
}
