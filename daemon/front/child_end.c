/*
 * Reasons of children's ends.
 *
 * Runs in: front. Each end has exactly one reason; a kill of ours comes first, whatever the exit
 * looks like, since the child may have been about to die by itself.
 */
#include "front/child_end.h"

#include <signal.h>

static enum child_end
end_by_signal(int number)
{
	switch (number) {
	case SIGSYS:
		return CHILD_END_SANDBOX;
	case SIGXCPU:
		return CHILD_END_CPU;
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
		return CHILD_END_FAULT;
	case SIGABRT:
		return CHILD_END_ABORT;
	default:
		return CHILD_END_SIGNAL;
	}
}

enum child_end
child_end_of(const struct child_exit *ended, bool served)
{
	if (ended->killed_by_us)
		return CHILD_END_KILLED;
	if (ended->by_signal)
		return end_by_signal(ended->code);
	if (ended->code == ZY_EXIT_OK)
		return served ? CHILD_END_SERVED : CHILD_END_UNUSED;
	if (ended->code == ZY_EXIT_WORKER)
		return CHILD_END_WORKER;
	return ended->code >= ZY_EXIT_SANDBOX ? CHILD_END_SANDBOX : CHILD_END_EXIT;
}
