/*
 * The worker: a shared object, loaded once.
 */
#ifndef ZYGOTED_ZYGOTE_LOAD_H
#define ZYGOTED_ZYGOTE_LOAD_H

#include "base/heritage.h"

#include <stdint.h>

struct zy_worker;

struct loaded {
	const struct zy_worker *worker;
	void *state;	  /* what load() stored */
	uint64_t load_us; /* that load() took */
};

/*
 * Opens the worker, checks its ABI, runs its load(), and refuses threads that it left behind. Ends
 * the zygote with the reason when any of it fails. The heritage must live as long as the process:
 * options point into it.
 */
void load_worker(const struct heritage_zygote *heritage, struct loaded *out);

#endif
