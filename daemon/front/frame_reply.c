/*
 * Statuses of replies.
 *
 * Runs in: front. Pure.
 */
#include "front/frame_reply.h"

enum frame_status
frame_reply_of_outcome(enum outcome outcome)
{
	static const uint8_t statuses[] = {
		[OUTCOME_OK] = FRAME_STATUS_OK,
		[OUTCOME_BAD_REQUEST] = FRAME_STATUS_BAD_REQUEST,
		[OUTCOME_HEADER_TIMEOUT] = FRAME_STATUS_BAD_REQUEST,
		[OUTCOME_NO_ROUTE] = FRAME_STATUS_BAD_REQUEST,
		[OUTCOME_BODY_TOO_LARGE] = FRAME_STATUS_TOO_LARGE,
		[OUTCOME_BODY_TOO_SLOW] = FRAME_STATUS_BAD_REQUEST,
		[OUTCOME_QUEUE_FULL] = FRAME_STATUS_OVERLOADED,
		[OUTCOME_QUEUE_TIMEOUT] = FRAME_STATUS_OVERLOADED,
		[OUTCOME_CRASH_BREAKER] = FRAME_STATUS_OVERLOADED,
		[OUTCOME_PENALTY] = FRAME_STATUS_OVERLOADED,
		[OUTCOME_POOL_DOWN] = FRAME_STATUS_OVERLOADED,
		[OUTCOME_FORK_FAILED] = FRAME_STATUS_OVERLOADED,
		[OUTCOME_WORKER_ERROR] = FRAME_STATUS_WORKER_ERROR,
		[OUTCOME_CRASHED] = FRAME_STATUS_CRASHED,
		[OUTCOME_BAD_REPLY] = FRAME_STATUS_CRASHED,
		[OUTCOME_TIMEOUT] = FRAME_STATUS_TIMEOUT,
		[OUTCOME_CPU_LIMIT] = FRAME_STATUS_TIMEOUT,
		[OUTCOME_MEMORY_LIMIT] = FRAME_STATUS_CRASHED,
		[OUTCOME_REPLY_TOO_LARGE] = FRAME_STATUS_TOO_LARGE,
		[OUTCOME_SANDBOX] = FRAME_STATUS_CRASHED,
		/* Nobody is there, or waits, to be told. */
		[OUTCOME_CLIENT_GONE] = FRAME_STATUS_BAD_REQUEST,
		[OUTCOME_CLIENT_SLOW] = FRAME_STATUS_BAD_REQUEST,
		[OUTCOME_INTERNAL] = FRAME_STATUS_OVERLOADED,
	};
	_Static_assert(sizeof(statuses) / sizeof(statuses[0]) == OUTCOME_MAX, "outcomes");

	return (enum frame_status)statuses[outcome];
}

enum frame_status
frame_reply_of_status(unsigned status)
{
	static const struct {
		unsigned from;
		unsigned to;
		enum frame_status status;
	} rows[] = {
		{ 200, 399, FRAME_STATUS_OK },	       { 413, 413, FRAME_STATUS_TOO_LARGE },
		{ 429, 429, FRAME_STATUS_OVERLOADED }, { 503, 503, FRAME_STATUS_OVERLOADED },
		{ 504, 504, FRAME_STATUS_TIMEOUT },    { 400, 499, FRAME_STATUS_BAD_REQUEST },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (status >= rows[i].from && status <= rows[i].to)
			return rows[i].status;
	return FRAME_STATUS_WORKER_ERROR;
}
