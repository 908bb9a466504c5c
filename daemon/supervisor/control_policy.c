/*
 * Sightings to JSON.
 *
 * Runs in: supervisor. The arguments are children's: they are printed as numbers, never followed.
 * Field names do not change: programs rely on them.
 */
#include "supervisor/control_policy.h"

#include "supervisor/config.h"
#include "supervisor/config_keys.h"
#include "supervisor/policy_log.h"
#include "supervisor/zygote_proc.h"

/* Where the operator finds the calls. */
static const char *
source_of(const struct zygote_pool *pool)
{
	if (pool->config->sandbox != SANDBOX_LOG)
		return "";
	return policy_log_is_kernels(pool->supervisor) ? "kernel log" : "daemon";
}

static json_t *
pool_json(const struct zygote_pool *pool)
{
	const struct policy_seen *seen = policy_log_seen(pool);
	const struct config_key *key = config_key_find(CONFIG_POOL, "sandbox");

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "pool", pool->config->front.name,
			 "profile", pool->config->profile, "sandbox",
			 key->choice(pool->config->sandbox), "source", source_of(pool), "kinds",
			 (json_int_t)(seen != NULL ? seen->count : 0), "unlisted_calls",
			 (json_int_t)(seen != NULL ? seen->beyond : 0));
}

static json_t *
sighting_json(const struct zygote_pool *pool, const struct policy_sighting *sighting)
{
	char row[POLICY_ROW_TEXT_MAX];
	char args[160];

	policy_seen_format_args(sighting, args, sizeof(args));
	policy_seen_format_row(sighting, pool->config->profile, row, sizeof(row));
	return json_pack("{s:s, s:s, s:i, s:I, s:i, s:s, s:s}", "pool", pool->config->front.name,
			 "call", sighting->call, "number", sighting->number, "count",
			 (json_int_t)sighting->count, "pid", sighting->pid, "arguments", args,
			 "row", row);
}

json_t *
control_policy_make(const struct supervisor *supervisor, const struct zygote_pool *only)
{
	json_t *pools = json_array();
	json_t *calls = json_array();

	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		const struct policy_seen *seen = policy_log_seen(pool);
		if (only != NULL && pool != only)
			continue;
		json_array_append_new(pools, pool_json(pool));
		for (unsigned i = 0; seen != NULL && i < seen->count; i++)
			json_array_append_new(calls, sighting_json(pool, &seen->sightings[i]));
	}
	return json_pack("{s:b, s:o, s:o}", "ok", 1, "pools", pools, "calls", calls);
}
