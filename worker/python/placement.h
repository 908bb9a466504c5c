/*
 * Where Python's objects lie. A request reads and, as it counts references, writes to objects all over the heap, and each page of them costs a fault,
 * most of them a copy. So the application is loaded aside, to learn which of its objects requests use, before it is loaded for good, with
 * these beside each other; and what a child makes itself comes behind them, not into holes of pages that it would have to copy.
 */
#ifndef ZYGOTED_PYTHON_PLACEMENT_H
#define ZYGOTED_PYTHON_PLACEMENT_H

#include <stddef.h>

/* What the learning processes do instead of us. 0, -1: no use to go on. */
struct placement_rehearsal {
	int (*load)(void *context);    /* all that is done until the first fork */
	int (*request)(void *context); /* what a child does then */
	void *context;
};

/*
 * After the interpreter has started, and before anything is loaded. Without a rehearsal, or when nothing can be learned, which is told on stderr,
 * objects lie where Python puts them. 0, -1 when there is no memory.
 */
int placement_start(const struct placement_rehearsal *rehearsal)
	__attribute__((warn_unused_result));

/* At the end of load: what is allocated from here on is a child's. */
void placement_settle(void);

/* The memory of objects that were placed, and what children fill behind them: for zy_name_region. */
const void *placement_region(size_t *size_out);

#endif
