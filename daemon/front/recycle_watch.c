/*
 * Counting what calls for a new generation. Pure.
 *
 * Runs in: front. A ring of one counter a second, so that neither the number of faults nor their
 * rate costs memory.
 */
#include "front/recycle_watch.h"

#include <signal.h>
#include <stddef.h>

#define SECOND_NS 1000000000ull

bool
recycle_watch_is_fault(int signal)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGSYS };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i] == signal)
			return true;
	return false;
}

bool
recycle_watch_add_request(struct recycle_watch *watch, uint32_t limit)
{
	watch->requests++;
	return limit > 0 && watch->requests >= limit;
}

/* The seconds between the newest fault and now had none; what the ring has there is a minute old.
 */
static void
advance(struct recycle_watch *watch, uint64_t now)
{
	for (int i = 0; i < RECYCLE_WATCH_SECONDS && watch->second + (uint64_t)i < now; i++)
		watch->faults[(now - (uint64_t)i) % RECYCLE_WATCH_SECONDS] = 0;
	watch->second = now;
}

bool
recycle_watch_add_fault(struct recycle_watch *watch, uint32_t limit, uint64_t now_ns)
{
	uint64_t sum = 0;

	if (now_ns / SECOND_NS > watch->second)
		advance(watch, now_ns / SECOND_NS);
	watch->faults[watch->second % RECYCLE_WATCH_SECONDS]++;
	for (int i = 0; i < RECYCLE_WATCH_SECONDS; i++)
		sum += watch->faults[i];
	return limit > 0 && sum >= limit;
}
