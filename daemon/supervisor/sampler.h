/*
 * Samples: children that have answered are held until their pages were read here. What the samples
 * of a generation add up to is its sample_store.
 */
#ifndef ZYGOTED_SUPERVISOR_SAMPLER_H
#define ZYGOTED_SUPERVISOR_SAMPLER_H

#include <stdbool.h>

struct msg_buffer;
struct sample;
struct sampler;
struct supervisor;
struct zygote_generation;

/* NULL when out of memory. */
struct sampler *sampler_new(struct supervisor *supervisor);
void sampler_free(struct sampler *sampler);

/* MSG_SAMPLE of a zygote; takes its descriptor. */
void sampler_on_sample(struct zygote_generation *generation, struct msg_buffer *buffer);

/* The generation is going away: its samples in progress, and what they added up to. */
void sampler_forget(struct zygote_generation *generation);

/*
 * One observer is told of each sample with the runs of pages that the child wrote to and read. They
 * live until the call returns.
 */
typedef void sampler_observer_fn(void *owner, struct zygote_generation *generation,
				 const struct sample *sample);
void sampler_observe(struct sampler *sampler, sampler_observer_fn *observer, void *owner);

#endif
