/*
 * One generation of a pool: from the start of its process to the news of its exit. The struct and
 * its states are in zygote_proc.h.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_GENERATION_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

struct config_pool;
struct zygote_generation;
struct zygote_pool;

/* Starts a new one with that configuration, which it needs now only. Its number, or 0 with errno. */
uint32_t zygote_generation_start(struct zygote_pool *pool, const struct config_pool *config,
				 bool is_held);

/* A held one takes over as soon as it can, or at once when there is nobody to take over from. */
void zygote_generation_go(struct zygote_generation *generation);

/* It ends when its busy children have ended. */
void zygote_generation_drain(struct zygote_generation *generation);

struct zygote_generation *zygote_generation_find(const struct zygote_pool *pool, uint32_t number);

/* One on standby serves at once: there is nobody to take over from any more. */
void zygote_generation_serve(struct zygote_generation *generation);

/* Kills it, and its children with it; that is not taken for an accident. */
void zygote_generation_end(struct zygote_generation *generation);

/* It was reaped: takes note of why. To be freed afterwards. */
void zygote_generation_on_exit(struct zygote_generation *generation, int status);
void zygote_generation_free(struct zygote_generation *generation);

/* A front has parked its first child. When all have, it serves, and the one before drains. */
void zygote_generation_on_attached(struct zygote_pool *pool, uint32_t number, uint32_t front);
/* The same of one that is held. When all have, so is told reload. */
void zygote_generation_on_held(struct zygote_pool *pool, uint32_t number, uint32_t front);
/* A front has none of its children left. */
void zygote_generation_on_detached(struct zygote_pool *pool, uint32_t number, uint32_t front);
/* A front was lost and taken out of every generation: nobody waits for it any more. */
void zygote_generation_on_front_lost(struct zygote_pool *pool);

#endif
