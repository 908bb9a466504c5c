/*
 * New certificates for a front that serves.
 */
#ifndef ZYGOTED_SUPERVISOR_TLS_RELOAD_H
#define ZYGOTED_SUPERVISOR_TLS_RELOAD_H

struct supervisor;
struct tls_files;

/* `error`: NULL, or why everything is as it was, for this call; `files`: what is in use now, NULL when
 * no listener speaks TLS. */
typedef void tls_reloaded_fn(void *owner, const char *error, const struct tls_files *files);

/*
 * Reads the files that the configuration names again, checks them, and has the front use them for
 * handshakes from then on; connections go on. Calls `done` once, perhaps before it returns. A front
 * that is not running gets them when it starts.
 */
void tls_reload(struct supervisor *supervisor, tls_reloaded_fn *done, void *owner);

#endif
