/*
 * What a metrics listener answers: /metrics with the supervisor's text, /-/live and /-/ready.
 *
 * A text is asked for at most every 100 ms in each format, and shared by all scrapers that take it.
 */
#ifndef ZYGOTED_FRONT_SCRAPE_H
#define ZYGOTED_FRONT_SCRAPE_H

#include "base/proto.h"

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct front;

/* Part of a connection of a metrics listener. */
struct scrape {
	enum metrics_format format;
	int minor; /* HTTP/1.minor */
	bool waits;
	bool keep_alive;
	bool head_method;
};

/* Makes front->scrapes. Dies when out of memory: start-up only. */
void scrape_open(struct front *front);

/* Answers the head that the connection's parser has just completed at the start of `in`, now or
 * when the text is there. */
void scrape_begin(struct connection *connection);

/* The connection's deadline has passed, or it is being closed. */
void scrape_on_timeout(struct connection *connection);
void scrape_forget(struct connection *connection);

/* MSG_METRICS; owns fd, -1 if none came along. */
void scrape_on_text(struct front *front, const struct msg_metrics *message, int fd);

/* Texts given to scrapers since the start. */
uint64_t scrape_count(const struct front *front);

#endif
