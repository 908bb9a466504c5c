/*
 * Scrapers' requests.
 *
 * Runs in: front. The text is made by the supervisor, which knows all, and which never sees a byte
 * of a scraper: it is asked for a format, and answers with a sealed memfd. Rule: whatever scrapers
 * do, there is one text in each format, one question at a time for each, and nobody waits for a
 * scraper: it takes its copy of the reference as fast as it likes.
 */
#include "front/scrape.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/http_accept.h"
#include "front/pool.h"
#include "front/response.h"
#include "front/supervisor_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_FRESH_NS 100000000ull

/* The supervisor gives up a question to the fronts after 2 s, and answers then. */
static const struct timeval text_wait = { 4, 0 };

struct scrape_text {
	unsigned users; /* evbuffers that refer to it, and the cache */
	size_t length;
	char data[];
};

struct text_cache {
	struct scrape_text *text; /* NULL: none yet */
	uint64_t made_ns;
	bool asked;
};

struct scrapes {
	struct text_cache caches[METRICS_FORMAT_MAX];
	TAILQ_HEAD(, connection) waiting;
	uint64_t count;
};

static const char *const content_types[METRICS_FORMAT_MAX] = {
	[METRICS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	[METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

static const char plain[] = "text/plain; charset=utf-8";

void
scrape_open(struct front *front)
{
	front->scrapes = calloc(1, sizeof(*front->scrapes));
	if (front->scrapes == NULL)
		die("out of memory");
	TAILQ_INIT(&front->scrapes->waiting);
}

uint64_t
scrape_count(const struct front *front)
{
	return front->scrapes->count;
}

/* ---- answers ---- */

static void
release_text(const void *data, size_t length, void *argument)
{
	struct scrape_text *text = argument;

	(void)data;
	(void)length;
	if (--text->users == 0)
		free(text);
}

static int
add_head(struct connection *connection, int status, const char *type, size_t length)
{
	const struct scrape *scrape = &connection->scrape;
	char lines[192];
	int used = snprintf(lines, sizeof(lines), "Content-Type: %s\r\nContent-Length: %zu\r\n%s",
			    type, length, status == 405 ? "Allow: GET, HEAD\r\n" : "");

	if (response_add_status(connection->out, status) < 0 ||
	    evbuffer_add(connection->out, lines, (size_t)used) < 0 ||
	    response_add_connection(connection->out, scrape->minor, scrape->keep_alive) < 0)
		return -1;
	return evbuffer_add(connection->out, "\r\n", 2);
}

static void
finish(struct connection *connection, int result)
{
	if (result < 0) {
		connection_close(connection);
		return;
	}
	connection->close_after |= !connection->scrape.keep_alive;
	connection_on_exchange_end(connection);
}

static void
answer(struct connection *connection, int status, const char *line)
{
	const size_t length = strlen(line);
	int result = add_head(connection, status, plain, length);

	if (result == 0 && !connection->scrape.head_method)
		result = evbuffer_add(connection->out, line, length);
	finish(connection, result);
}

static void
answer_text(struct connection *connection)
{
	struct scrapes *scrapes = connection->front->scrapes;
	const enum metrics_format format = connection->scrape.format;
	struct scrape_text *text = scrapes->caches[format].text;
	int result = add_head(connection, 200, content_types[format], text->length);

	scrapes->count++;
	if (result == 0 && !connection->scrape.head_method) {
		result = evbuffer_add_reference(connection->out, text->data, text->length,
						release_text, text);
		text->users += result == 0;
	}
	finish(connection, result);
}

/* ---- the text ---- */

static struct scrape_text *
read_text(int fd, size_t length)
{
	struct scrape_text *text = malloc(sizeof(*text) + length);

	if (text == NULL)
		return NULL;
	*text = (struct scrape_text){ .users = 1, .length = length };
	for (size_t done = 0; done < length;) {
		ssize_t count = pread(fd, text->data + done, length - done, (off_t)done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			free(text);
			return NULL;
		}
		done += (size_t)count;
	}
	return text;
}

static void
stop_waiting(struct connection *connection)
{
	TAILQ_REMOVE(&connection->front->scrapes->waiting, connection, scrape_link);
	connection->scrape.waits = false;
}

/* Answering may close connections, and start their next requests: begin anew after each. */
static void
answer_waiting(struct front *front, enum metrics_format format, bool have_text)
{
	struct scrapes *scrapes = front->scrapes;
	struct connection *connection = TAILQ_FIRST(&scrapes->waiting);

	while (connection != NULL) {
		if (connection->scrape.format != format) {
			connection = TAILQ_NEXT(connection, scrape_link);
			continue;
		}
		stop_waiting(connection);
		if (have_text)
			answer_text(connection);
		else
			answer(connection, 503, "the supervisor has no memory for metrics\n");
		connection_update(connection);
		connection = TAILQ_FIRST(&scrapes->waiting);
	}
}

void
scrape_on_text(struct front *front, const struct msg_metrics *message, int fd)
{
	struct scrape_text *text = NULL;
	struct text_cache *cache;

	if (message->format >= METRICS_FORMAT_MAX || message->size > PROTO_METRICS_MAX)
		bug("metrics");
	cache = &front->scrapes->caches[message->format];
	if (fd >= 0 && message->size > 0)
		text = read_text(fd, message->size);
	if (fd >= 0)
		close(fd);
	cache->asked = false;
	if (text != NULL) {
		if (cache->text != NULL)
			release_text(NULL, 0, cache->text);
		cache->text = text;
		cache->made_ns = front_now_ns();
	}
	answer_waiting(front, (enum metrics_format)message->format, text != NULL);
}

static void
give_text(struct connection *connection)
{
	struct scrapes *scrapes = connection->front->scrapes;
	struct text_cache *cache = &scrapes->caches[connection->scrape.format];

	if (cache->text != NULL && front_now_ns() - cache->made_ns < TEXT_FRESH_NS) {
		answer_text(connection);
		return;
	}
	if (!cache->asked && !supervisor_link_ask_metrics(connection->scrape.format)) {
		answer(connection, 503, "the supervisor is busy\n");
		return;
	}
	cache->asked = true;
	connection->scrape.waits = true;
	TAILQ_INSERT_TAIL(&scrapes->waiting, connection, scrape_link);
	connection_set_timer(connection, &text_wait);
}

void
scrape_on_timeout(struct connection *connection)
{
	struct text_cache *cache = &connection->front->scrapes->caches[connection->scrape.format];

	cache->asked = false; /* the next scraper asks again */
	stop_waiting(connection);
	answer(connection, 503, "the supervisor did not answer in time\n");
	connection_update(connection);
}

void
scrape_forget(struct connection *connection)
{
	if (connection->scrape.waits)
		stop_waiting(connection);
}

/* ---- live and ready ---- */

static void
give_live(struct connection *connection)
{
	answer(connection, 200, "live\n");
}

static void
give_ready(struct connection *connection)
{
	const struct front *front = connection->front;
	char line[PROTO_NAME_MAX + 64];

	if (front->draining) {
		answer(connection, 503, "not ready: draining\n");
		return;
	}
	for (uint32_t i = 0; i < front->heritage->pools_count; i++) {
		/* One without routes is free, removed, or being tried by a reload. */
		if (front->pools[i].config->routes_count == 0 || front->pools[i].current != NULL)
			continue;
		snprintf(line, sizeof(line), "not ready: pool %s is not loaded\n",
			 front->pools[i].config->name);
		answer(connection, 503, line);
		return;
	}
	answer(connection, 200, "ready\n");
}

/* ---- requests ---- */

static const struct {
	const char *path;
	void (*give)(struct connection *connection);
} pages[] = {
	{ "/metrics", give_text },
	{ "/-/live", give_live },
	{ "/-/ready", give_ready },
};

static enum metrics_format
choose_format(const struct http_request *request, const char *head)
{
	struct http_accept accept = { 0 };

	for (uint32_t i = 0; i < request->headers_count; i++) {
		const struct http_header *header = &request->headers[i];
		if (http_equals(head + header->name.offset, header->name.length, "accept"))
			http_accept_add(&accept, head + header->value.offset, header->value.length);
	}
	return accept.openmetrics > 0 && accept.openmetrics >= accept.text ? METRICS_OPENMETRICS
									   : METRICS_TEXT;
}

/* Methods are case-sensitive: RFC 9110 section 9.1. */
static bool
is_method(const char *method, size_t length, const char *name)
{
	return length == strlen(name) && memcmp(method, name, length) == 0;
}

/* Takes what it needs from the head. Returns the page's function, NULL if there is none. */
static void (*take_head(struct connection *connection, bool *is_get_out))(struct connection *)
{
	const struct http_request *request = &connection->parser.request;
	const struct front *front = connection->front;
	const char *head = (const char *)evbuffer_pullup(connection->in, -1);
	const char *method = head + request->method.offset;
	const bool is_head = is_method(method, request->method.length, "HEAD");

	connection->scrape = (struct scrape){
		.format = choose_format(request, head),
		.minor = request->minor,
		.head_method = is_head,
		.keep_alive = request->keep_alive && request->body == HTTP_BODY_NONE &&
			      !front->draining &&
			      connection->requests < front->heritage->requests_max,
	};
	*is_get_out = is_head || is_method(method, request->method.length, "GET");
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (request->path.length == strlen(pages[i].path) &&
		    memcmp(head + request->path.offset, pages[i].path, request->path.length) == 0)
			return pages[i].give;
	return NULL;
}

void
scrape_begin(struct connection *connection)
{
	void (*give)(struct connection *);
	bool is_get;

	connection_set_timer(connection, NULL);
	give = take_head(connection, &is_get);
	evbuffer_drain(connection->in, connection->parser.request.head_bytes);
	if (!is_get)
		answer(connection, 405, "GET and HEAD are what is answered here\n");
	else if (connection->parser.request.body != HTTP_BODY_NONE)
		answer(connection, 413, "a request for metrics has no body\n");
	else if (give == NULL)
		answer(connection, 404, "here are /metrics, /-/live and /-/ready\n");
	else
		give(connection);
}
