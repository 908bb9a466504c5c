/*
 * Keys of TLS session tickets: made in the front, changed by time, never stored.
 */
#ifndef ZYGOTED_FRONT_TLS_TICKET_H
#define ZYGOTED_FRONT_TLS_TICKET_H

#include <stdbool.h>
#include <stdint.h>

struct ssl_ctx_st;

/* Makes the first key; 0 ms: no tickets. Dies when it cannot: start only. */
void tls_ticket_init(uint32_t lifetime_ms);

/* Has a context give and take tickets, or neither. False when out of memory. */
bool tls_ticket_enable(struct ssl_ctx_st *context);

/* Once a second: a key whose time is over is wiped, whether or not somebody connects. */
void tls_ticket_tick(void);

#endif
