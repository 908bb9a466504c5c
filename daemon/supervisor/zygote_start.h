/*
 * Making the process of a generation: its channels, heritage and filter.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_START_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_START_H

struct config_pool;
struct msg_zygote_ready;
struct supervisor;
struct worker_stamp;
struct zygote_generation;

/*
 * Starts the zygote of a new generation and opens its channel and front_fds. 0, or -1 with errno and
 * no process; what was opened is closed with the generation.
 */
int zygote_start(struct supervisor *supervisor, struct zygote_generation *generation,
		 const struct config_pool *config) __attribute__((warn_unused_result));

/* What tells the file behind `fd` from another one, or from itself after a change. */
void zygote_start_stamp(int fd, struct worker_stamp *stamp_out);

/* The zygote has said that it is ready: keeps what it told, finds the processes of its siblings, and logs. */
void zygote_start_on_ready(struct zygote_generation *generation,
			   const struct msg_zygote_ready *message);

#endif
