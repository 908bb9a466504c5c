/*
 * The command line.
 */
#ifndef ZYGOTED_SUPERVISOR_OPTIONS_H
#define ZYGOTED_SUPERVISOR_OPTIONS_H

struct config;
struct tls_files;

/*
 * Reads the options and the configuration file. Returns when the daemon is to be started; exits for
 * -t, -T, -x, -V and -h, with 2 for a wrong command line and with 1, after a line for each error,
 * for a wrong configuration.
 */
struct config *options_read(int argc, char **argv);

/* Reads and checks the certificates; NULL: no listener speaks TLS. Exits with 1, after a line for each
 * error, when they cannot be used. */
struct tls_files *options_read_certificates(const struct config *config);

#endif
