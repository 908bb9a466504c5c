/*
 * Listening sockets that the service manager opened before it started the daemon: sd_listen_fds(3).
 */
#ifndef ZYGOTED_SUPERVISOR_SERVICE_SOCKETS_H
#define ZYGOTED_SUPERVISOR_SERVICE_SOCKETS_H

/*
 * Takes the sockets that LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES tell of, once, and removes these
 * from the environment. To be called before anything else may open descriptors.
 */
void service_sockets_take(void);

/*
 * The socket of that name, the caller's from now on; -1 when there is none. Dies when it is not a
 * listening stream socket.
 */
int service_sockets_find(const char *name);

/* Closes what nobody has asked for, with a line in the log for each. */
void service_sockets_close_rest(void);

#endif
