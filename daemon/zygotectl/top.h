/*
 * `zygotectl top`: a live view of pools, in the terminal or as text.
 */
#ifndef ZYGOTED_ZYGOTECTL_TOP_H
#define ZYGOTED_ZYGOTECTL_TOP_H

/*
 * Runs until the operator has seen enough. argv[0] is the command, its options follow. The exit code:
 * 0, 1 when the daemon refuses, 2 when the command line, the terminal or the socket cannot be used.
 */
int top_run(const char *control, int argc, char *argv[]);

#endif
