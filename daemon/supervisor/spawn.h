/*
 * Starting front and zygotes: the mechanism. What is started, when and how often is decided in
 * front_proc and zygote_proc.
 */
#ifndef ZYGOTED_SUPERVISOR_SPAWN_H
#define ZYGOTED_SUPERVISOR_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

struct identity;

#define SPAWN_FDS_MAX 80

/*
 * What is started. Descriptor fds[i] becomes descriptor i of the new process, /dev/null where
 * fds[i] is -1; it has no others. All of them stay the caller's.
 */
struct spawn_program {
	int program_fd;	   /* the executable */
	const char *title; /* argv[0] and all of argv */
	const struct identity *identity;
	int namespaces;	  /* CLONE_NEW* flags: what spawn_probe_namespaces found to work */
	bool is_zygote;	  /* a failure before the exec is told on the channel too: MSG_ZYGOTE_FAILED
			   */
	unsigned channel; /* index of its message channel to us: when that hangs up, we are gone */
	const int *fds;
	unsigned fds_count;
};

struct spawned {
	pid_t pid; /* 0: none */
	int pidfd; /* -1: none */
};

/*
 * Starts it in its own session, with PATH, LANG and TZ as its only environment, default signal
 * dispositions, and SIGKILL for the case that the supervisor dies. 0, or -1 with errno when no
 * process could be made; a failure after that is logged by the new process, which exits with a code
 * of enum zy_exit.
 */
int spawn_start(const struct spawn_program *program, struct spawned *out)
	__attribute__((warn_unused_result));

/* Sends a signal through the pidfd; without effect when there is no process. */
void spawn_kill(const struct spawned *process, int signal);

/* Forgets a process that was reaped. */
void spawn_forget(struct spawned *process);

/* Which namespaces a zygote can be started in. The errors are as in heritage_zygote. */
struct spawn_namespaces {
	int flags;	/* for spawn_program.namespaces */
	int user_error; /* 0: made, -1: not tried, else errno */
	int pid_error;
};

/*
 * Tries it with a short-lived process: as root a pid namespace, as a user a user and a pid
 * namespace. Blocks for its milliseconds; at start only.
 */
void spawn_probe_namespaces(const struct identity *identity, struct spawn_namespaces *out);

/* "signal=SEGV" or "code=21 reason=\"...\"" for a wait status. Returns out. */
char *spawn_format_exit(int status, char *out, size_t size);

#endif
