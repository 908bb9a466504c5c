/*
 * The self-test of a generation: a child of its zygote answers a request of the configuration.
 */
#ifndef ZYGOTED_ZYGOTE_SELFTEST_H
#define ZYGOTED_ZYGOTE_SELFTEST_H

#include "base/heritage.h"

struct child_plan;

/* Descriptors; all -1 when there is no self-test. */
struct selftest {
	int fd;	      /* our end of the channel */
	int child_fd; /* the child's */
	int log_fd;   /* where to read what the child prints */
	int output_fd;
};

/* What the filter would forbid. Ends the zygote when it fails. */
void selftest_open(const struct heritage_zygote *heritage, struct selftest *test_out);

/*
 * Forks the child, and waits for its answer and its end; closes the descriptors. Under the filter, before any other
 * child. Writes the status and the time; both stay 0 when there is no self-test. A bad answer ends the zygote
 * (ZY_EXIT_SELFTEST) with the reason.
 */
void selftest_run(const struct heritage_zygote *heritage, const struct child_plan *plan,
		  const struct selftest *test, struct msg_zygote_ready *ready_out);

#endif
