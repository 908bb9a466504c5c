/*
 * Making the process of a generation: its channels, heritage and filter.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_START_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_START_H

struct supervisor;
struct zygote_generation;

/*
 * Starts the zygote of a new generation and opens its channel and front_fds. 0, or -1 with errno and
 * no process; what was opened is closed with the generation.
 */
int zygote_start(struct supervisor *supervisor, struct zygote_generation *generation)
	__attribute__((warn_unused_result));

/* The zygote has said that it is ready: finds the processes of its siblings. */
void zygote_start_find_siblings(struct zygote_generation *generation);

#endif
