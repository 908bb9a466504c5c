/*
 * One generation of a pool: from the start of its process to the news of its exit. The struct and
 * its states are in zygote_proc.h.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_GENERATION_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_GENERATION_H

#include <stdint.h>

struct zygote_generation;
struct zygote_pool;

/* Starts a new one. Its number, or 0 with errno. */
uint32_t zygote_generation_start(struct zygote_pool *pool);

/* One on standby serves at once: there is nobody to take over from any more. */
void zygote_generation_serve(struct zygote_generation *generation);

/* Kills it, and its children with it; that is not taken for an accident. */
void zygote_generation_end(struct zygote_generation *generation);

/* It was reaped: takes note of why. To be freed afterwards. */
void zygote_generation_on_exit(struct zygote_generation *generation, int status);
void zygote_generation_free(struct zygote_generation *generation);

/* A front has parked its first child. When all have, it serves, and the one before drains. */
void zygote_generation_on_attached(struct zygote_pool *pool, uint32_t number, uint32_t front);
/* A front has none of its children left. */
void zygote_generation_on_detached(struct zygote_pool *pool, uint32_t number, uint32_t front);
/* A front was lost and taken out of every generation: nobody waits for it any more. */
void zygote_generation_on_front_lost(struct zygote_pool *pool);

#endif
