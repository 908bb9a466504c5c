/*
 * One request as a line of the access log: "combined", as Apache and nginx write it, or a JSON
 * object. Made in three steps, because the head of a request is gone when its answer is complete,
 * and what its child copied is known later still. Pure.
 */
#ifndef ZYGOTED_FRONT_ACCESS_LINE_H
#define ZYGOTED_FRONT_ACCESS_LINE_H

#include "base/heritage.h"
#include "front/text_line.h"

/* No more of a text of the client's is shown than that. */
#define ACCESS_TARGET_SHOWN 1024
#define ACCESS_HEADER_SHOWN 512
/* A line fits, if all of that has to be escaped. */
#define ACCESS_LINE_MAX 16384

struct access_text {
	const char *text;
	size_t length;
};

struct access_request {
	uint64_t begun_us; /* CLOCK_REALTIME */
	const char *id;
	const char *peer;
	const char *listener;
	struct access_text method; /* empty: the request was not understood */
	struct access_text target;
	struct access_text referer;
	struct access_text agent;
	const char *protocol;
};

struct access_result {
	enum outcome outcome;
	unsigned status;     /* that the client was sent; 0: none */
	const char *reason;  /* a literal; NULL: the outcome's own text */
	const char *pool;    /* NULL: none took it */
	uint32_t generation; /* of its child; 0: it had none */
	uint64_t queue_us;
	uint64_t run_us;
	uint64_t total_us;
	uint64_t bytes_in; /* of bodies */
	uint64_t bytes_out;
};

#define ACCESS_FAULTS_UNKNOWN UINT64_MAX

/* What the zygote reports of the child, which may come after the answer. */
struct access_child {
	int32_t pid;	       /* in the zygote's namespace; 0: none, or not reported */
	uint64_t fork_us;      /* ahead of the request unless it waited */
	uint64_t minor_faults; /* ACCESS_FAULTS_UNKNOWN: not reported */
};

/* First what stands before the result, second what stands behind it. */
void access_line_put_request(struct text_line *line, enum access_format format,
			     const struct access_request *request);
void access_line_put_client(struct text_line *line, enum access_format format,
			    const struct access_request *request);

void access_line_put_result(struct text_line *line, enum access_format format,
			    const struct access_result *result);

void access_line_end(struct text_line *line, enum access_format format,
		     const struct access_child *child);

#endif
