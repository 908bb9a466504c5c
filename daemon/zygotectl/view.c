/*
 * What `zygotectl` shows of each answer. Pure data.
 *
 * Runs in: zygotectl. Keys are those of the control commands' answers; one that is missing in an
 * answer is shown as "-", so that tool and daemon of neighbouring versions get along.
 */
#include "zygotectl/view.h"

static const struct view_column info_columns[] = {
	{ "version", "version", UNIT_TEXT },	  { "pid", "pid", UNIT_COUNT },
	{ "up", "uptime_seconds", UNIT_SECONDS }, { "user", "user", UNIT_TEXT },
	{ "configuration", "config", UNIT_TEXT }, { "control socket", "control", UNIT_TEXT },
	{ "kernel", "kernel", UNIT_TEXT },	  { 0 },
};

static const struct view_column listener_columns[] = {
	{ "LISTENER", "name", UNIT_TEXT },     { "ADDRESS", "address", UNIT_TEXT },
	{ "PROTOCOL", "protocol", UNIT_TEXT }, { "POOL", "pool", UNIT_TEXT },
	{ "TLS FROM", "tls", UNIT_TEXT },      { 0 },
};

static const struct view_column image_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "LOADED", "state_bytes", UNIT_BYTES },
	{ "IMAGE", "image", UNIT_TEXT },
	{ "REASON", "image_reason", UNIT_TEXT },
	{ "SIZE", "image_bytes", UNIT_BYTES },
	{ "MAPPINGS", "image_mappings", UNIT_COUNT },
	{ "LEFT", "image_left_bytes", UNIT_BYTES },
	{ "TIME", "freeze_seconds", UNIT_SECONDS },
	{ "TRIAL FROZEN", "trial_frozen_us", UNIT_US },
	{ "TRIAL INHERITED", "trial_inherited_us", UNIT_US },
	{ "ERROR", "image_error", UNIT_TEXT },
	{ 0 },
};

static const struct view_column layer_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },	  { "LAYER", "layer", UNIT_TEXT },
	{ "STATE", "state", UNIT_TEXT },  { "REASON", "reason", UNIT_TEXT },
	{ "MEANING", "text", UNIT_TEXT }, { 0 },
};

static const struct view_column front_columns[] = {
	{ "fronts", "fronts", UNIT_COUNT },
	{ "up", "uptime_seconds", UNIT_SECONDS },
	{ "connections", "connections", UNIT_COUNT },
	{ "with a request", "active", UNIT_COUNT },
	{ "accepted", "accepted", UNIT_COUNT },
	{ "refused", "refused", UNIT_COUNT },
	{ "requests", "requests", UNIT_COUNT },
	{ "penalties", "penalties", UNIT_COUNT },
	{ "TLS handshakes", "handshakes_ok", UNIT_COUNT },
	{ "of these resumed", "handshakes_resumed", UNIT_COUNT },
	{ "failed", "handshakes_failed", UNIT_COUNT },
	{ "timed out", "handshakes_timed_out", UNIT_COUNT },
	{ "in progress", "handshaking", UNIT_COUNT },
	{ "waiting", "handshakes_waiting", UNIT_COUNT },
	{ "access log lines lost", "access_lost", UNIT_COUNT },
	{ 0 },
};

static const struct view_column stats_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "SANDBOX", "sandbox", UNIT_TEXT },
	{ "REQUESTS", "requests", UNIT_COUNT },
	{ "OK", "ok", UNIT_COUNT },
	{ "REFUSED", "refused", UNIT_COUNT },
	{ "FAILED", "failed", UNIT_COUNT },
	{ "RUN", "run_mean_us", UNIT_US },
	{ "RUN MAX", "run_max_us", UNIT_US },
	{ "QUEUE", "queue_mean_us", UNIT_US },
	{ "QUEUE MAX", "queue_max_us", UNIT_US },
	{ "FAULTS", "minor_faults_mean", UNIT_COUNT },
	{ "CPU", "cpu_mean_us", UNIT_US },
	{ "IN", "bytes_in", UNIT_BYTES },
	{ "OUT", "bytes_out", UNIT_BYTES },
	{ "LOG CUT", "output_truncated", UNIT_COUNT },
	{ 0 },
};

/* Faults: those that came after the child was parked. */
static const struct view_column prefault_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "WITH", "prefault_requests", UNIT_COUNT },
	{ "FAULTS", "prefault_faults_mean", UNIT_COUNT },
	{ "RUN", "prefault_run_mean_us", UNIT_US },
	{ "CPU", "prefault_cpu_mean_us", UNIT_US },
	{ "WITHOUT", "plain_requests", UNIT_COUNT },
	{ "FAULTS", "plain_faults_mean", UNIT_COUNT },
	{ "RUN", "plain_run_mean_us", UNIT_US },
	{ "CPU", "plain_cpu_mean_us", UNIT_US },
	{ 0 },
};

static const struct view_column count_columns[] = {
	{ "OUTCOME", "", UNIT_TEXT },
	{ "REQUESTS", "", UNIT_COUNT },
	{ 0 },
};

static const struct view_column pool_count_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "OUTCOME", "", UNIT_TEXT },
	{ "REQUESTS", "", UNIT_COUNT },
	{ 0 },
};

static const struct view_column pools_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "WORKER", "worker", UNIT_TEXT },
	{ "STATE", "state", UNIT_TEXT },
	{ "SANDBOX", "sandbox", UNIT_TEXT },
	{ "GEN", "generation", UNIT_COUNT },
	{ "PID", "pid", UNIT_COUNT },
	{ "ZYGOTES", "zygotes", UNIT_COUNT },
	{ "LOAD", "load_seconds", UNIT_SECONDS },
	{ "LOADED", "state_bytes", UNIT_BYTES },
	{ "IMAGE", "image", UNIT_TEXT },
	{ "FROZEN", "image_bytes", UNIT_BYTES },
	{ "SPARE", "spare", UNIT_COUNT },
	{ "BUSY", "busy", UNIT_COUNT },
	{ "STARTING", "starting", UNIT_COUNT },
	{ "DYING", "dying", UNIT_COUNT },
	{ "DRAINING", "draining", UNIT_COUNT },
	{ "MAX", "max_children", UNIT_COUNT },
	{ "QUEUED", "queued", UNIT_COUNT },
	{ "FORKS", "forks", UNIT_COUNT },
	{ "FAILED", "fork_failures", UNIT_COUNT },
	{ "RESTARTS", "restarts", UNIT_COUNT },
	{ "RECYCLES", "recycles", UNIT_COUNT },
	{ "LAST RECYCLE", "recycle_reason", UNIT_TEXT },
	{ "PREFAULT", "prefault", UNIT_TEXT },
	{ "RUNS", "prefault_runs", UNIT_COUNT },
	{ "COPIES", "prefault_bytes", UNIT_BYTES },
	{ "SAMPLES", "prefault_samples", UNIT_COUNT },
	{ "BREAKER", "breaker", UNIT_TEXT },
	{ "OPENED", "breaker_opened", UNIT_COUNT },
	{ "ERROR", "error", UNIT_TEXT },
	{ 0 },
};

static const struct view_column children_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },	      { "PID", "pid", UNIT_COUNT },
	{ "STATE", "state", UNIT_TEXT },      { "GEN", "generation", UNIT_COUNT },
	{ "REQUEST", "request", UNIT_COUNT }, { "AGE", "age_us", UNIT_US },
	{ "RUN", "run_us", UNIT_US },	      { 0 },
};

static const struct view_column memory_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "IMAGE", "image", UNIT_TEXT },
	{ "SIZE", "image_bytes", UNIT_BYTES },
	{ "PARKED", "parked", UNIT_COUNT },
	{ "BUSY", "busy", UNIT_COUNT },
	{ "PARKED COSTS", "child_bytes", UNIT_BYTES },
	{ "SERVED COSTS", "sample_child_bytes", UNIT_BYTES },
	{ "UNSHARED TOTAL", "without_sharing_bytes", UNIT_BYTES },
	{ "TOTAL", "with_sharing_bytes", UNIT_BYTES },
	{ "SAVED", "saved_bytes", UNIT_BYTES },
	{ "SAVED %", "saved_percent", UNIT_PERCENT },
	{ "ERROR", "error", UNIT_TEXT },
	{ 0 },
};

static const struct view_column figure_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "FIGURE", "figure", UNIT_TEXT },
	{ "BYTES", "bytes", UNIT_BYTES },
	{ "METHOD", "method", UNIT_TEXT },
	{ "SAMPLES", "samples", UNIT_COUNT },
	{ "AGE", "age_seconds", UNIT_SECONDS },
	{ 0 },
};

static const struct view_column region_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "REGION", "region", UNIT_TEXT },
	{ "KIND", "kind", UNIT_TEXT },
	{ "COPIED", "copied_bytes", UNIT_BYTES },
	{ "BY", "copying_percent", UNIT_PERCENT },
	{ "NEW", "new_bytes", UNIT_BYTES },
	{ "SHARED", "shared_bytes", UNIT_BYTES },
	{ "SWAPPED", "swapped_bytes", UNIT_BYTES },
	{ "METHOD", "method", UNIT_TEXT },
	{ "SAMPLES", "samples", UNIT_COUNT },
	{ "AGE", "age_seconds", UNIT_SECONDS },
	{ 0 },
};

static const struct view_column route_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "ROUTE", "route", UNIT_TEXT },
	{ "REQUESTS", "requests", UNIT_COUNT },
	{ "FAULTS", "faults_mean", UNIT_COUNT },
	{ "P99", "faults_p99", UNIT_COUNT },
	{ "MAX", "faults_max", UNIT_COUNT },
	{ "CPU", "cpu_us_mean", UNIT_US },
	{ "P99", "cpu_us_p99", UNIT_US },
	{ "TIME", "wall_us_mean", UNIT_US },
	{ "P99", "wall_us_p99", UNIT_US },
	{ "SAMPLES", "samples", UNIT_COUNT },
	{ "COPIED", "copied_bytes", UNIT_BYTES },
	{ "MAX", "copied_max_bytes", UNIT_BYTES },
	{ "NEW", "new_bytes", UNIT_BYTES },
	{ "MAX", "new_max_bytes", UNIT_BYTES },
	{ 0 },
};

static const struct view_column penalty_columns[] = {
	{ "SOURCE", "source", UNIT_TEXT },
	{ "POINTS", "points", UNIT_COUNT },
	{ "REFUSED FOR", "refused_for_seconds", UNIT_SECONDS },
	{ "RELAPSES", "relapses", UNIT_COUNT },
	{ "REFUSED", "refused", UNIT_COUNT },
	{ 0 },
};

static const struct view_column recycle_columns[] = {
	{ "pool", "pool", UNIT_TEXT },
	{ "generation", "generation", UNIT_COUNT },
	{ "before", "previous", UNIT_COUNT },
	{ "pid", "pid", UNIT_COUNT },
	{ "load", "load_seconds", UNIT_SECONDS },
	{ 0 },
};

static const struct view_column reload_pool_columns[] = {
	{ "pool", "pool", UNIT_TEXT },
	{ "change", "change", UNIT_TEXT },
	{ "generation", "generation", UNIT_COUNT },
	{ 0 },
};

static const struct view_column reload_columns[] = {
	{ "state", "state", UNIT_TEXT },
	{ "took", "took_seconds", UNIT_SECONDS },
	{ "certificates", "certificates", UNIT_COUNT },
	{ 0 },
};

static const struct view_column policy_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "PROFILE", "profile", UNIT_TEXT },
	{ "SANDBOX", "sandbox", UNIT_TEXT },
	{ "REPORTED TO", "source", UNIT_TEXT },
	{ "KINDS", "kinds", UNIT_COUNT },
	{ "UNLISTED CALLS", "unlisted_calls", UNIT_COUNT },
	{ 0 },
};

static const struct view_column call_columns[] = {
	{ "POOL", "pool", UNIT_TEXT },
	{ "CALL", "call", UNIT_TEXT },
	{ "COUNT", "count", UNIT_COUNT },
	{ "FIRST PID", "pid", UNIT_COUNT },
	{ "FIRST ARGUMENTS", "arguments", UNIT_TEXT },
	{ "ROW", "row", UNIT_TEXT },
	{ 0 },
};

static const struct view_column log_columns[] = {
	{ "log level", "level", UNIT_TEXT },
	{ 0 },
};

static const struct view_column help_columns[] = {
	{ "COMMAND", "command", UNIT_TEXT },
	{ "ARGUMENTS", "arguments", UNIT_TEXT },
	{ "WHAT IT DOES", "text", UNIT_TEXT },
	{ 0 },
};

static const struct view views[] = {
	{ .command = "ping", .kind = VIEW_TEXT, .title = "pong" },
	{ "info", VIEW_PAIRS, "", "", NULL, info_columns },
	{ "info", VIEW_ROWS, "", "listeners", NULL, listener_columns },
	{ "info", VIEW_ROWS, "", "images", NULL, image_columns },
	{ "info", VIEW_ROWS, "", "layers", NULL, layer_columns },
	{ "info", VIEW_LIST, "notices:", "notices", NULL, NULL },
	{ "stats", VIEW_PAIRS, "front:", "front", NULL, front_columns },
	{ "stats", VIEW_COUNTS, "", "front.outcomes", NULL, count_columns },
	{ "stats", VIEW_ROWS, "pools (times: mean and longest):", "pools", NULL, stats_columns },
	{ "stats", VIEW_ROWS, "pages touched beforehand, with and without:", "pools", NULL,
	  prefault_columns },
	{ "stats", VIEW_NESTED, "", "pools", "outcomes", pool_count_columns },
	{ "pools", VIEW_ROWS, "", "pools", NULL, pools_columns },
	{ "children", VIEW_ROWS, "", "children", NULL, children_columns },
	{ "penalties", VIEW_ROWS, "", "penalties", NULL, penalty_columns },
	{ "memory", VIEW_ROWS, "", "pools", NULL, memory_columns },
	{ "memory", VIEW_ROWS, "", "figures", NULL, figure_columns },
	{ "maps", VIEW_ROWS, "means of a child:", "regions", NULL, region_columns },
	{ "routes", VIEW_ROWS, "", "routes", NULL, route_columns },
	{ "recycle", VIEW_PAIRS, "", "", NULL, recycle_columns },
	{ "reload", VIEW_PAIRS, "", "", NULL, reload_columns },
	{ "reload", VIEW_LIST, "notices:", "notices", NULL, NULL },
	{ "reload", VIEW_ROWS, "", "pools", NULL, reload_pool_columns },
	{ "policy", VIEW_ROWS, "", "pools", NULL, policy_columns },
	{ "policy", VIEW_ROWS, "", "calls", NULL, call_columns },
	{ "log", VIEW_PAIRS, "", "", NULL, log_columns },
	{ "metrics", VIEW_LINES, "", "text", NULL, NULL },
	{ .command = "stop", .kind = VIEW_TEXT, .title = "stopping" },
	{ "help", VIEW_ROWS, "", "commands", NULL, help_columns },
};

const struct view *
view_all(size_t *count_out)
{
	*count_out = sizeof(views) / sizeof(views[0]);
	return views;
}
