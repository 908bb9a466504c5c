/*
 * Making the metrics' text, and sharing it.
 *
 * Runs in: supervisor. The rule: whoever asks, and how often, there is one collection at a time and
 * one text in each format for 100 ms. Memory is measured beside that, and nobody waits for it.
 */
#include "supervisor/metrics.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/heritage.h"
#include "base/log.h"
#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_ask.h"
#include "supervisor/front_proc.h"
#include "supervisor/metrics_collect.h"
#include "supervisor/metrics_snapshot.h"
#include "supervisor/metrics_table.h"
#include "supervisor/supervisor.h"
#include "supervisor/survey.h"
#include "supervisor/zygote_proc.h"

#define TEXT_FRESH_MS 100

struct waiter {
	TAILQ_ENTRY(waiter) link;
	enum metrics_format format;
	metrics_done_fn *done;
	void *owner;
};

struct text_cache {
	char *text; /* NULL: none */
	size_t length;
	int fd; /* the same as a sealed memfd, -1 until a front wants it */
	uint64_t made_ms;
};

struct metrics {
	struct supervisor *supervisor;
	bool collecting;
	TAILQ_HEAD(, waiter) waiters;
	uint32_t fronts
		[METRICS_FORMAT_MAX]; /* bit masks of those that wait, however often they ask */
	struct text_cache caches[METRICS_FORMAT_MAX];
	struct metrics_snapshot snapshot;
};

/* ---- texts ---- */

static void
drop_text(struct text_cache *cache)
{
	free(cache->text);
	if (cache->fd >= 0)
		close(cache->fd);
	*cache = (struct text_cache){ .fd = -1 };
}

static bool
is_fresh(const struct text_cache *cache)
{
	return cache->text != NULL && clock_ms() - cache->made_ms < TEXT_FRESH_MS;
}

/* A text is made for those who wait, so each format only when it is wanted. */
static struct text_cache *
fresh_text(struct metrics *metrics, enum metrics_format format)
{
	struct text_cache *cache = &metrics->caches[format];

	if (is_fresh(cache))
		return cache;
	drop_text(cache);
	cache->text = metrics_table_render(&metrics->snapshot, format, &cache->length);
	cache->made_ms = clock_ms();
	if (cache->text == NULL)
		log_event(LOG_WARNING, "metrics not written", "error=\"out of memory\"");
	return cache;
}

/* ---- waiting ---- */

static void
send_text(struct metrics *metrics, struct front_proc *front, enum metrics_format format)
{
	struct text_cache *cache = fresh_text(metrics, format);
	struct msg_metrics message = { .format = format };

	msg_init(&message, MSG_METRICS);
	if (cache->fd < 0 && cache->text != NULL)
		cache->fd = heritage_seal("zygoted-metrics", cache->text, cache->length);
	if (cache->fd >= 0)
		message.size = (uint32_t)cache->length;
	/* One that is gone, or takes no messages, has a time-out for those who wait there. */
	if (front_proc_send_fd(front, &message, cache->fd) < 0)
		log_event(LOG_DEBUG, "metrics not sent", "error=\"%s\"", strerror(errno));
}

static void
answer_all(struct metrics *metrics)
{
	struct waiter *waiter = TAILQ_FIRST(&metrics->waiters);

	for (int i = 0; i < METRICS_FORMAT_MAX; i++) {
		for (uint32_t front = 0; front < metrics->supervisor->config->fronts; front++)
			if ((metrics->fronts[i] & 1u << front) != 0)
				send_text(metrics, &metrics->supervisor->fronts[front],
					  (enum metrics_format)i);
		metrics->fronts[i] = 0;
	}
	/* Who asks again meanwhile waits for the next collection. */
	while (waiter != NULL) {
		struct waiter *next = TAILQ_NEXT(waiter, link);
		const struct text_cache *cache = fresh_text(metrics, waiter->format);
		TAILQ_REMOVE(&metrics->waiters, waiter, link);
		waiter->done(waiter->owner, cache->text, cache->length);
		free(waiter);
		waiter = next;
	}
}

/* For the next who ask: nobody waits for a probe. */
static void
refresh_memory(const struct metrics *metrics)
{
	if (survey_ask(metrics->supervisor->surveys, NULL, NULL, NULL) < 0)
		log_event(LOG_WARNING, "memory not measured", "error=\"out of memory\"");
}

static void
on_stats(void *owner, const struct front_answer *answer)
{
	struct metrics *metrics = owner;

	metrics_collect_own(metrics->supervisor, &metrics->snapshot);
	if (answer->error == NULL)
		metrics_collect_front(answer, &metrics->snapshot);
	metrics_collect_memory(metrics->supervisor, &metrics->snapshot);
	for (int i = 0; i < METRICS_FORMAT_MAX; i++)
		drop_text(&metrics->caches[i]);
	metrics->collecting = false;
	answer_all(metrics);
	refresh_memory(metrics);
}

static void
collect(struct metrics *metrics)
{
	if (metrics->collecting)
		return;
	metrics->collecting = true;
	front_ask_stats(metrics->supervisor->asks, on_stats, metrics);
}

struct metrics *
metrics_new(struct supervisor *supervisor)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (metrics == NULL)
		return NULL;
	metrics->supervisor = supervisor;
	TAILQ_INIT(&metrics->waiters);
	for (int i = 0; i < METRICS_FORMAT_MAX; i++)
		metrics->caches[i].fd = -1;
	return metrics;
}

void
metrics_free(struct metrics *metrics)
{
	struct waiter *waiter;

	if (metrics == NULL)
		return;
	waiter = TAILQ_FIRST(&metrics->waiters);
	while (waiter != NULL) {
		struct waiter *next = TAILQ_NEXT(waiter, link);
		free(waiter);
		waiter = next;
	}
	for (int i = 0; i < METRICS_FORMAT_MAX; i++)
		drop_text(&metrics->caches[i]);
	free(metrics);
}

void
metrics_get(struct metrics *metrics, enum metrics_format format, metrics_done_fn *done, void *owner)
{
	const struct text_cache *cache = &metrics->caches[format];
	struct waiter *waiter;

	if (is_fresh(cache)) {
		done(owner, cache->text, cache->length);
		return;
	}
	waiter = calloc(1, sizeof(*waiter));
	if (waiter == NULL) {
		done(owner, NULL, 0);
		return;
	}
	*waiter = (struct waiter){ .format = format, .done = done, .owner = owner };
	TAILQ_INSERT_TAIL(&metrics->waiters, waiter, link);
	collect(metrics);
}

void
metrics_on_get(struct front_proc *front, const struct msg_metrics *message)
{
	struct metrics *metrics = front->supervisor->metrics;
	enum metrics_format format;

	if (message->format >= METRICS_FORMAT_MAX)
		return;
	format = (enum metrics_format)message->format;
	if (is_fresh(&metrics->caches[format])) {
		send_text(metrics, front, format);
		return;
	}
	metrics->fronts[format] |= 1u << front->index;
	collect(metrics);
}
