/*
 * What the supervisor's signals mean: SIGTERM and SIGINT stop it, SIGHUP reloads the configuration,
 * SIGUSR1 opens the access log anew, SIGCHLD says that a front or a zygote has died.
 */
#ifndef ZYGOTED_SUPERVISOR_SIGNALS_H
#define ZYGOTED_SUPERVISOR_SIGNALS_H

struct supervisor;

/* Before the loop runs; dies if that cannot be done. */
void signals_watch(struct supervisor *supervisor);
/* After it. */
void signals_unwatch(void);

#endif
