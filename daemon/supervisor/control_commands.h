/*
 * The commands of the control socket: one table with name, arguments, rights, function and help
 * text.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_COMMANDS_H
#define ZYGOTED_SUPERVISOR_CONTROL_COMMANDS_H

struct control_request;

/* Runs the command of a request whose line was split. The request is answered, now or later. */
void control_commands_run(struct control_request *request);

#endif
