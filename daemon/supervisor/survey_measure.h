/*
 * The measurement of one probe, step by step.
 */
#ifndef ZYGOTED_SUPERVISOR_SURVEY_MEASURE_H
#define ZYGOTED_SUPERVISOR_SURVEY_MEASURE_H

#include <stdbool.h>

#include "supervisor/page_walk.h"
#include "supervisor/survey.h"

struct event_base;
struct smaps_reader;

enum survey_measure_result {
	SURVEY_MEASURE_MORE,  /* another step, when the loop has time */
	SURVEY_MEASURE_LATER, /* the same after a moment */
	SURVEY_MEASURE_WAIT,  /* until `ready` is called */
	SURVEY_MEASURE_DONE,
	SURVEY_MEASURE_FAILED
};

/* Zero is one that is closed. */
struct survey_measure {
	bool is_open;
	bool is_begun;
	bool is_walked;
	bool has_rollup;
	const char *error; /* a literal, when something failed */
	struct event_base *base;
	int pidfd;
	uint64_t since_ms;
	struct page_walk walk;
	struct smaps_reader *reader;
	struct smaps_rollup rollup;
	void (*ready)(void *owner);
	void *owner;
};

/* Begins with the process behind `pidfd`, which stays the caller's. 0, or -1 with an error. */
int survey_measure_open(struct survey_measure *measure, struct event_base *base, int pidfd,
			void (*ready)(void *owner), void *owner)
	__attribute__((warn_unused_result));

enum survey_measure_result survey_measure_step(struct survey_measure *measure);

/* Makes the subject's survey of what was found; the zygote says that it has frozen so much. 0, or -1 with an error: then it is as before. */
int survey_measure_finish(struct survey_measure *measure, pid_t zygote, uint64_t frozen_bytes,
			  struct survey_subject *subject) __attribute__((warn_unused_result));

/* Drops what was found, but for the error. */
void survey_measure_close(struct survey_measure *measure);

#endif
