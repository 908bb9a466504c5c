/*
 * Addresses of listeners as the configuration writes them.
 */
#ifndef ZYGOTED_BASE_ADDRESS_H
#define ZYGOTED_BASE_ADDRESS_H

#include <sys/socket.h>

#define ADDRESS_UNIX "unix:" /* begins an address that is the path of a socket */

/*
 * "127.0.0.1:8080" or "[::1]:8080": numeric, port 1..65535; or "unix:/PATH". 0 with the address zero-padded, so that
 * two equal ones compare equal as bytes; -1 when malformed.
 */
int address_parse(const char *text, struct sockaddr_storage *address_out, socklen_t *length_out);

#endif
