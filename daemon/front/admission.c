/*
 * Admission arithmetic. Pure.
 *
 * Runs in: front.
 */
#include "front/admission.h"

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned
rest(unsigned whole, unsigned part)
{
	return whole > part ? whole - part : 0;
}

unsigned
admission_batch(const struct admission *view)
{
	return view->spare / 4 > 1 ? view->spare / 4 : 1;
}

unsigned
admission_order_count(const struct admission *view, enum admission_pace pace)
{
	const unsigned all =
		view->parked + view->starting + view->busy + view->dying + view->elsewhere;
	const unsigned ready = view->parked + view->starting;
	const unsigned missing = rest(view->spare + view->queued, ready);
	const unsigned room = least(rest(view->max_children, all),
				    rest(view->zygotes * ADMISSION_FORKING_MAX, view->forking));
	const unsigned batch = admission_batch(view);

	if (view->queued > ready || pace == ADMISSION_FILL)
		return least(missing, room);
	if (pace == ADMISSION_TICK)
		return least(least(missing, batch), room);
	return missing < batch ? 0 : least(missing, room);
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
