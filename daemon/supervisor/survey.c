/*
 * Who waits for a survey, and the probe that is measured just now.
 *
 * Reading a large process's page tables holds its mmap_lock, and a fork waits for that; so it is
 * never the zygote that is read, but a child that it forks for the purpose and that has the same
 * pages. Forking one is what each request costs as well.
 *
 * Runs in: supervisor. The rule: one probe at a time, a bound on each step, and every probe is
 * ended.
 */
#include "supervisor/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/procfs.h"
#include "supervisor/sample_store.h"
#include "supervisor/sampler.h"
#include "supervisor/smaps_reader.h"
#include "supervisor/supervisor.h"
#include "supervisor/survey_measure.h"
#include "supervisor/zygote_proc.h"

#define PROBE_MS 5000  /* for the zygote to fork it, on a machine that has much else to do */
#define STEPS_MS 20000 /* for reading it: a second for each 50 GiB */

struct survey_wait {
	STAILQ_ENTRY(survey_wait) link;
	uint64_t since_ms;
	const struct zygote_pool *pool; /* NULL: all */
	survey_done_fn *done;
	void *owner;
};

/* `generation` is NULL when no probe is measured. */
struct surveys {
	struct supervisor *supervisor;
	STAILQ_HEAD(survey_waits, survey_wait) waits;
	struct event *timer; /* pending: bounds the step, or brings the next slice */
	struct event *slice;
	struct zygote_generation *generation;
	uint64_t cookie;
	struct survey_measure measure;
};

static void go_on(struct surveys *surveys);

/* ---- one probe ---- */

static int
send_probe(const struct surveys *surveys, enum msg_type type)
{
	struct msg_cookie message = { .cookie = surveys->cookie };

	msg_init(&message, type);
	return channel_send(&surveys->generation->channel, &message, NULL, 0);
}

static void
end_probe(struct surveys *surveys, const char *error)
{
	struct zygote_pool *pool = surveys->generation->pool;

	evtimer_del(surveys->timer);
	evtimer_del(surveys->slice);
	survey_measure_close(&surveys->measure);
	if (send_probe(surveys, MSG_PROBE_END) < 0)
		log_event(LOG_DEBUG, "probe not ended", "error=\"%s\"", strerror(errno));
	surveys->generation = NULL;
	pool->survey_error = error;
	pool->survey_error_ms = clock_ms();
}

static void
fail(struct surveys *surveys, const char *error)
{
	end_probe(surveys, error);
	go_on(surveys);
}

static void
on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct surveys *surveys = context;

	(void)fd;
	(void)what;
	fail(surveys, surveys->measure.is_open ? "the probe child took too long to read"
					       : "the zygote did not answer in time");
}

static void
set_bound(struct surveys *surveys, uint32_t ms)
{
	const struct timeval timeout = clock_timeval(ms);

	if (evtimer_add(surveys->timer, &timeout) < 0)
		die("out of memory");
}

/* Lets the loop see to its other events, then calls on_slice. */
static void
come_back(struct surveys *surveys, uint32_t ms)
{
	const struct timeval wait = clock_timeval(ms);

	if (evtimer_add(surveys->slice, &wait) < 0)
		die("out of memory");
}

/* Children of all its zygotes but for the probe. The other zygotes are among the children of the first, and share as much. */
static uint32_t
count_siblings(const struct zygote_generation *generation)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i <= generation->siblings_count; i++) {
		uint32_t count = 0;
		if (procfs_children_count(zygote_proc_pid(generation, i), &count) == 0)
			sum += count;
	}
	return sum > 0 ? sum - 1 : 0;
}

static void
on_slice(evutil_socket_t fd, short what, void *context)
{
	struct surveys *surveys = context;
	struct zygote_generation *generation = surveys->generation;

	(void)fd;
	(void)what;
	switch (survey_measure_step(&surveys->measure)) {
	case SURVEY_MEASURE_MORE:
		come_back(surveys, 0);
		return;
	case SURVEY_MEASURE_LATER:
		come_back(surveys, 2);
		return;
	case SURVEY_MEASURE_WAIT:
		return; /* on_rollup comes back here */
	case SURVEY_MEASURE_FAILED:
		fail(surveys, surveys->measure.error);
		return;
	case SURVEY_MEASURE_DONE:
		break;
	}
	if (survey_measure_finish(&surveys->measure, generation->process.pid,
				  generation->ready.image.image_bytes, &generation->subject) < 0) {
		fail(surveys, surveys->measure.error);
		return;
	}
	generation->subject.survey.siblings = count_siblings(generation);
	end_probe(surveys, NULL);
	go_on(surveys);
}

static void
on_rollup(void *owner)
{
	come_back(owner, 0);
}

void
survey_on_probed(struct zygote_generation *generation, const struct msg_buffer *buffer)
{
	struct surveys *surveys = generation->pool->supervisor->surveys;
	const struct msg_probed *message = (const void *)buffer->bytes;

	if (surveys->generation != generation || message->cookie != surveys->cookie ||
	    surveys->measure.is_open)
		return;
	if (message->error != 0 || buffer->fds_count != 1) {
		fail(surveys,
		     message->error == ETOOMANYREFS
			     ? "too many descriptors of this user are on their way between "
			       "processes: ask again"
			     : "the zygote could not fork a probe");
		return;
	}
	if (survey_measure_open(&surveys->measure, surveys->supervisor->base, buffer->fds[0],
				on_rollup, surveys) < 0) {
		fail(surveys, surveys->measure.error);
		return;
	}
	set_bound(surveys, STEPS_MS);
	come_back(surveys, 0);
}

/* ---- who waits ---- */

/* Errors are not kept from those who ask later. */
static bool
is_answered(const struct zygote_pool *pool, const struct survey_wait *wait)
{
	const struct zygote_generation *serving = pool->serving;

	if (serving == NULL)
		return true;
	if (pool->survey_error != NULL && pool->survey_error_ms >= wait->since_ms)
		return true;
	return serving->subject.survey.taken_ms != 0 &&
	       serving->subject.survey.taken_ms + SURVEY_FRESH_MS > wait->since_ms;
}

/* A pool that the wait is for and that has no answer; NULL when it has all of them. */
static struct zygote_pool *
find_missing(const struct surveys *surveys, const struct survey_wait *wait)
{
	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(surveys->supervisor, pool)) != NULL;)
		if ((wait->pool == NULL || wait->pool == pool) && !is_answered(pool, wait))
			return pool;
	return NULL;
}

static void
start(struct surveys *surveys, struct zygote_pool *pool)
{
	surveys->generation = pool->serving;
	surveys->cookie++;
	if (send_probe(surveys, MSG_PROBE) < 0) {
		surveys->generation = NULL;
		pool->survey_error = "the zygote is busy";
		pool->survey_error_ms = clock_ms();
		return;
	}
	set_bound(surveys, PROBE_MS);
}

/* Answers who can be answered, and starts the next probe that somebody waits for. */
static void
go_on(struct surveys *surveys)
{
	struct survey_wait *wait;

	while (surveys->generation == NULL && (wait = STAILQ_FIRST(&surveys->waits)) != NULL) {
		struct zygote_pool *pool = find_missing(surveys, wait);
		if (pool != NULL) {
			start(surveys, pool);
			continue;
		}
		STAILQ_REMOVE_HEAD(&surveys->waits, link);
		if (wait->done != NULL)
			wait->done(wait->owner);
		free(wait);
	}
}

int
survey_ask(struct surveys *surveys, const struct zygote_pool *pool, survey_done_fn *done,
	   void *owner)
{
	struct survey_wait *wait = calloc(1, sizeof(*wait));

	if (wait == NULL)
		return -1;
	*wait = (struct survey_wait){
		.since_ms = clock_ms(), .pool = pool, .done = done, .owner = owner
	};
	STAILQ_INSERT_TAIL(&surveys->waits, wait, link);
	go_on(surveys);
	return 0;
}

const struct survey *
survey_of(const struct zygote_pool *pool, const char **error_out)
{
	const struct zygote_generation *serving = pool->serving;

	*error_out = NULL;
	if (serving != NULL && serving->subject.survey.taken_ms != 0)
		return &serving->subject.survey;
	if (serving == NULL)
		*error_out = "the pool is not serving";
	else
		*error_out = pool->survey_error != NULL ? pool->survey_error
							: "the pool was replaced meanwhile";
	return NULL;
}

/* ---- life ---- */

struct surveys *
surveys_new(struct supervisor *supervisor)
{
	struct surveys *surveys = calloc(1, sizeof(*surveys));

	if (surveys == NULL)
		return NULL;
	surveys->supervisor = supervisor;
	STAILQ_INIT(&surveys->waits);
	surveys->timer = evtimer_new(supervisor->base, on_timeout, surveys);
	surveys->slice = evtimer_new(supervisor->base, on_slice, surveys);
	if (surveys->timer != NULL && surveys->slice != NULL)
		return surveys;
	surveys_free(surveys);
	return NULL;
}

void
surveys_free(struct surveys *surveys)
{
	if (surveys == NULL)
		return;
	survey_measure_close(&surveys->measure);
	while (!STAILQ_EMPTY(&surveys->waits)) {
		struct survey_wait *wait = STAILQ_FIRST(&surveys->waits);
		STAILQ_REMOVE_HEAD(&surveys->waits, link);
		free(wait);
	}
	if (surveys->timer != NULL)
		event_free(surveys->timer);
	if (surveys->slice != NULL)
		event_free(surveys->slice);
	free(surveys);
}

/* The text is the worker's, or that of a file it read: printable ASCII of it goes on. */
static void
take_name(struct page_region *region, const char *name)
{
	for (size_t i = 0; i + 1 < sizeof(region->name) && name[i] != '\0'; i++)
		region->name[i] = (char)(name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?');
}

/* Kept in order; one that overlaps an earlier one gets what is left behind that. */
static void
insert_region(struct survey_subject *subject, struct page_region region)
{
	size_t at = subject->regions_count;

	while (at > 0 && subject->regions[at - 1].first > region.first)
		at--;
	memmove(&subject->regions[at + 1], &subject->regions[at],
		(subject->regions_count - at) * sizeof(region));
	subject->regions[at] = region;
	subject->regions_count++;
}

void
survey_on_region(struct zygote_generation *generation, const struct msg_region *message)
{
	struct survey_subject *subject = &generation->subject;
	struct page_region region = {
		.first = message->address >> PAGE_BITS,
		.end = (message->address + (message->bytes - 1)) / PAGE_BYTES + 1,
	};

	if (generation->state != GENERATION_LOADING ||
	    subject->regions_count == PROTO_REGIONS_MAX || message->bytes == 0 ||
	    region.end <= region.first)
		return;
	if (subject->regions == NULL)
		subject->regions = calloc(PROTO_REGIONS_MAX, sizeof(*subject->regions));
	if (subject->regions == NULL)
		return;
	take_name(&region, message->name);
	insert_region(subject, region);
}

void
survey_forget(struct zygote_generation *generation)
{
	struct surveys *surveys = generation->pool->supervisor->surveys;
	struct survey_subject *subject = &generation->subject;

	if (surveys != NULL && surveys->generation == generation)
		fail(surveys, "the pool was replaced meanwhile");
	page_image_free(subject->survey.image);
	free(subject->regions);
	*subject = (struct survey_subject){ 0 };
}
