/*
 * Pauses between orders that come to nothing.
 *
 * Runs in: front. Pure. Why children fail may be the machine's state or a step of their lock-down;
 * either may mend itself, so a generation never gives up.
 */
#include "front/fork_pause.h"

#define SHORTEST_NS 10000000ull
#define LONGEST_NS  1000000000ull

bool
fork_pause_fail(struct fork_pause *pause, uint64_t now_ns)
{
	if (!fork_pause_is_over(pause, now_ns))
		return false;
	pause->length_ns = pause->length_ns == 0 ? SHORTEST_NS : 2 * pause->length_ns;
	if (pause->length_ns > LONGEST_NS)
		pause->length_ns = LONGEST_NS;
	pause->until_ns = now_ns + pause->length_ns;
	return true;
}

void
fork_pause_clear(struct fork_pause *pause)
{
	pause->length_ns = 0;
}

bool
fork_pause_is_over(const struct fork_pause *pause, uint64_t now_ns)
{
	return now_ns >= pause->until_ns;
}
