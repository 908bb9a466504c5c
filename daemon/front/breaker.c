/*
 * The crash breaker. Pure.
 *
 * Runs in: front. Crashes are counted in slices of the window, so that neither their number nor
 * their rate costs memory. Rule: while it is not closed at most one request runs on its account,
 * and ends of requests that began before it opened change nothing.
 */
#include "front/breaker.h"

#define MS_NS 1000000ull

bool
breaker_is_crash(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_CRASHED:
	case OUTCOME_SANDBOX:
	case OUTCOME_CPU_LIMIT:
	case OUTCOME_MEMORY_LIMIT:
	case OUTCOME_BAD_REPLY:
		return true;
	default:
		return false;
	}
}

enum breaker_verdict
breaker_admit(struct breaker *breaker, uint64_t now_ns)
{
	if (breaker->state == BREAKER_CLOSED)
		return BREAKER_RUN;
	if (breaker->state == BREAKER_PROBING || now_ns < breaker->probe_ns)
		return BREAKER_REFUSE;
	breaker->state = BREAKER_PROBING;
	return BREAKER_PROBE;
}

/* Slices between the newest one and now had no crash; what the ring has there is older. */
static void
advance(struct breaker *breaker, uint64_t slice)
{
	for (uint64_t i = 0; i < BREAKER_SLICES && breaker->slice + i < slice; i++)
		breaker->crashes[(slice - i) % BREAKER_SLICES] = 0;
	breaker->slice = slice;
}

/* Counts a crash. Whether there were enough of them within the window. */
static bool
count_crash(struct breaker *breaker, const struct breaker_rule *rule, uint64_t now_ns)
{
	const uint64_t slice = now_ns / (rule->window_ms * MS_NS / BREAKER_SLICES);
	uint64_t sum = 0;

	if (slice > breaker->slice)
		advance(breaker, slice);
	breaker->crashes[breaker->slice % BREAKER_SLICES]++;
	for (int i = 0; i < BREAKER_SLICES; i++)
		sum += breaker->crashes[i];
	return sum >= rule->crashes;
}

static void
wait_for_probe(struct breaker *breaker, uint32_t interval_ms, uint64_t now_ns)
{
	breaker->state = BREAKER_OPEN;
	breaker->interval_ms =
		interval_ms < BREAKER_PROBE_MAX_MS ? interval_ms : BREAKER_PROBE_MAX_MS;
	breaker->probe_ns = now_ns + breaker->interval_ms * MS_NS;
}

static enum breaker_change
end_probe(struct breaker *breaker, enum outcome outcome, uint64_t now_ns)
{
	if (outcome == OUTCOME_OK) {
		*breaker = (struct breaker){ .opened = breaker->opened,
					     .opened_ns = breaker->opened_ns };
		return BREAKER_HAS_CLOSED;
	}
	wait_for_probe(breaker, breaker->interval_ms << breaker_is_crash(outcome), now_ns);
	return BREAKER_SAME;
}

enum breaker_change
breaker_end(struct breaker *breaker, const struct breaker_rule *rule, enum outcome outcome,
	    bool probe, uint64_t now_ns)
{
	if (probe)
		return end_probe(breaker, outcome, now_ns);
	if (breaker->state != BREAKER_CLOSED || rule->crashes == 0 || !breaker_is_crash(outcome) ||
	    !count_crash(breaker, rule, now_ns))
		return BREAKER_SAME;
	breaker->opened++;
	breaker->opened_ns = now_ns;
	wait_for_probe(breaker, BREAKER_PROBE_MS, now_ns);
	return BREAKER_HAS_OPENED;
}

unsigned
breaker_retry_after(const struct breaker *breaker, uint64_t now_ns)
{
	const uint64_t left = breaker->probe_ns > now_ns ? breaker->probe_ns - now_ns : 0;

	return 1 + (unsigned)(left / (1000 * MS_NS));
}
