/*
 * A new configuration for a front that runs.
 */
#ifndef ZYGOTED_FRONT_RECONFIGURE_H
#define ZYGOTED_FRONT_RECONFIGURE_H

#include <stdint.h>

struct front;

/*
 * Takes over the heritage in the memfd `fd`, and the certificates in `tls_fd` (-1: none), and closes both: from the next request on it counts.
 * Listeners that are not in it any more are closed, those that are new come by listener_take.
 */
void reconfigure_apply(struct front *front, int fd, uint32_t bytes, int tls_fd);

#endif
