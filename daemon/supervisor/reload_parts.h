/*
 * What the source files of reload share with each other and nobody else.
 */
#ifndef ZYGOTED_SUPERVISOR_RELOAD_PARTS_H
#define ZYGOTED_SUPERVISOR_RELOAD_PARTS_H

#include "supervisor/reload.h"
#include "supervisor/unix_socket.h"

enum reload_phase { RELOAD_IDLE, RELOAD_LOADING, RELOAD_SWITCHING };

struct reload {
	struct supervisor *supervisor;
	enum reload_phase phase;
	struct config *next;		/* while LOADING */
	struct tls_files *certificates; /* likewise */
	struct reload_plan plan;
	int listener_fds[PROTO_LISTENERS_MAX]; /* opened for it; -1: none */
	struct unix_socket_file files
		[PROTO_LISTENERS_MAX]; /* of these: those of Unix sockets that were made for it */
	uint32_t numbers[PROTO_POOLS_MAX]; /* generations that it waits for; 0: none */
	bool is_held[PROTO_POOLS_MAX];	   /* of these: parked a child */
	uint64_t cookie;		   /* of the message to the fronts; counts */
	uint32_t fronts; /* while SWITCHING: bit mask of those that have not answered it */
	uint64_t started_ms;
	reload_done_fn *done;
	void *owner;
	bool has_failed; /* while SWITCHING: a generation did not take over */
	char error[RELOAD_ERROR_MAX];
};

/* Reads and checks everything, decides what is to be done, and opens new listeners. 0, or -1 with reload->error. */
int reload_prepare(struct reload *reload, const char *pool, bool is_all)
	__attribute__((warn_unused_result));

/* Makes the new configuration the one in effect, in this process. */
void reload_apply(struct reload *reload);

/* Forgets the files that were read and not applied. */
void reload_drop_files(struct reload *reload);

#endif
