/*
 * Penalties of sources. Pure.
 *
 * Runs in: front. Addresses are the peer's choice (an IPv6 site has many /64), so the table is
 * bounded and its hash is keyed; when a set is full the least guilty of it makes room. Rule: an
 * entry that is refused now loses its place only to a set full of such entries.
 */
#include "front/penalty.h"

#include "front/recycle_watch.h"
#include "front/sip_hash.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#define MS_NS 1000000ull

/* ---- points ---- */

/* What guessing at the address layout leaves behind weighs most; what an honest client may do once
 * in a while, little. */
enum { POINTS_FAULT = 20, POINTS_CRASH = 10, POINTS_SLOW = 5, POINTS_BAD = 2 };

unsigned
penalty_outcome_points(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_BAD_REPLY:
		return POINTS_FAULT;
	case OUTCOME_CPU_LIMIT:
	case OUTCOME_MEMORY_LIMIT:
		return POINTS_CRASH;
	case OUTCOME_TIMEOUT:
		return POINTS_SLOW;
	case OUTCOME_BAD_REQUEST:
	case OUTCOME_HEADER_TIMEOUT:
	case OUTCOME_BODY_TOO_SLOW:
	case OUTCOME_CLIENT_SLOW:
		return POINTS_BAD;
	default:
		return 0;
	}
}

/* SIGKILL is ours or the operator's; SIGXCPU has its outcome; exit codes tell of errors that the
 * worker saw. */
unsigned
penalty_exit_points(bool by_signal, int code)
{
	if (!by_signal)
		return 0;
	if (recycle_watch_is_fault(code))
		return POINTS_FAULT;
	return code == SIGKILL || code == SIGTERM || code == SIGXCPU ? 0 : POINTS_CRASH;
}

/* ---- the table ---- */

struct penalty_source
penalty_source_make(const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct penalty_source source = { 0 };

	for (int i = 0; i < 8; i++)
		source.high = source.high << 8 | address[i];
	if (memcmp(address, mapped, sizeof(mapped)) == 0)
		for (int i = 8; i < 16; i++)
			source.low = source.low << 8 | address[i];
	return source;
}

/* Points fade and relapses are forgotten, both only while the source is not refused. */
static void
fade(struct penalty_entry *entry, uint32_t threshold, uint64_t now_ns)
{
	const uint64_t gone_ms = now_ns > entry->faded_ns ? (now_ns - entry->faded_ns) / MS_NS : 0;
	const uint64_t milli = gone_ms > PENALTY_FADE_MS
				       ? UINT64_MAX
				       : gone_ms * threshold * 1000 / PENALTY_FADE_MS;

	if (gone_ms == 0)
		return;
	entry->milli -= milli < entry->milli ? milli : entry->milli;
	entry->faded_ns += gone_ms * MS_NS;
	while (entry->relapses > 0 && now_ns > entry->until_ns + PENALTY_FORGET_MS * MS_NS) {
		entry->relapses--;
		entry->until_ns += PENALTY_FORGET_MS * MS_NS;
	}
}

static bool
is_free(const struct penalty_entry *entry)
{
	return entry->milli == 0 && entry->relapses == 0;
}

/* Whether `a` is the guiltier of the two: refused for longer, more relapses, more points. */
static bool
is_guiltier(const struct penalty_entry *a, const struct penalty_entry *b, uint64_t now_ns)
{
	const uint64_t a_until = a->until_ns > now_ns ? a->until_ns : 0;
	const uint64_t b_until = b->until_ns > now_ns ? b->until_ns : 0;

	if (a_until != b_until)
		return a_until > b_until;
	if (a->relapses != b->relapses)
		return a->relapses > b->relapses;
	return a->milli > b->milli;
}

static struct penalty_entry *
find(struct penalty_table *table, const struct penalty_source *source)
{
	struct penalty_entry *set =
		table->entries[sip_hash_pair(table->key, source->high, source->low) % PENALTY_SETS];

	for (int i = 0; i < PENALTY_WAYS; i++)
		if (set[i].high == source->high && set[i].low == source->low && !is_free(&set[i]))
			return &set[i];
	return NULL;
}

static struct penalty_entry *
take(struct penalty_table *table, const struct penalty_source *source, uint64_t now_ns)
{
	struct penalty_entry *set =
		table->entries[sip_hash_pair(table->key, source->high, source->low) % PENALTY_SETS];
	struct penalty_entry *least = &set[0];

	for (int i = 0; i < PENALTY_WAYS; i++) {
		fade(&set[i], table->threshold, now_ns);
		if (is_guiltier(least, &set[i], now_ns))
			least = &set[i];
	}
	*least = (struct penalty_entry){ .high = source->high,
					 .low = source->low,
					 .faded_ns = now_ns };
	return least;
}

/* Half of the points stay, so that it takes less to be refused again than it took at first. */
static uint32_t
refuse(struct penalty_table *table, struct penalty_entry *entry, uint64_t now_ns)
{
	uint32_t ms = PENALTY_LONGEST_MS;

	if (entry->relapses < 10 && (PENALTY_FIRST_MS << entry->relapses) < PENALTY_LONGEST_MS)
		ms = PENALTY_FIRST_MS << entry->relapses;
	if (entry->relapses < UINT32_MAX)
		entry->relapses++;
	entry->until_ns = entry->faded_ns = now_ns + ms * MS_NS;
	entry->milli = table->threshold * 500ull;
	table->begun++;
	return ms;
}

uint32_t
penalty_add(struct penalty_table *table, const struct penalty_source *source, unsigned points,
	    uint64_t now_ns)
{
	struct penalty_entry *entry;

	if (table->threshold == 0 || source->exempt || points == 0)
		return 0;
	entry = find(table, source);
	if (entry == NULL)
		entry = take(table, source, now_ns);
	if (now_ns < entry->until_ns)
		return 0; /* for what it sent before it was refused */
	fade(entry, table->threshold, now_ns);
	entry->milli += points * 1000ull;
	return entry->milli >= table->threshold * 1000ull ? refuse(table, entry, now_ns) : 0;
}

unsigned
penalty_check(struct penalty_table *table, const struct penalty_source *source, uint64_t now_ns)
{
	struct penalty_entry *entry;

	if (table->threshold == 0 || source->exempt)
		return 0;
	entry = find(table, source);
	if (entry == NULL || now_ns >= entry->until_ns)
		return 0;
	entry->refused++;
	return 1 + (unsigned)((entry->until_ns - now_ns) / (1000 * MS_NS));
}

/* ---- listing ---- */

/* Into a list that is kept in order; the last one falls out when it is full. */
static unsigned
insert(struct penalty_entry *list, unsigned count, unsigned most, const struct penalty_entry *entry,
       uint64_t now_ns)
{
	unsigned at = count < most ? count : most;

	while (at > 0 && is_guiltier(entry, &list[at - 1], now_ns)) {
		if (at < most)
			list[at] = list[at - 1];
		at--;
	}
	if (at < most)
		list[at] = *entry;
	return count < most ? count + 1 : most;
}

unsigned
penalty_count(const struct penalty_table *table, uint64_t now_ns)
{
	unsigned count = 0;

	if (table->begun == 0)
		return 0; /* saves going through it */
	for (unsigned i = 0; i < PENALTY_ENTRIES; i++)
		count += table->entries[i / PENALTY_WAYS][i % PENALTY_WAYS].until_ns > now_ns;
	return count;
}

unsigned
penalty_list(const struct penalty_table *table, uint64_t now_ns, struct penalty_entry *list_out,
	     unsigned most)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PENALTY_ENTRIES; i++) {
		struct penalty_entry entry = table->entries[i / PENALTY_WAYS][i % PENALTY_WAYS];
		fade(&entry, table->threshold, now_ns);
		if (!is_free(&entry))
			count = insert(list_out, count, most, &entry, now_ns);
	}
	return count;
}
