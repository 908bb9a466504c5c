/*
 * Generations and the fronts that have them: when one takes over, when one is free to go.
 *
 * Runs in: supervisor. Fronts move from a generation to the next one by one, each as soon as it has a parked child of the new
 * one. The new one serves when all have moved; the old one goes when none has a child of it. A front's word counts only for
 * what it was given.
 */
#include "supervisor/zygote_generation_parts.h"

#include <signal.h>

#include "supervisor/reload.h"
#include "supervisor/zygote_link.h"
#include "supervisor/zygote_proc.h"

struct zygote_generation *
zygote_generation_find(const struct zygote_pool *pool, uint32_t number)
{
	struct zygote_generation *generation;

	LIST_FOREACH (generation, &pool->generations, link)
		if (generation->number == number)
			return generation;
	return NULL;
}

/* Each front that has it has moved to it, or none has it any more. */
static void
take_over_if_all_moved(struct zygote_generation *generation)
{
	if (generation->attached == generation->given)
		zygote_generation_take_over(generation);
}

void
zygote_generation_on_attached(struct zygote_pool *pool, uint32_t number, uint32_t front)
{
	struct zygote_generation *generation = zygote_generation_find(pool, number);

	if (generation == NULL || (generation->given & 1u << front) == 0)
		return;
	generation->attached |= 1u << front;
	if (generation->state == GENERATION_STANDBY)
		take_over_if_all_moved(generation);
}

void
zygote_generation_on_held(struct zygote_pool *pool, uint32_t number, uint32_t front)
{
	struct zygote_generation *generation = zygote_generation_find(pool, number);

	if (generation == NULL || (generation->given & 1u << front) == 0 ||
	    generation->state != GENERATION_STANDBY || !generation->is_held)
		return;
	generation->held |= 1u << front;
	if (generation->held == generation->given)
		reload_on_held(generation);
}

/* Whether that front has moved from the serving generation to one that is to take over. */
static bool
has_moved(const struct zygote_pool *pool, uint32_t front)
{
	const struct zygote_generation *standby = zygote_proc_find_state(pool, GENERATION_STANDBY);

	return standby != NULL && (standby->attached & 1u << front) != 0;
}

/*
 * A front that has left the serving generation without having moved to another gets it back: what it had moved to was given up.
 * One that never came to serve with it could not take it.
 */
static void
on_serving_left(struct zygote_generation *generation, uint32_t front, bool was_attached)
{
	if (has_moved(generation->pool, front))
		return;
	if (was_attached)
		zygote_link_attach(generation);
	else
		spawn_kill(&generation->process, SIGKILL); /* start afresh */
}

void
zygote_generation_on_detached(struct zygote_pool *pool, uint32_t number, uint32_t front)
{
	struct zygote_generation *generation = zygote_generation_find(pool, number);

	if (generation == NULL || (generation->given & 1u << front) == 0)
		return;
	const bool was_attached = (generation->attached & 1u << front) != 0;
	generation->given &= ~(1u << front);
	generation->attached &= ~(1u << front);
	if (generation->state == GENERATION_DRAINING && generation->given == 0)
		zygote_generation_discharge(generation);
	else if (generation->state == GENERATION_STANDBY)
		zygote_generation_give_up_standby(generation, "a front did not take it");
	else if (generation->state == GENERATION_SERVING)
		on_serving_left(generation, front, was_attached);
}

void
zygote_generation_on_front_lost(struct zygote_pool *pool)
{
	struct zygote_generation *standby = zygote_proc_find_state(pool, GENERATION_STANDBY);
	struct zygote_generation *generation;

	if (standby != NULL)
		take_over_if_all_moved(standby);
	LIST_FOREACH (generation, &pool->generations, link)
		if (generation->state == GENERATION_DRAINING && generation->given == 0)
			zygote_generation_discharge(generation);
}
