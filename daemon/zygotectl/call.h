/*
 * `zygotectl call`: one request as a frame.
 */
#ifndef ZYGOTED_ZYGOTECTL_CALL_H
#define ZYGOTED_ZYGOTECTL_CALL_H

#define CALL_EXIT_STATUS 10 /* added to a reply's status, when that is not 0 */

/*
 * argv: "call", the pool, and maybe the listener's address. Sends standard input as a frame, and writes the reply's
 * payload to standard output. The exit code: 0; 1 when the daemon names no listener; 2 when something cannot be used;
 * CALL_EXIT_STATUS and the reply's status when that is not 0.
 */
int call_run(const char *control, int argc, char *argv[]);

#endif
