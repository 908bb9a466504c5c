/*
 * What the source files of front_ask share with each other and nobody else.
 */
#ifndef ZYGOTED_SUPERVISOR_FRONT_ASK_PARTS_H
#define ZYGOTED_SUPERVISOR_FRONT_ASK_PARTS_H

#include <sys/queue.h>

#include "supervisor/front_ask.h"

struct event;

struct front_ask {
	TAILQ_ENTRY(front_ask) link;
	struct front_asks *asks;
	uint64_t cookie;
	uint32_t pool;	  /* of a question about one */
	uint32_t waiting; /* bit mask of the fronts that have not answered it yet */
	uint32_t routes_from[PROTO_FRONTS_MAX]; /* how many each has told of */
	struct event *timer;
	front_answer_fn *done;
	void *owner;
	struct front_answer answer;
};

struct front_asks {
	struct supervisor *supervisor;
	uint64_t last_cookie;
	TAILQ_HEAD(front_ask_list, front_ask) open;
};

/* Answers it and frees it. The callback may ask again, so this question is out of the list by then. */
void front_ask_close(struct front_ask *ask, const char *error);

/* That front has answered; the last one closes the question. */
void front_ask_end_part(struct front_ask *ask, uint32_t front);

#endif
