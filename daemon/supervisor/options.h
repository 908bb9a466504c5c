/*
 * The command line.
 */
#ifndef ZYGOTED_SUPERVISOR_OPTIONS_H
#define ZYGOTED_SUPERVISOR_OPTIONS_H

struct config;

/*
 * Reads the options and the configuration file. Returns when the daemon is to be started; exits for
 * -t, -T, -x, -V and -h, with 2 for a wrong command line and with 1, after a line for each error,
 * for a wrong configuration.
 */
struct config *options_read(int argc, char **argv);

#endif
