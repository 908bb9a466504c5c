/*
 * OpenSSL for a process that must not keep what it has seen.
 */
#ifndef ZYGOTED_SUPERVISOR_TLS_WIPE_H
#define ZYGOTED_SUPERVISOR_TLS_WIPE_H

/* Initialises OpenSSL with memory that is wiped when it is given back. Again: does nothing. Dies when
 * it cannot. */
void tls_wipe_init(void);

#endif
