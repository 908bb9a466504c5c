/*
 * What the supervisor's signals mean: SIGTERM and SIGINT stop it, SIGHUP reloads the configuration,
 * SIGUSR1 opens the access log anew, SIGCHLD says that a front or a zygote has died.
 */
#ifndef ZYGOTED_SUPERVISOR_SIGNALS_H
#define ZYGOTED_SUPERVISOR_SIGNALS_H

struct supervisor;

/* From here on they wait for signals_watch: their default would end a start that a log rotation meets. */
void signals_hold(void);
/* Before the loop runs; dies if that cannot be done. */
void signals_watch(struct supervisor *supervisor);
/* After it: those that still come are held for ever, as their default would take the place of the exit code. */
void signals_unwatch(void);

#endif
