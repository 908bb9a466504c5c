/*
 * One child after the other, each in slices.
 *
 * Runs in: supervisor. Believes nothing of a child, and of the front that a child is worth a look,
 * no more: at most one of each pool is read or waits, one that is not done after READ_MS is given
 * up, and what the child maps is bounded by page_walk.
 */
#include "supervisor/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/memory_stat.h"
#include "supervisor/page_walk.h"
#include "supervisor/process_stat.h"
#include "supervisor/procfs.h"
#include "supervisor/sample_store.h"
#include "supervisor/supervisor.h"
#include "supervisor/survey.h"
#include "supervisor/zygote_proc.h"

#define STEP_NS	  1000000
#define PARKED_MS 5   /* between two looks at a parked child */
#define READ_MS	  400 /* the front lets it go after 500 */

/* `generation` is NULL where there is none. */
struct sampler_job {
	struct zygote_generation *generation;
	struct msg_sample message;
	uint64_t since_ms;
	int pidfd;
	uint64_t looked_ms; /* SAMPLE_PARKED: when last, and what it had then; 0: not yet */
	uint64_t faults;
	bool is_open;
	struct page_walk walk;
};

struct sampler {
	struct supervisor *supervisor;
	struct event *slice;
	sampler_observer_fn *observer;
	void *observer_owner;
	struct sampler_job jobs[PROTO_POOLS_MAX]; /* by pool */
	uint32_t current;			  /* that is read */
};

static void
yield(struct sampler *sampler, uint32_t ms)
{
	const struct timeval wait = clock_timeval(ms);

	if (evtimer_add(sampler->slice, &wait) < 0)
		die("out of memory");
}

static void
close_job(struct sampler_job *job)
{
	if (job->is_open)
		page_walk_close(&job->walk);
	if (job->generation != NULL)
		close(job->pidfd);
	*job = (struct sampler_job){ 0 };
}

/* The front lets the child go; by itself if it does not hear of it. */
static void
tell_front(const struct sampler *sampler, const struct msg_sample *sample)
{
	struct msg_sample message = *sample;

	msg_init(&message, MSG_SAMPLED);
	if (front_proc_send(&sampler->supervisor->fronts[sample->front], &message) < 0)
		log_event(LOG_DEBUG, "end of a sample not told", "error=\"%s\"", strerror(errno));
}

static void
lose(struct sampler *sampler, struct sampler_job *job, const char *why)
{
	struct zygote_generation *generation = job->generation;

	log_event(LOG_DEBUG, "sample lost", "pool=%s generation=%u reason=\"%s\"",
		  generation->pool->config->front.name, generation->number, why);
	if (generation->samples != NULL && (job->message.flags & SAMPLE_PARKED) == 0)
		generation->samples->lost++;
	job->message.flags |= SAMPLE_LOST;
	tell_front(sampler, &job->message);
	close_job(job);
}

static void
add(struct sampler *sampler, struct sampler_job *job)
{
	struct zygote_generation *generation = job->generation;
	struct sample sample = { .route = job->message.route,
				 .is_prefaulted = (job->message.flags & SAMPLE_PREFAULTED) != 0,
				 .page_table_bytes = job->walk.page_table_bytes };

	if (sample_store_add(generation->samples, &job->walk.mappings, job->walk.states, clock_ms(),
			     &sample) < 0)
		log_event(LOG_WARNING, "out of memory for the pages of a sample", "pool=%s",
			  generation->pool->config->front.name);
	else if (sampler->observer != NULL && generation->samples->image->has_places)
		sampler->observer(sampler->observer_owner, generation, &sample);
	sample_free(&sample);
	tell_front(sampler, &job->message);
	close_job(job);
}

/*
 * Samples can be judged once there is a survey. It is asked for by the first sample, which is lost:
 * the child could not wait for it.
 */
static bool
has_store(struct sampler *sampler, struct zygote_generation *generation)
{
	const struct page_image *image = generation->subject.survey.image;

	if (generation->samples != NULL)
		return true;
	if (image != NULL)
		generation->samples = sample_store_new(image);
	else if (survey_ask(sampler->supervisor->surveys, generation->pool, NULL, NULL) < 0)
		log_event(LOG_WARNING, "out of memory for a survey", "");
	return generation->samples != NULL;
}

static bool
open_job(struct sampler *sampler, struct sampler_job *job)
{
	if (job->is_open)
		return true;
	if (!has_store(sampler, job->generation)) {
		lose(sampler, job, "no survey yet");
		return false;
	}
	if (page_walk_open(&job->walk, job->pidfd) < 0) {
		lose(sampler, job, strerror(errno));
		return false;
	}
	job->is_open = true;
	return true;
}

/*
 * A child whose faults are the same after a while, and who sleeps, is where it waits for its request. Only the kernel is
 * asked, not the child.
 */
static void
step_parked(struct sampler *sampler, struct sampler_job *job)
{
	const uint64_t now = clock_ms();
	struct memory_stat stat;

	if (now < job->looked_ms + PARKED_MS)
		return;
	if (process_stat_read(procfs_pidfd_pid(job->pidfd), &stat) < 0) {
		lose(sampler, job, "gone");
		return;
	}
	if (job->looked_ms != 0 && stat.state == 'S' && stat.faults == job->faults) {
		job->message.faults = stat.faults;
		tell_front(sampler, &job->message);
		close_job(job);
		return;
	}
	job->looked_ms = now;
	job->faults = stat.faults;
}

static void
step(struct sampler *sampler, struct sampler_job *job)
{
	if (clock_ms() - job->since_ms > READ_MS) {
		lose(sampler, job, "not read in time");
		return;
	}
	if ((job->message.flags & SAMPLE_PARKED) != 0) {
		step_parked(sampler, job);
		return;
	}
	if (!open_job(sampler, job))
		return;
	switch (page_walk_step(&job->walk, STEP_NS)) {
	case PAGE_WALK_MORE:
		break;
	case PAGE_WALK_DONE:
		add(sampler, job);
		break;
	case PAGE_WALK_FAILED:
		lose(sampler, job, strerror(errno));
		break;
	}
}

static void
on_slice(evutil_socket_t fd, short what, void *context)
{
	struct sampler *sampler = context;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++) {
		struct sampler_job *job = &sampler->jobs[sampler->current];
		if (job->generation != NULL) {
			step(sampler, job);
			yield(sampler, job->looked_ms != 0 ? PARKED_MS : 0);
			return;
		}
		sampler->current = (sampler->current + 1) % PROTO_POOLS_MAX;
	}
}

void
sampler_on_sample(struct zygote_generation *generation, struct msg_buffer *buffer)
{
	struct sampler *sampler = generation->pool->supervisor->sampler;
	struct sampler_job *job = &sampler->jobs[generation->pool->index];
	const struct msg_sample *message = (const void *)buffer->bytes;

	if (buffer->fds_count != 1 || message->pool != generation->pool->index ||
	    message->generation != generation->number ||
	    message->front >= generation->pool->supervisor->config->fronts ||
	    message->route >= generation->pool->config->front.routes_count)
		return;
	if (job->generation != NULL) {
		tell_front(sampler, message);
		return;
	}
	*job = (struct sampler_job){ .generation = generation,
				     .message = *message,
				     .since_ms = clock_ms(),
				     .pidfd = buffer->fds[0] };
	buffer->fds_count = 0;
	job->message.faults = 0;
	yield(sampler, 0);
}

void
sampler_forget(struct zygote_generation *generation)
{
	struct sampler *sampler = generation->pool->supervisor->sampler;

	if (sampler != NULL && sampler->jobs[generation->pool->index].generation == generation)
		close_job(&sampler->jobs[generation->pool->index]);
	free(generation->samples);
	generation->samples = NULL;
}

void
sampler_observe(struct sampler *sampler, sampler_observer_fn *observer, void *owner)
{
	sampler->observer = observer;
	sampler->observer_owner = owner;
}

struct sampler *
sampler_new(struct supervisor *supervisor)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));

	if (sampler == NULL)
		return NULL;
	sampler->supervisor = supervisor;
	sampler->slice = evtimer_new(supervisor->base, on_slice, sampler);
	if (sampler->slice != NULL)
		return sampler;
	free(sampler);
	return NULL;
}

void
sampler_free(struct sampler *sampler)
{
	if (sampler == NULL)
		return;
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++)
		close_job(&sampler->jobs[i]);
	event_free(sampler->slice);
	free(sampler);
}
