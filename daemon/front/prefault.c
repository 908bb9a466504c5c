/*
 * Orders, comparisons and the verdict whether pre-copying pays.
 *
 * Runs in: front. The figures are the kernel's: times of our own, rusage as the zygote reports it, faults of parked
 * children as the supervisor reads them. A child's word is in none of them.
 */
#include "front/prefault.h"

#include "base/log.h"
#include "front/front.h"
#include "front/generation.h"
#include "front/pool.h"
#include "front/sample.h"

/* Nothing is learned where so many first requests had fewer faults in the mean: there is nothing to gain. */
#define FIRST_REQUESTS 16
#define FAULTS_MIN     64

/*
 * A young generation has this many requests sampled, as they come, and LOST_MAX more if some are lost: the first ones are,
 * until there is a survey. Later one in so many; with a table, of the children that go without.
 */
#define LEARN_YOUNG 24
#define LOST_MAX    64
#define LEARN_EVERY 1024

/* A verdict is given when each kind has served so many. */
#define TRIAL_REQUESTS 32

/* Orders without a table after a bad verdict. */
#define PAUSE_ORDERS 16384

static enum prefault_kind
kind_of(const struct child *child)
{
	return child->prefaults ? PREFAULT_WITH : PREFAULT_WITHOUT;
}

static bool
is_worth_it(const struct prefault_watch *watch)
{
	return watch->judged >= FIRST_REQUESTS &&
	       watch->judged_faults >= (uint64_t)FAULTS_MIN * watch->judged;
}

/* Samples that an operator wants teach as well: there may be a table that would not be worth it. */
static bool
has_table(const struct prefault_watch *watch)
{
	return watch->version != 0 && watch->runs != 0 && is_worth_it(watch);
}

bool
prefault_order(struct generation *generation)
{
	struct prefault_watch *watch = &generation->prefault;

	if (!has_table(watch))
		return false;
	if (watch->paused > 0) {
		watch->paused--;
		return false;
	}
	watch->orders = (watch->orders + 1) % PREFAULT_SHARE;
	return watch->orders != 0;
}

/* ---- what to learn from ---- */

bool
prefault_is_sample(struct child *child)
{
	struct prefault_watch *watch = &child->generation->prefault;
	const struct pool *pool = child->generation->pool;

	if (pool->config->prefault_bytes == 0 || child->prefaults || pool->held != NULL ||
	    !is_worth_it(watch))
		return false;
	watch->plain++;
	if (watch->learned >= LEARN_YOUNG + watch->lost &&
	    watch->plain < (has_table(watch) ? LEARN_EVERY / PREFAULT_SHARE : LEARN_EVERY))
		return false;
	watch->plain = 0;
	watch->learned++;
	return true;
}

void
prefault_on_lost(struct generation *generation)
{
	if (generation->prefault.lost < LOST_MAX)
		generation->prefault.lost++;
}

void
prefault_on_table(struct front *front, const struct msg_prefault *message)
{
	struct generation *generation;

	LIST_FOREACH (generation, &front->pools[message->pool].generations, link) {
		struct prefault_watch *watch = &generation->prefault;
		if (generation->number != message->generation)
			continue;
		watch->version = message->version;
		watch->runs = message->runs;
		prefault_measure(generation->pool);
	}
}

/* ---- faults before the request ---- */

static bool
is_measured(const struct prefault_watch *watch, enum prefault_kind kind)
{
	return watch->parked[kind] != 0 &&
	       (kind == PREFAULT_WITHOUT || watch->parked_version == watch->version);
}

void
prefault_measure(struct pool *pool)
{
	struct generation *generation = pool->current;
	struct child *child;

	if (generation == NULL || !has_table(&generation->prefault) || pool->held != NULL ||
	    pool->queued > 0 ||
	    (is_measured(&generation->prefault, PREFAULT_WITH) &&
	     is_measured(&generation->prefault, PREFAULT_WITHOUT)))
		return;
	TAILQ_FOREACH (child, &generation->lists[CHILD_PARKED], link) {
		if (is_measured(&generation->prefault, kind_of(child)) ||
		    (child->prefaults && child->table != generation->prefault.version))
			continue;
		sample_hold_parked(child);
		return;
	}
}

void
prefault_on_measured(const struct child *child, uint64_t faults)
{
	struct prefault_watch *watch = &child->generation->prefault;

	watch->parked[kind_of(child)] = faults;
	if (child->prefaults)
		watch->parked_version = child->table;
}

/* ---- what it brings ---- */

static bool
is_dearer(uint64_t sum, uint64_t count, uint64_t than_sum, uint64_t than_count, unsigned percent)
{
	return sum / count * 100 > than_sum / than_count * percent;
}

/*
 * It is to shorten requests, and may cost some more time of processors for pages that not all of them touch. Requests that
 * wait for something else are as long either way.
 */
static void
judge(struct generation *generation)
{
	struct prefault_watch *watch = &generation->prefault;
	struct prefault_trial *with = &watch->trials[PREFAULT_WITH];
	struct prefault_trial *without = &watch->trials[PREFAULT_WITHOUT];

	if (with->requests < TRIAL_REQUESTS || without->requests < TRIAL_REQUESTS)
		return;
	if (is_dearer(with->run_us, with->requests, without->run_us, without->requests, 110) ||
	    is_dearer(with->cpu_us, with->requests, without->cpu_us, without->requests, 125)) {
		watch->paused = PAUSE_ORDERS;
		log_event(LOG_INFO, "touching pages beforehand does not pay",
			  "pool=%s generation=%u run_us=%llu without_us=%llu",
			  generation->pool->config->name, generation->number,
			  (unsigned long long)(with->run_us / with->requests),
			  (unsigned long long)(without->run_us / without->requests));
	}
	*with = *without = (struct prefault_trial){ 0 };
}

static void
count_effect(struct prefault_watch *watch, const struct child *child,
	     const struct child_exit *ended, uint64_t run_us)
{
	const enum prefault_kind kind = kind_of(child);
	struct msg_prefault_effect *effect = &watch->effects[kind];
	struct prefault_trial *trial = &watch->trials[kind];

	effect->requests++;
	effect->run_us += run_us;
	effect->cpu_us += ended->cpu_us;
	trial->requests++;
	trial->run_us += run_us;
	trial->cpu_us += ended->cpu_us;
	if (!is_measured(watch, kind) || (child->prefaults && child->table != watch->version) ||
	    ended->minor_faults < watch->parked[kind])
		return;
	effect->counted++;
	effect->faults += ended->minor_faults - watch->parked[kind];
}

void
prefault_on_exit(const struct child *child, const struct child_exit *ended)
{
	struct generation *generation = child->generation;
	struct prefault_watch *watch = &generation->prefault;

	if (generation->pool->config->prefault_bytes == 0 || ended->by_signal ||
	    child->done_ns == 0)
		return;
	if (!child->prefaults && watch->judged < FIRST_REQUESTS) {
		watch->judged++;
		watch->judged_faults += ended->minor_faults;
	}
	if (!has_table(watch) || watch->paused > 0)
		return;
	count_effect(watch, child, ended, (child->done_ns - child->taken_ns) / 1000);
	judge(generation);
}

static enum prefault_state
state_of(const struct pool *pool)
{
	const struct generation *generation = pool->current;

	if (pool->config->prefault_bytes == 0)
		return PREFAULT_OFF;
	if (generation == NULL)
		return PREFAULT_IDLE;
	if (has_table(&generation->prefault))
		return generation->prefault.paused > 0 ? PREFAULT_PAUSED : PREFAULT_ON;
	return is_worth_it(&generation->prefault) ? PREFAULT_LEARNING : PREFAULT_IDLE;
}

void
prefault_stats(const struct pool *pool, struct msg_stats *stats_out)
{
	stats_out->prefault_state = state_of(pool);
	for (int kind = 0; pool->current != NULL && kind < PREFAULT_KIND_MAX; kind++)
		stats_out->prefault[kind] = pool->current->prefault.effects[kind];
}
