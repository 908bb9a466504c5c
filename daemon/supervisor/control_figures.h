/*
 * Figures as the JSON objects that the control socket answers with. Pure but for allocation: each
 * function returns a new reference, NULL when out of memory.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_FIGURES_H
#define ZYGOTED_SUPERVISOR_CONTROL_FIGURES_H

#include <jansson.h>
#include <stdint.h>

struct front_answer;
struct msg_child;
struct msg_penalty;
struct msg_stats;
struct msg_stats_end;
struct msg_stats_times;
struct supervisor;
struct reload_result;
struct zygote_pool;

/* `info`: the whole answer. */
json_t *control_figures_info(const struct supervisor *supervisor);

/* `stats`: the fronts together, and one pool's requests. */
json_t *control_figures_front(const struct msg_stats_end *stats, uint32_t fronts);
json_t *control_figures_requests(const struct zygote_pool *pool, const struct msg_stats *stats,
				 const struct msg_stats_times *times);

/* `pools`: one pool's zygote and children. */
json_t *control_figures_pool(const struct zygote_pool *pool, const struct msg_stats *stats);

/* `reload`: the whole answer about one that took effect, or that loads. */
json_t *control_figures_reload(const struct supervisor *supervisor,
			       const struct reload_result *result); /* NULL: there are none */
json_t *control_figures_recycle(const struct zygote_pool *pool);

/* `children`: one of them, with its pid as we see it. */
json_t *control_figures_child(const struct zygote_pool *pool, const struct msg_child *child,
			      int pid);

/* `penalties`: one source. */
json_t *control_figures_penalty(const struct msg_penalty *penalty);

#endif
