/*
 * Admission arithmetic. Pure.
 *
 * Runs in: front.
 */
#include "front/admission.h"

#include "base/proto.h"

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
admission_order_count(const struct admission *view, bool idle)
{
	unsigned all = view->parked + view->starting + view->busy + view->dying + view->elsewhere;
	unsigned room = view->max_children > all ? view->max_children - all : 0;
	unsigned ready = view->parked + view->starting;
	unsigned wanted = view->spare + view->queued;
	unsigned missing = wanted > ready ? wanted - ready : 0;
	unsigned batch = view->spare / 4 > 1 ? view->spare / 4 : 1;

	if (view->queued <= ready && !idle && missing < batch)
		return 0;
	return least(least(missing, room), PROTO_BATCH_MAX);
}

bool
admission_may_queue(const struct admission *view)
{
	return view->queued < view->queue;
}

unsigned
admission_retry_after(const struct admission *view)
{
	unsigned rounds = view->max_children > 0 ? view->queued / view->max_children : 0;

	return least(1 + rounds, 30);
}
