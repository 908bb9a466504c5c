/*
 * Between the client and a program that runs: the request's body in, its answer out.
 */
#ifndef ZYGOTED_EXEC_RELAY_H
#define ZYGOTED_EXEC_RELAY_H

#include "worker.h"

/*
 * Moves bytes both ways until the program has ended its answer; fds are those of zy_program_start. Returns what handle is to return. A
 * program that has said all of it and goes on is ended.
 */
int relay_run(struct zy_request *request, const int fds[2]);

#endif
