/*
 * Tables: made with the zygote, filled as samples come, told to the front.
 *
 * Runs in: supervisor, which alone can write them. Only children that touched nothing beforehand teach: others would
 * confirm whatever the table says. Which they are says the front; a wrong one costs time of parked children and no more.
 */
#include "supervisor/prefault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "base/prefault_table.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/fronts.h"
#include "supervisor/page_walk.h"
#include "supervisor/prefault_votes.h"
#include "supervisor/sample_store.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

/* With fewer samples chance would decide; then looked at again after each so many. */
#define SAMPLES_MIN  4
#define SAMPLES_STEP 4

/* Of a child's `memory`, that may be used up before its request comes. */
#define MEMORY_SHARE 4

struct prefault {
	struct prefault_table *table;
	struct prefault_votes votes;
	uint64_t pages_max;
	uint32_t version; /* of the table; 0: nothing was learned yet */
};

/* ---- whether ---- */

/* Linux 5.14; before, EINVAL. */
static bool
can_populate(void)
{
	static int known = -1;

	if (known >= 0)
		return known;
	void *page =
		mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	known = madvise(page, PAGE_BYTES, MADV_POPULATE_WRITE) == 0;
	munmap(page, PAGE_BYTES);
	return known;
}

/* Which page is which of a child that is not dumpable, only root may read. */
bool
prefault_is_available(const struct supervisor *supervisor)
{
	return supervisor->identity.is_root && can_populate();
}

uint64_t
prefault_bytes(const struct supervisor *supervisor, const struct config_pool *pool)
{
	const uint64_t share = pool->memory_bytes / MEMORY_SHARE;

	if (pool->front.prefault_bytes == 0 || !prefault_is_available(supervisor))
		return 0;
	return pool->front.prefault_bytes < share ? pool->front.prefault_bytes : share;
}

/* ---- the table ---- */

/* Our mapping comes first: after the seal there can be no other one that writes, in no process. */
static int
map_and_seal(int fd, struct prefault_table **table_out)
{
	if (ftruncate(fd, sizeof(struct prefault_table)) < 0)
		return -1;
	void *table = mmap(NULL, sizeof(struct prefault_table), PROT_READ | PROT_WRITE, MAP_SHARED,
			   fd, 0);
	if (table == MAP_FAILED)
		return -1;
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) < 0) {
		int saved = errno;
		munmap(table, sizeof(struct prefault_table));
		errno = saved;
		return -1;
	}
	*table_out = table;
	return 0;
}

int
prefault_open(struct zygote_generation *generation, const struct config_pool *config, int *fd_out)
{
	const uint64_t bytes = prefault_bytes(generation->pool->supervisor, config);
	struct prefault *prefault;

	*fd_out = -1;
	if (bytes == 0)
		return 0;
	prefault = calloc(1, sizeof(*prefault));
	if (prefault == NULL)
		return -1;
	prefault->pages_max = bytes / PAGE_BYTES;
	*fd_out = memfd_create("zygoted-prefault", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd_out < 0 || map_and_seal(*fd_out, &prefault->table) < 0) {
		int saved = errno;
		free(prefault);
		errno = saved;
		return -1;
	}
	generation->prefault = prefault;
	return 0;
}

void
prefault_forget(struct zygote_generation *generation)
{
	struct prefault *prefault = generation->prefault;

	if (prefault == NULL)
		return;
	munmap(prefault->table, sizeof(*prefault->table));
	prefault_votes_free(&prefault->votes);
	free(prefault);
	generation->prefault = NULL;
}

static const struct prefault_side *
current_side(const struct prefault *prefault)
{
	return &prefault->table->sides[prefault->table->current & 1];
}

void
prefault_tell_front(const struct zygote_generation *generation, struct front_proc *front)
{
	const struct prefault *prefault = generation->prefault;
	struct msg_prefault message = { .pool = generation->pool->index,
					.generation = generation->number };

	if (prefault == NULL || prefault->version == 0)
		return;
	message.version = prefault->version;
	message.runs = current_side(prefault)->count;
	msg_init(&message, MSG_PREFAULT);
	if (front_proc_send(front, &message) < 0)
		log_event(LOG_DEBUG, "table not told", "pool=%s error=\"%s\"",
			  generation->pool->config->front.name, strerror(errno));
}

static void
tell_fronts(const struct zygote_generation *generation)
{
	const struct supervisor *supervisor = generation->pool->supervisor;

	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		if ((generation->given & (1u << front->index)) != 0)
			prefault_tell_front(generation, front);
}

/*
 * A child that reads on in the old side while it is filled a second time may see a mixture: every run of it is as good as any
 * other.
 */
static bool
renew(struct prefault *prefault)
{
	struct prefault_table *table = prefault->table;
	const struct prefault_side *old = current_side(prefault);
	struct prefault_side *new = &table->sides[(table->current & 1) ^ 1];

	new->count = prefault_votes_choose(&prefault->votes, prefault->pages_max, new->runs);
	if (new->count == old->count &&
	    memcmp(new->runs, old->runs, new->count * sizeof(new->runs[0])) == 0)
		return false;
	__atomic_store_n(&table->current, (table->current & 1) ^ 1, __ATOMIC_RELEASE);
	prefault->version++;
	return true;
}

void
prefault_on_sample(void *owner, struct zygote_generation *generation, const struct sample *sample)
{
	struct prefault *prefault = generation->prefault;

	(void)owner;
	if (prefault == NULL || sample->is_prefaulted)
		return;
	if (prefault_votes_add(&prefault->votes, &sample->written, &sample->read) < 0) {
		log_event(LOG_DEBUG, "sample not learned from", "pool=%s error=\"%s\"",
			  generation->pool->config->front.name, strerror(errno));
		return;
	}
	if (prefault->votes.samples < SAMPLES_MIN || prefault->votes.samples % SAMPLES_STEP != 0 ||
	    !renew(prefault))
		return;
	log_event(LOG_DEBUG, "pages to touch learned", "pool=%s generation=%u samples=%u runs=%u",
		  generation->pool->config->front.name, generation->number, prefault->votes.samples,
		  current_side(prefault)->count);
	tell_fronts(generation);
}

struct prefault_figures
prefault_figures_of(const struct zygote_generation *generation)
{
	const struct prefault *prefault = generation != NULL ? generation->prefault : NULL;
	struct prefault_figures figures = { 0 };

	if (prefault == NULL)
		return figures;
	const struct prefault_side *side = current_side(prefault);
	figures.samples = prefault->votes.samples;
	figures.runs = side->count;
	for (uint32_t i = 0; i < side->count; i++) {
		if (side->runs[i].access == PREFAULT_WRITE)
			figures.write_bytes += (uint64_t)side->runs[i].pages * PAGE_BYTES;
		else
			figures.read_places += side->runs[i].pages;
	}
	return figures;
}
