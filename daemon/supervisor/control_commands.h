/*
 * The commands of the control socket: one table with name, arguments, rights, function and help
 * text.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_COMMANDS_H
#define ZYGOTED_SUPERVISOR_CONTROL_COMMANDS_H

#include <stdbool.h>

struct control_request;
struct zygote_pool;

/* Runs the command of a request whose line was split. The request is answered, now or later. */
void control_commands_run(struct control_request *request);

/*
 * For commands: the pool of a POOL argument. False when the request was answered with an error;
 * *pool_out is NULL when no pool was named.
 */
bool control_commands_find_pool(struct control_request *request, struct zygote_pool **pool_out);

/* The same as a range of pools, from request->pool to before pools_end: that one, or all. */
bool control_commands_take_pools(struct control_request *request);

#endif
