/*
 * Learned pre-copying: what most requests of a generation write to and read is put in a table (base/prefault_table.h) that
 * its parked children go through. Learned from samples, for each generation anew, since each has another address layout.
 */
#ifndef ZYGOTED_SUPERVISOR_PREFAULT_H
#define ZYGOTED_SUPERVISOR_PREFAULT_H

#include <stdbool.h>
#include <stdint.h>

struct config_pool;
struct front_proc;
struct sample;
struct supervisor;
struct zygote_generation;

struct prefault_figures {
	uint32_t samples;
	uint32_t runs;
	uint64_t write_bytes; /* of the pages that a child copies */
	uint64_t read_places; /* places of 64 KiB that it maps */
};

/* Whether this kernel and our rights allow it. */
bool prefault_is_available(const struct supervisor *supervisor);

/* What a child of the pool may copy beforehand; 0: nothing, or it is not available. */
uint64_t prefault_bytes(const struct supervisor *supervisor, const struct config_pool *pool);

/* Makes the generation's table. *fd_out is the caller's, for the zygote; -1 when there is none. 0, or -1 with errno. */
int prefault_open(struct zygote_generation *generation, const struct config_pool *config,
		  int *fd_out) __attribute__((warn_unused_result));
void prefault_forget(struct zygote_generation *generation);

/* The sampler's observer. */
void prefault_on_sample(void *owner, struct zygote_generation *generation,
			const struct sample *sample);

/* Tells a front that was given the generation of its table, if there is something in it. */
void prefault_tell_front(const struct zygote_generation *generation, struct front_proc *front);

/* All zero without a table. */
struct prefault_figures prefault_figures_of(const struct zygote_generation *generation);

#endif
