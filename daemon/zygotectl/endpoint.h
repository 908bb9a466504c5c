/*
 * Listeners' addresses as the configuration writes them: "127.0.0.1:9000", "[::1]:9000", "unix:/PATH".
 */
#ifndef ZYGOTED_ZYGOTECTL_ENDPOINT_H
#define ZYGOTED_ZYGOTECTL_ENDPOINT_H

/* Connects, blocking. The caller's descriptor, or -1 after a message that says what to do. */
int endpoint_connect(const char *address);

#endif
