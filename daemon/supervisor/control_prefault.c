/*
 * What was learned, and what it brings.
 *
 * Runs in: supervisor. Figures of effect are of the generation that serves, since it has a table: both kinds of children
 * served beside each other.
 */
#include "supervisor/control_prefault.h"

#include "base/proto.h"
#include "supervisor/config.h"
#include "supervisor/json_set.h"
#include "supervisor/prefault.h"
#include "supervisor/zygote_proc.h"

static enum prefault_state
state_of(const struct zygote_pool *pool, const struct msg_stats *stats)
{
	if (pool->config->front.prefault_bytes == 0)
		return PREFAULT_OFF;
	return prefault_is_available(pool->supervisor) ? (enum prefault_state)stats->prefault_state
						       : PREFAULT_UNAVAILABLE;
}

void
control_prefault_add(json_t *object, const struct zygote_pool *pool, const struct msg_stats *stats)
{
	const struct prefault_figures figures = prefault_figures_of(pool->serving);

	json_set_text(object, "prefault", proto_prefault_name(state_of(pool, stats)));
	json_set_number(object, "prefault_samples", figures.samples);
	json_set_number(object, "prefault_runs", figures.runs);
	json_set_number(object, "prefault_bytes", figures.write_bytes);
	json_set_number(object, "prefault_read_places", figures.read_places);
}

static uint64_t
mean(uint64_t sum, uint64_t count)
{
	return count > 0 ? sum / count : 0;
}

void
control_prefault_add_effect(json_t *object, const struct msg_stats *stats)
{
	static const struct {
		const char *requests, *run, *cpu, *faults;
	} names[PREFAULT_KIND_MAX] = {
		[PREFAULT_WITHOUT] = { "plain_requests", "plain_run_mean_us", "plain_cpu_mean_us",
				       "plain_faults_mean" },
		[PREFAULT_WITH] = { "prefault_requests", "prefault_run_mean_us",
				    "prefault_cpu_mean_us", "prefault_faults_mean" },
	};

	for (int kind = 0; kind < PREFAULT_KIND_MAX; kind++) {
		const struct msg_prefault_effect *effect = &stats->prefault[kind];
		json_set_number(object, names[kind].requests, effect->requests);
		json_set_number(object, names[kind].run, mean(effect->run_us, effect->requests));
		json_set_number(object, names[kind].cpu, mean(effect->cpu_us, effect->requests));
		if (effect->counted > 0)
			json_set_number(object, names[kind].faults,
					effect->faults / effect->counted);
		else
			json_object_set_new(object, names[kind].faults, json_null());
	}
}
