/*
 * What a process gets from the supervisor at exec: one struct in a sealed memfd, and descriptors at
 * fixed numbers. Everything that the supervisor knows and the others need crosses here or in
 * proto.h, nowhere else.
 *
 * The struct starts with a magic number and its own size, so that a front or zygote of another
 * build refuses to run instead of misreading it. Strings are NUL-terminated.
 */
#ifndef ZYGOTED_BASE_HERITAGE_H
#define ZYGOTED_BASE_HERITAGE_H

#include "base/proto.h"

#include <stddef.h>
#include <stdint.h>

#define HERITAGE_MAGIC		  0x7a79676fu
#define HERITAGE_PATH_MAX	  1024
#define HERITAGE_OPTIONS_MAX	  65536 /* all of a pool's options together */
#define HERITAGE_READ_PATHS_MAX	  16384 /* all of a pool's read_paths together */
#define HERITAGE_READ_PATHS_COUNT 64
#define HERITAGE_OPEN_FILES_MAX	  1020 /* with those that it has, a child's stay below 1024 */

/*
 * Descriptor numbers at exec of the front. 0, 1: /dev/null; 2: the daemon's log. Listeners follow
 * from FRONT_LISTENER_FD on, in the order of heritage_front.listeners.
 */
enum front_fd {
	FRONT_SUPERVISOR_FD = 3, /* message channel */
	FRONT_HERITAGE_FD = 4,	 /* read and closed at start */
	FRONT_FILTER_FD = 5,	 /* the front's own BPF program; read and closed at start */
	FRONT_TLS_FD = 6,   /* a bundle of certificates (tls_bundle.h); read and closed at start */
	FRONT_BOARD_FD = 7, /* struct front_board in a memfd; mapped and closed at start */
	FRONT_LISTENER_FD = 8,
};

/*
 * Descriptor numbers at exec of a zygote. 0, 1 and 3: /dev/null; 2: the daemon's log. The message
 * channels keep these numbers for life: the filter names them, and a child has none of them.
 */
enum zygote_fd {
	CHILD_CHANNEL_FD = 3, /* in a child: its socket. The zygote keeps /dev/null there to reserve
				 the number */
	ZYGOTE_SUPERVISOR_FD = 4,
	ZYGOTE_FRONT_FD = 5, /* ..ZYGOTE_FRONT_FD + PROTO_FRONTS_MAX - 1 */
	ZYGOTE_HERITAGE_FD = ZYGOTE_FRONT_FD + PROTO_FRONTS_MAX, /* read and closed at start */
	ZYGOTE_FILTER_FD,   /* the BPF program; read and closed at start */
	ZYGOTE_WORKER_FD,   /* the worker's shared object; closed once it is loaded */
	ZYGOTE_PREFAULT_FD, /* a prefault_table; mapped and closed before the lock-down */
	ZYGOTE_FD_MAX,	    /* descriptors from here on come and go */
	/*
	 * Until the other zygotes of a generation are forked: their channels, those of one zygote
	 * (to each front) after those of another.
	 */
	ZYGOTE_SIBLING_FD = ZYGOTE_FD_MAX
};

/*
 * In a child whose profile runs programs, for life. Above the numbers that the filter allows messages on.
 */
enum program_fd {
	PROGRAM_INPUT_FD = ZYGOTE_FRONT_FD + PROTO_FRONTS_MAX, /* pipe to its standard input */
	PROGRAM_OUTPUT_FD,				       /* pipe from its standard output */
	PROGRAM_PID_FD,					       /* pidfd of its process */
};

struct heritage_pool {
	char name[PROTO_NAME_MAX];
	uint32_t zygotes;      /* of a generation; <= PROTO_ZYGOTES_MAX */
	uint32_t spare;	       /* parked children kept ready */
	uint32_t max_children; /* parked, busy and dying together; <= PROTO_CHILDREN_MAX */
	uint32_t queue;	       /* requests that may wait for a child */
	uint32_t queue_timeout_ms;
	uint32_t timeout_ms; /* from child taken to reply complete */
	uint32_t routes_count;
	uint32_t recycle_requests; /* of one generation, then it is to be replaced; 0: never */
	uint32_t recycle_faults;   /* memory faults of children within a minute, likewise */
	uint32_t breaker_crashes;  /* that open the breaker; 0: never */
	uint32_t breaker_window_ms;
	uint32_t runs_programs; /* 1: ZY_EXIT_OF_PROGRAM may be meant */
	uint32_t padding;
	uint32_t sample; /* one in so many requests has its child's memory read; 0: none */
	uint64_t
		prefault_bytes; /* of a child, that it may copy beforehand; 0: none, nothing is learned */
	uint64_t body_max_bytes;
	uint64_t reply_max_bytes;
	uint64_t output_bytes; /* log output of a child that is kept */
	char routes[PROTO_ROUTES_MAX][PROTO_ROUTE_MAX];
};

/* Addresses whose first `bits` bits are these; IPv4 as ::ffff:a.b.c.d, with 96 bits more. */
struct heritage_network {
	uint8_t address[16];
	uint32_t bits;
};

struct heritage_networks {
	uint32_t count;
	uint32_t local; /* 1: and whoever may connect to the listener's Unix socket */
	struct heritage_network list[PROTO_NETWORKS_MAX];
};

enum protocol { PROTOCOL_HTTP, PROTOCOL_METRICS, PROTOCOL_FRAME, PROTOCOL_MAX };

/*
 * The route of a pool that a listener for frames names: no path is one. Its requests are counted under it, as those of other
 * routes.
 */
#define HERITAGE_FRAME_ROUTE "frame"

/* Whether clients show a certificate; one that they show must be good. */
enum client_verify {
	CLIENT_VERIFY_NONE,
	CLIENT_VERIFY_OPTIONAL,
	CLIENT_VERIFY_REQUIRED,
	CLIENT_VERIFY_MAX
};

/* The oldest version of TLS that is spoken. */
enum tls_minimum { TLS_MINIMUM_1_2, TLS_MINIMUM_1_3, TLS_MINIMUM_MAX };

struct heritage_listener {
	char name[PROTO_NAME_MAX];
	char pool[PROTO_NAME_MAX]; /* that gets the frames; "" where paths decide */
	char address[128];	   /* as in the configuration, for logs */
	uint32_t protocol;	   /* enum protocol */
	uint32_t tls;		   /* certificates that it has in the bundle; 0: plain */
	uint32_t client_verify;	   /* enum client_verify */
	uint32_t tls_minimum;	   /* enum tls_minimum */
	uint32_t connections_max;  /* 0: as many as there may be in all */
	uint32_t gather_bytes;	   /* of an answer that is gathered before it leaves, at most */
	struct heritage_networks
		proxies; /* that tell whose connections theirs are; none: nobody does */
};

enum access_format { ACCESS_COMBINED, ACCESS_JSON, ACCESS_FORMAT_MAX };

/* Pools and listeners keep their places as long as they live; places without a name are free. */
struct heritage_front {
	uint32_t magic;
	uint32_t size;
	uint32_t epoch; /* counts the starts of this front by this supervisor, from 1 */
	uint32_t front; /* which of the fronts it is, from 0 */
	uint32_t
		fronts; /* how many there are; limits of pools and connections are this one's share */
	uint32_t log_level;
	uint32_t log_journal; /* 1: syslog priority prefixes, no time stamps */
	uint32_t connections_max;
	uint32_t connections_per_source; /* 0: any number */
	uint32_t header_timeout_ms; /* from the first byte of a request to the end of its headers */
	uint32_t idle_timeout_ms;   /* between requests of a connection */
	uint32_t body_rate_bytes;   /* per second: the least that a body must come, or an answer be
				       taken at */
	uint32_t body_grace_ms;	    /* before that rate is asked for */
	uint32_t linger_timeout_ms; /* reading on after an error answer */
	uint32_t requests_max;	    /* per connection */
	uint32_t penalty;	    /* points that bring a source under penalty; 0: none do */
	uint32_t pools_count;
	uint32_t listeners_count;
	uint32_t sandbox;	       /* 1: load the filter from FRONT_FILTER_FD */
	uint32_t handshake_timeout_ms; /* from accepting a connection to the end of its handshake */
	uint32_t handshakes_max;       /* in progress at a time */
	uint32_t ticket_lifetime_ms;   /* of TLS session tickets; 0: none are given */
	uint32_t tls_bytes;	       /* of the bundle; 0: there is none */
	uint32_t access_log;	       /* 1: MSG_ACCESS_LOG will bring a descriptor */
	uint32_t access_format;	       /* enum access_format */
	uint32_t padding;
	uint64_t gather_bytes; /* of all answers that are gathered before they leave, together */
	struct heritage_networks exempt; /* from penalties */
	struct heritage_pool pools[PROTO_POOLS_MAX];
	struct heritage_listener listeners[PROTO_LISTENERS_MAX];
};

/*
 * What fronts tell each other, in memory that all of them map and each may write: so it is a hint, and what rests on it is
 * harmless when it is wrong. The supervisor writes FRONT_ABSENT for a front that has died.
 */
struct front_board {
	uint32_t connections[PROTO_FRONTS_MAX];
};

#define FRONT_ABSENT UINT32_MAX

#define HERITAGE_TARGET_MAX 512

/* The request that a child has to answer before its generation serves. */
struct heritage_selftest {
	char method[16]; /* "": none is made */
	char path[HERITAGE_TARGET_MAX];
	char query[HERITAGE_TARGET_MAX];
	char route[PROTO_ROUTE_MAX]; /* that took it */
	uint32_t timeout_ms;
};

enum sandbox_mode { SANDBOX_ENFORCE, SANDBOX_LOG, SANDBOX_MODE_MAX };

enum image_want { IMAGE_WANT_AUTO, IMAGE_WANT_FROZEN, IMAGE_WANT_INHERITED, IMAGE_WANT_MAX };

struct heritage_zygote {
	uint32_t magic;
	uint32_t size;
	uint32_t generation;
	uint32_t log_level;
	uint32_t log_journal;
	uint32_t fronts;       /* channels from ZYGOTE_FRONT_FD on */
	uint32_t max_children; /* slots per front, of all zygotes of the generation together */
	uint32_t
		zygotes; /* 1..PROTO_ZYGOTES_MAX; zygote i has the slots with slot % zygotes == i */
	uint32_t sandbox;	   /* enum sandbox_mode */
	uint32_t required_layers;  /* bit mask over enum layer: missing = exit ZY_EXIT_LAYER */
	uint32_t cpu_seconds;	   /* RLIMIT_CPU of a child, 0: none */
	uint32_t open_files;	   /* that a child may have besides its own; 0: it can open none */
	uint32_t reads_files;	   /* 1: children may read below read_paths */
	uint32_t loads_code;	   /* 1: and load code from there */
	uint32_t runs_programs;	   /* 1: and have one program executed, beside themselves */
	uint32_t sandbox_notifies; /* 1: the filter asks a listener; it goes to the supervisor */
	uint32_t image;		   /* enum image_want */
	uint32_t prefaults;	   /* 1: there is a table at ZYGOTE_PREFAULT_FD */
	uint32_t padding;
	uint64_t memory_bytes; /* RLIMIT_DATA of a child beyond what it inherits */
	int32_t user_ns_error; /* what the supervisor met making the first namespaces; -1: not tried
				*/
	int32_t pid_ns_error;
	char pool[PROTO_NAME_MAX];
	char worker[PROTO_NAME_MAX];
	char worker_path[HERITAGE_PATH_MAX]; /* the shared object */
	struct heritage_selftest selftest;
	uint32_t options_count;
	uint32_t options_bytes;
	uint32_t read_paths_count;
	uint32_t read_paths_bytes;
	char options[HERITAGE_OPTIONS_MAX];	  /* name NUL value NUL, options_count times */
	char read_paths[HERITAGE_READ_PATHS_MAX]; /* path NUL, read_paths_count times */
};

/*
 * Writes the struct into a new sealed memfd named `name`. Returns the descriptor (close-on-exec,
 * the caller's), -1 with errno. For heritage structs and for BPF programs alike.
 */
int heritage_seal(const char *name, const void *data, size_t size)
	__attribute__((warn_unused_result));

/* Writes all of `data`. 0, or -1 with errno. */
int heritage_write(int fd, const void *data, size_t size) __attribute__((warn_unused_result));

/* Seals a memfd that was made to be sealed: its bytes stay as they are. 0, or -1 with errno. */
int heritage_seal_fd(int fd) __attribute__((warn_unused_result));

/* Of metrics listeners: monitoring is a handful of programs. */
#define HERITAGE_SCRAPERS_MAX 64

/*
 * Descriptors that a front needs beside those of its clients' connections. `children` is the sum of
 * max_children and spare of its pools.
 */
uint64_t heritage_front_descriptors(uint64_t children, uint32_t listeners);

/*
 * Reads exactly `size` bytes from the start of `fd`, which stays open, by pread alone: the front's
 * filter lets it. 0, or -1 with errno (EPROTO: it is shorter).
 */
int heritage_pread(int fd, void *data, size_t size) __attribute__((warn_unused_result));

/*
 * Reads exactly `size` bytes from the start of `fd` and closes it. For a heritage struct follow
 * with a check of its magic and size fields. 0, or -1 with errno (EPROTO: another length).
 */
int heritage_read(int fd, void *data, size_t size) __attribute__((warn_unused_result));

/*
 * The same without a copy: maps the memfd read-only for the life of the process and closes it. NULL with errno.
 */
const void *heritage_map(int fd, size_t size) __attribute__((warn_unused_result));

#endif
