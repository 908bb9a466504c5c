/*
 * The access log's file: opened by the supervisor, written by the front, which has no files.
 */
#ifndef ZYGOTED_SUPERVISOR_ACCESS_FILE_H
#define ZYGOTED_SUPERVISOR_ACCESS_FILE_H

struct config;
struct front_proc;
struct front_proc;
struct supervisor;

/* At start, as the configuration says; dies if that cannot be done. */
void access_file_open(struct supervisor *supervisor);
/* Opens the same name anew, for a file that was renamed, and gives it to the fronts. On failure the old one
 * stays. */
void access_file_reopen(struct supervisor *supervisor);
void access_file_close(struct supervisor *supervisor);

/* A front is ready: gives it a copy. */
void access_file_send(struct front_proc *front);

#endif
