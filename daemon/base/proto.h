/*
 * Every message that crosses a process boundary inside the daemon, in one place.
 *
 * Two kinds of channel exist:
 *  - message channels (AF_UNIX SOCK_SEQPACKET) between supervisor, front and zygotes. One message
 * is one fixed struct below; its size follows from its type (msg.h checks it), and so does the
 * number of descriptors that it may carry. Passing a descriptor passes ownership.
 *  - child channels (AF_UNIX SOCK_STREAM, one per child) between the front and one child. They
 * carry frames: struct frame_header, then `length` bytes. The front distrusts everything it reads
 * there.
 *
 * All integers are in host order: both ends are the same build on the same machine. Times called
 * *_ns are CLOCK_MONOTONIC nanoseconds, durations carry their unit in the name.
 */
#ifndef ZYGOTED_BASE_PROTO_H
#define ZYGOTED_BASE_PROTO_H

#include "base/histogram.h"

#include <stdint.h>

#define PROTO_NAME_MAX	    32	/* pool, listener and worker names, with the final NUL */
#define PROTO_TEXT_MAX	    480 /* a reason for people, with the final NUL */
#define PROTO_POOLS_MAX	    32
#define PROTO_LISTENERS_MAX 32
#define PROTO_ROUTES_MAX    32	/* per pool */
#define PROTO_ROUTE_MAX	    128 /* bytes of one route, with the final NUL */
#define PROTO_FRONTS_MAX    8
#define PROTO_ZYGOTES_MAX   8	/* of one generation */
#define REQUEST_ID_MAX	    128 /* bytes of a request's id, without the final NUL */
#define PROTO_NETWORKS_MAX  32
#define PROTO_PENALTIES_MAX 256	 /* sources that one answer lists */
#define PROTO_CHILDREN_MAX  4096 /* slots per zygote and front; the bound of max_children */
#define PROTO_BATCH_MAX	    16 /* children per order or report; 2 descriptors each, SCM_MAX_FD: 253 */

/* ---- message channels ---- */

enum msg_type {
	MSG_NONE,
	/* supervisor -> front */
	MSG_ATTACH, /* use this generation; carries a channel to each of its zygotes */
	MSG_DETACH, /* stop ordering from it, let its busy children finish, then MSG_DETACHED */
	MSG_GO,	    /* a generation that was held may take over */
	MSG_RECONFIGURE, /* carries a new struct heritage_front, and certificates if it has tls_bytes: for new
		       requests and connections at once */
	MSG_LISTEN, /* carries the socket of a listener that it has not, or has another of */
	MSG_STATS_GET,
	MSG_CHILDREN_GET,
	MSG_PENALTIES_GET,
	MSG_ROUTES_GET,
	MSG_MEMORY_OVER, /* this child has added more than it may */
	MSG_SAMPLED,	 /* the child was looked at, or will not be: let it go */
	MSG_PREFAULT,	 /* this generation has a table of pages to touch beforehand */
	MSG_LOG_LEVEL,	 /* also supervisor -> zygote */
	MSG_ACCESS_LOG,	 /* write the access log there; carries its descriptor */
	MSG_DRAIN,	 /* no new connections; answer what is there, then MSG_DRAINED */
	MSG_METRICS,	 /* carries the text for scrapers when size is not 0 */
	/* front -> supervisor */
	MSG_FRONT_READY,
	MSG_ATTACHED,	    /* its first spare is parked: it serves now, the one before it drains */
	MSG_HELD,	    /* its first spare is parked: it waits for MSG_GO */
	MSG_DETACHED,	    /* the front has no child of it left and orders none */
	MSG_STATS,	    /* one per pool; then these, and MSG_STATS_END as the last */
	MSG_STATS_TIMES,    /* one per pool */
	MSG_STATS_LISTENER, /* one per listener */
	MSG_STATS_END,
	MSG_CHILDREN,	 /* up to PROTO_BATCH_MAX children, `last` marks the final one */
	MSG_PENALTIES,	 /* the same for sources under penalty */
	MSG_ROUTE,	 /* one route of a pool, `last` marks the final one */
	MSG_MEMORY_LOOK, /* this generation has children that have been busy for a while */
	MSG_DRAINED,
	MSG_RECYCLE_WANTED, /* this generation should be replaced; the supervisor decides */
	MSG_METRICS_GET,    /* a scraper waits for the text; answered by MSG_METRICS */
	MSG_RECONFIGURED,   /* the new configuration is in use */
	/* zygote -> supervisor */
	MSG_ZYGOTE_READY,
	MSG_ZYGOTE_FAILED,
	MSG_SANDBOX_LISTENER, /* before READY in log mode; carries the filter's listener */
	MSG_HEALTHY,	      /* its loop goes round: the answer to MSG_HEALTH */
	MSG_PROBED,	      /* carries the probe child's pidfd when error is 0 */
	MSG_REGION,	      /* before READY: a region that the worker named in load */
	MSG_SAMPLE,	      /* MSG_ORDER_SAMPLE passed on; carries the child's pidfd */
	/* supervisor -> zygote */
	MSG_HEALTH, /* answered by MSG_HEALTHY with the same cookie; to siblings by a channel of a front's */
	MSG_PROBE,     /* fork a child that parks and serves nothing */
	MSG_PROBE_END, /* kill it */
	/* front -> zygote (orders) */
	MSG_ORDER_RESET, /* kill all children of this front, forget them, adopt this epoch */
	MSG_ORDER_FORK,	 /* carries 2 descriptors per child: its socket, the write end of its log
			    pipe */
	MSG_ORDER_KILL,
	MSG_ORDER_SAMPLE, /* have the supervisor look at this child, which has answered and waits */
	/* zygote -> front (reports) */
	MSG_REPORT_RESET, /* all children of earlier epochs are gone */
	MSG_REPORT_FORKED,
	MSG_REPORT_EXITED,
	MSG_TYPE_MAX
};

/* Starts every message. */
struct msg_header {
	uint32_t type; /* enum msg_type */
	uint32_t size; /* of the whole struct; must be the size of its type */
};

/* A pool's loaded zygotes: `generation` counts from 1 over the life of the supervisor, per pool. */
struct msg_attach {
	struct msg_header header;
	uint32_t pool; /* index into heritage_front.pools */
	uint32_t generation;
	uint32_t max_children; /* its slots, whatever the pool's configuration is by now */
	uint32_t is_held;      /* 1: it parks its spares, but takes over after MSG_GO only */
};

/* MSG_DETACH, MSG_GO, MSG_ATTACHED, MSG_HELD, MSG_DETACHED and MSG_MEMORY_LOOK. */
struct msg_generation {
	struct msg_header header;
	uint32_t pool;
	uint32_t generation;
};

/*
 * MSG_STATS_GET, MSG_PENALTIES_GET, MSG_ACCESS_LOG, MSG_DRAIN, MSG_DRAINED, MSG_FRONT_READY, MSG_PROBE,
 * MSG_PROBE_END, MSG_SANDBOX_LISTENER, MSG_HEALTH, MSG_RECONFIGURED.
 */
struct msg_cookie {
	struct msg_header header;
	uint64_t cookie; /* chosen by the asker, returned in the answer; 0 where there is none */
};

/* Why a pool's zygote is replaced by a new one: symbol, and name in logs and figures. */
#define PROTO_RECYCLES(X)                                                                          \
	X(NONE, "")                                                                                \
	X(MANUAL, "manual")	/* the control command */                                          \
	X(REQUESTS, "requests") /* it served recycle_requests */                                   \
	X(AGE, "age")		/* it served for recycle_after */                                  \
	X(FAULTS, "faults")	/* recycle_faults of its children died of memory faults */

enum recycle_reason {
#define X(symbol, name) RECYCLE_##symbol,
	PROTO_RECYCLES(X)
#undef X
		RECYCLE_MAX
};

struct msg_recycle {
	struct msg_header header;
	uint32_t pool;
	uint32_t generation;
	uint32_t reason; /* RECYCLE_REQUESTS or RECYCLE_FAULTS */
	uint32_t padding;
};

struct msg_healthy {
	struct msg_header header;
	uint64_t cookie;
	uint32_t zygote; /* which of its generation */
	uint32_t padding;
};

/* MSG_CHILDREN_GET and MSG_ROUTES_GET. */
struct msg_children_get {
	struct msg_header header;
	uint64_t cookie;
	uint32_t pool;
	uint32_t padding;
};

struct msg_reconfigure {
	struct msg_header header;
	uint64_t cookie;
	uint32_t bytes; /* of the struct in the memfd that comes along */
	uint32_t padding;
};

struct msg_listen {
	struct msg_header header;
	uint32_t listener; /* index into heritage_front.listeners */
	uint32_t padding;
};

struct msg_log_level {
	struct msg_header header;
	uint32_t level; /* enum log_level */
	uint32_t padding;
};

/* ---- how a request ended ---- */

/*
 * Each request ends in exactly one outcome. The table gives: name in logs and metrics, HTTP status
 * that the client saw (0: the connection just ends, or the worker's own), and the text for people.
 * `reason` in X-Zygoted-Reason is the name with '-' for '_'.
 */
#define PROTO_OUTCOMES(X)                                                                          \
	X(OK, "ok", 0, "answered by the worker")                                                   \
	X(BAD_REQUEST, "bad_request", 400, "request breaks the grammar")                           \
	X(HEADER_TIMEOUT, "header_timeout", 408, "request head did not arrive in time")            \
	X(NO_ROUTE, "no_route", 404, "no pool takes this path")                                    \
	X(BODY_TOO_LARGE, "body_too_large", 413, "request body over the pool's limit")             \
	X(BODY_TOO_SLOW, "body_too_slow", 408, "request body below the minimum rate")              \
	X(QUEUE_FULL, "queue_full", 503, "no spare child and the queue is full")                   \
	X(QUEUE_TIMEOUT, "queue_timeout", 503, "waited too long for a child")                      \
	X(CRASH_BREAKER, "crash_breaker", 503, "too many requests of this pool crashed lately")    \
	X(PENALTY, "penalty", 429, "too much harm came from this address lately")                  \
	X(POOL_DOWN, "pool_down", 503, "the pool's zygote is not running")                         \
	X(FORK_FAILED, "fork_failed", 503, "the zygote could not fork a child")                    \
	X(WORKER_ERROR, "worker_error", 500, "the worker reported an error")                       \
	X(CRASHED, "crashed", 502, "the child died before its answer was complete")                \
	X(BAD_REPLY, "bad_reply", 502, "the child's reply was malformed")                          \
	X(TIMEOUT, "timeout", 504, "deadline passed")                                              \
	X(CPU_LIMIT, "cpu_limit", 504, "the child used up its CPU time")                           \
	X(MEMORY_LIMIT, "memory_limit", 502, "the child added more memory than it may")            \
	X(REPLY_TOO_LARGE, "reply_too_large", 502, "the answer is over the pool's limit")          \
	X(SANDBOX, "sandbox", 502,                                                                 \
	  "the child broke the sandbox policy, or it could not be put up")                         \
	X(CLIENT_GONE, "client_gone", 0, "the client left")                                        \
	X(CLIENT_SLOW, "client_slow", 0, "the client took the answer too slowly")                  \
	X(INTERNAL, "internal", 500, "out of memory or descriptors in the front")

enum outcome {
#define X(symbol, name, status, text) OUTCOME_##symbol,
	PROTO_OUTCOMES(X)
#undef X
		OUTCOME_MAX
};

/* Whether children touch pages beforehand: symbol, and name in figures. */
#define PROTO_PREFAULTS(X)                                                                         \
	X(OFF, "off") /* by configuration */                                                       \
	X(UNAVAILABLE,                                                                             \
	  "unavailable") /* the daemon is not root's, or the kernel older than 5.14 */             \
	X(IDLE, "idle")	 /* requests have too few faults for it, or none have come */              \
	X(LEARNING, "learning")                                                                    \
	X(ON, "on")                                                                                \
	X(PAUSED, "paused") /* it did not pay; will be tried again */

enum prefault_state {
#define X(symbol, name) PREFAULT_##symbol,
	PROTO_PREFAULTS(X)
#undef X
		PREFAULT_STATE_MAX
};

/* Requests of a generation since it has a table, by whether their child had used it. */
struct msg_prefault_effect {
	uint64_t requests;
	uint64_t run_us; /* sums */
	uint64_t cpu_us;
	uint64_t counted; /* requests whose faults are in the next line */
	uint64_t faults;  /* that came after the child was parked */
};

enum prefault_kind { PREFAULT_WITHOUT, PREFAULT_WITH, PREFAULT_KIND_MAX };

/* What a pool has done since the front started; answers MSG_STATS_GET. */
struct msg_stats {
	struct msg_header header;
	uint64_t cookie;
	uint32_t pool;
	uint32_t generation; /* serving now, 0 if none */
	uint32_t spare;	     /* parked children */
	uint32_t busy;	     /* children with a request */
	uint32_t starting;   /* ordered, not yet reported; and those of a generation to come */
	uint32_t dying;	     /* killed or finished, not yet reaped */
	uint32_t queued;     /* requests waiting for a child */
	uint32_t draining;   /* children of older generations */
	uint32_t breaker;    /* enum breaker_state */
	uint32_t breaker_opened;
	uint32_t prefault_state; /* enum prefault_state */
	uint32_t padding;
	uint64_t requests; /* all that reached this pool, whatever the outcome */
	uint64_t outcomes[OUTCOME_MAX];
	uint64_t forks;
	uint64_t fork_failures;
	uint64_t kills;
	uint64_t exits_by_signal;
	uint64_t minor_faults; /* sum over all children that served a request */
	uint64_t cpu_us;       /* the same; user and system */
	uint64_t run_us;       /* sum of wall times from child taken to reply complete */
	uint64_t queue_us;     /* sum of waiting times */
	uint64_t run_us_max;
	uint64_t queue_us_max;
	uint64_t bytes_in;	   /* request bodies */
	uint64_t bytes_out;	   /* reply bodies */
	uint64_t output_truncated; /* children that wrote more to the log than is kept */
	struct msg_prefault_effect prefault[PREFAULT_KIND_MAX]; /* of the generation serving */
};

/* How a child ended: symbol, and name in metrics. */
#define PROTO_CHILD_ENDS(X)                                                                        \
	X(SERVED, "served")	  /* of its own, after its request */                              \
	X(UNUSED, "unused")	  /* of its own, without one: it was told to go */                 \
	X(KILLED, "killed")	  /* by order of the front */                                      \
	X(WORKER, "worker_error") /* the worker reported an error */                               \
	X(SANDBOX, "sandbox")	  /* a forbidden call, or a step of the lock-down failed */        \
	X(CPU, "cpu_limit")                                                                        \
	X(FAULT, "fault")   /* SIGSEGV, SIGBUS, SIGILL, SIGFPE */                                  \
	X(ABORT, "abort")   /* SIGABRT */                                                          \
	X(SIGNAL, "signal") /* another one */                                                      \
	X(EXIT, "exit")	    /* another exit code */

enum child_end {
#define X(symbol, name) CHILD_END_##symbol,
	PROTO_CHILD_ENDS(X)
#undef X
		CHILD_END_MAX
};

/* Durations of which the whole distribution is kept. Their sums are in msg_stats. */
enum pool_time { POOL_TIME_RUN, POOL_TIME_QUEUE, POOL_TIME_FORK, POOL_TIME_MAX };

#define PROTO_STATUS_CLASSES 6 /* by the first digit of an HTTP status; 0: no answer */

/* More of what a pool has done since the front started. */
struct msg_stats_times {
	struct msg_header header;
	uint64_t cookie;
	uint32_t pool;
	uint32_t padding;
	uint64_t fork_us;			 /* sum of fork times */
	uint64_t ends[CHILD_END_MAX];		 /* of children */
	uint64_t ok_codes[PROTO_STATUS_CLASSES]; /* outcome `ok` by the worker's own status */
	struct histogram times[POOL_TIME_MAX];
};

/* What a connection is doing: symbol, and name in metrics. */
#define PROTO_ACTIVITIES(X)                                                                        \
	X(HANDSHAKE, "handshake") /* of TLS */                                                     \
	X(IDLE, "idle")		  /* nothing of a request is there */                              \
	X(HEAD, "head")		  /* a part of a request head is there */                          \
	X(ACTIVE, "active")	  /* a request is in progress, or its answer not yet taken */      \
	X(LINGER, "linger")	  /* answered; waits for the client to have noticed */

enum connection_activity {
#define X(symbol, name) ACTIVITY_##symbol,
	PROTO_ACTIVITIES(X)
#undef X
		ACTIVITY_MAX
};

/* Connections of one listener. */
struct msg_stats_listener {
	struct msg_header header;
	uint64_t cookie;
	uint32_t listener;		    /* index into heritage_front.listeners */
	uint32_t connections[ACTIVITY_MAX]; /* open now */
	uint64_t accepted;
	uint64_t refused;
};

/* How a text for scrapers is written. */
enum metrics_format {
	METRICS_TEXT,	     /* Prometheus text format 0.0.4 */
	METRICS_OPENMETRICS, /* OpenMetrics 1.0 */
	METRICS_FORMAT_MAX
};

#define PROTO_METRICS_MAX (4u << 20) /* bytes of such a text */

/* MSG_METRICS_GET, and MSG_METRICS: then `size` bytes are in the memfd that comes along. */
struct msg_metrics {
	struct msg_header header;
	uint32_t format; /* enum metrics_format */
	uint32_t size;	 /* 0: there is no text, for want of memory or descriptors */
};

/* The front as a whole; ends the answer to MSG_STATS_GET. */
struct msg_stats_end {
	struct msg_header header;
	uint64_t cookie;
	uint32_t connections; /* open now */
	uint32_t active;      /* of these with a request in progress */
	uint64_t accepted;
	uint64_t refused; /* connections closed at accept: out of memory or descriptors */
	uint64_t requests;
	uint64_t outcomes[OUTCOME_MAX]; /* requests that no pool got are counted only here */
	uint64_t penalties;		/* times that a source came under penalty */
	uint32_t handshaking;		/* connections in a TLS handshake now */
	uint32_t handshakes_waiting;	/* of these kept waiting by the bound on handshakes */
	uint64_t handshakes_ok;
	uint64_t handshakes_resumed; /* of these with a ticket */
	uint64_t handshakes_failed;
	uint64_t handshakes_timed_out;
	uint64_t penalties_active; /* sources that are under penalty now */
	uint64_t scrapes;	   /* answers to scrapers */
	uint64_t log_lost;	   /* lines of the front's log that could not be written */
	uint64_t access_lost;	   /* lines of the access log */
	uint64_t uptime_ms;
};

/* A source under penalty, or on the way to it. */
struct msg_penalty {
	uint8_t address[16]; /* IPv4 mapped; of IPv6 the first 8 bytes count */
	uint32_t points;
	uint32_t relapses;
	uint64_t left_ms; /* refused for that long; 0: not now */
	uint64_t refused; /* requests */
};

struct msg_penalties {
	struct msg_header header;
	uint64_t cookie;
	uint32_t count;
	uint32_t last;
	struct msg_penalty penalties[PROTO_BATCH_MAX];
};

/*
 * What children did for one route, all of them since the front started. Bucket i of a histogram
 * counts values up to 2^i, the last one what is more.
 */
#define PROTO_BUCKETS 24

struct msg_histogram {
	uint64_t sum;
	uint64_t max;
	uint32_t buckets[PROTO_BUCKETS];
};

struct msg_route {
	struct msg_header header;
	uint64_t cookie;
	uint32_t pool;
	uint32_t route; /* index into the pool's routes */
	uint32_t last;
	uint32_t padding;
	uint64_t requests;	     /* whose child has been reaped */
	struct msg_histogram faults; /* minor faults: about as many pages were copied or added */
	struct msg_histogram cpu_us;
	struct msg_histogram wall_us; /* from the child taken to its request's end */
};

/* MSG_MEMORY_OVER. */
struct msg_memory {
	struct msg_header header;
	uint32_t pool;
	uint32_t generation;
	int32_t pid; /* in the zygote's pid namespace */
	uint32_t padding;
	uint64_t seen_ns; /* a child that was ordered later is another one with its pid */
	uint64_t added_bytes;
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_PROBING, BREAKER_STATE_MAX };

enum child_state {
	CHILD_FREE,
	CHILD_STARTING,
	CHILD_PARKED,
	CHILD_BUSY,
	CHILD_DYING,
	CHILD_STATE_MAX
};

struct msg_child {
	int32_t pid;	/* as the zygote sees it: inside its pid namespace if it has one */
	uint32_t state; /* enum child_state */
	uint32_t generation;
	uint32_t slot;
	uint64_t request; /* id of the request in progress, 0 if none */
	uint64_t age_us;  /* since it was ordered */
	uint64_t run_us;  /* since it was given its request, 0 if none */
};

struct msg_children {
	struct msg_header header;
	uint64_t cookie;
	uint32_t pool;
	uint32_t count;
	uint32_t last;
	uint32_t padding;
	struct msg_child children[PROTO_BATCH_MAX];
};

/* ---- zygote <-> supervisor ---- */

/* One row per layer of the sandbox: name, and what it is for. Kept in step with `require` in the
 * config. */
#define PROTO_LAYERS(X)                                                                            \
	X(USER, "user", "runs as the unprivileged user")                                           \
	X(USER_NS, "user-namespace", "own user namespace, no privileges outside it")               \
	X(PID_NS, "pid-namespace", "sees no other process; dies with the zygote")                  \
	X(NET_NS, "net-namespace", "no network interfaces")                                        \
	X(IPC_NS, "ipc-namespace", "no shared IPC objects")                                        \
	X(UTS_NS, "uts-namespace", "own host name")                                                \
	X(MOUNT_NS, "mount-namespace", "own mount table")                                          \
	X(ROOT, "empty-root", "root directory is read-only, empty but for read_paths")             \
	X(LANDLOCK, "landlock", "no file-system access but to read_paths, by Landlock rules")      \
	X(CAPABILITIES, "no-capabilities", "all capability sets are empty")                        \
	X(NO_NEW_PRIVS, "no-new-privs", "cannot gain privileges by exec")                          \
	X(RLIMITS, "rlimits", "resource limits")                                                   \
	X(SECCOMP, "seccomp", "system-call filter")

enum layer {
#define X(symbol, name, text) LAYER_##symbol,
	PROTO_LAYERS(X)
#undef X
		LAYER_MAX
};

enum layer_state { LAYER_MISSING, LAYER_APPLIED, LAYER_LOGGING /* seccomp in log mode */ };

struct msg_layer {
	uint32_t state; /* enum layer_state */
	int32_t error;	/* errno that made it unavailable, 0 if none */
};

enum image_kind { IMAGE_INHERITED, IMAGE_FROZEN, IMAGE_KIND_MAX };

/* Why a zygote's image is of its kind: symbol, and name in figures. */
#define PROTO_IMAGE_WHYS(X)                                                                        \
	X(CONFIGURED, "configured")   /* the pool's `image` says so */                             \
	X(MEASURED, "measured")	      /* children of this kind cost less in a trial */             \
	X(LARGE, "large")	      /* too large to try, and then frozen is cheaper */           \
	X(SMALL, "small")	      /* no mapping is large enough to be moved */                 \
	X(UNAVAILABLE, "unavailable") /* it could not be tried; `error` */

enum image_why {
#define X(symbol, name) IMAGE_WHY_##symbol,
	PROTO_IMAGE_WHYS(X)
#undef X
		IMAGE_WHY_MAX
};

struct msg_image {
	uint32_t kind;		     /* enum image_kind */
	uint32_t why;		     /* enum image_why */
	int32_t error;		     /* errno, 0 if none */
	uint32_t mappings;	     /* that were moved */
	uint64_t image_bytes;	     /* memory of the image; 0 when there is none */
	uint64_t left_bytes;	     /* in large mappings that could not be moved */
	uint64_t freeze_us;	     /* moving and sealing */
	uint32_t trial_frozen_us;    /* both 0 without a trial */
	uint32_t trial_inherited_us; /* CPU time of a child from fork to exit */
};

struct msg_zygote_ready {
	struct msg_header header;
	uint64_t load_us;     /* the worker's load */
	uint64_t state_bytes; /* private memory after load, from the zygote's own smaps_rollup */
	struct msg_image image;
	uint32_t selftest_status; /* that it was answered with; 0: there is none */
	uint32_t selftest_us;
	uint32_t siblings_count;
	int32_t siblings[PROTO_ZYGOTES_MAX - 1]; /* pids of the other zygotes, as it sees them */
	struct msg_layer layers[LAYER_MAX];
};

struct msg_zygote_failed {
	struct msg_header header;
	int32_t exit_code; /* one of enum zy_exit: which step */
	int32_t error;	   /* errno, 0 if none */
	char text[PROTO_TEXT_MAX];
};

struct msg_probed {
	struct msg_header header;
	uint64_t cookie;
	int32_t error; /* errno of the fork, 0: one descriptor comes along */
	uint32_t padding;
};

#define PROTO_REGIONS_MAX 64

/* A worker's name for a part of its memory. The text is the worker's: of any bytes. */
struct msg_region {
	struct msg_header header;
	uint64_t address;
	uint64_t bytes;
	char name[PROTO_NAME_MAX];
};

/*
 * MSG_ORDER_SAMPLE, MSG_SAMPLE and MSG_SAMPLED: a child that has answered is held until its memory
 * was looked at. Front to zygote, zygote to supervisor, supervisor to front.
 */
struct msg_sample {
	struct msg_header header;
	uint32_t epoch;
	uint32_t pool;
	uint32_t generation;
	uint32_t slot;
	uint64_t serial;
	uint32_t route; /* index into the pool's routes */
	uint32_t front; /* whose child it is: the zygote says so */
	uint32_t flags; /* SAMPLE_* */
	uint32_t padding;
	uint64_t faults; /* in MSG_SAMPLED of a parked child: that it had so far; 0: not known */
};

#define SAMPLE_PARKED	  1u /* it has no request: only its faults are wanted, once it rests */
#define SAMPLE_PREFAULTED 2u /* it was ordered with ORDER_PREFAULT */
#define SAMPLE_LOST	  4u /* in MSG_SAMPLED: nothing was learned */

/* MSG_PREFAULT. */
struct msg_prefault {
	struct msg_header header;
	uint32_t pool;
	uint32_t generation;
	uint32_t version; /* of the table; never 0 */
	uint32_t runs;	  /* 0: there is nothing in it */
};

/* ---- front <-> zygote ---- */

/*
 * A slot is the front's index of a child, below PROTO_CHILDREN_MAX; a serial never repeats within
 * an epoch; an epoch is one life of the front. A report with another epoch is about children of an
 * earlier front.
 */
struct msg_order_child {
	uint32_t slot;
	uint32_t flags; /* ORDER_*; only in MSG_ORDER_FORK */
	uint64_t serial;
};

#define ORDER_PREFAULT 1u /* the child touches what its generation's table says */

/* MSG_ORDER_FORK and MSG_ORDER_KILL. */
struct msg_order {
	struct msg_header header;
	uint32_t epoch;
	uint32_t count; /* 1..PROTO_BATCH_MAX */
	struct msg_order_child children[PROTO_BATCH_MAX];
};

/* MSG_ORDER_RESET and MSG_REPORT_RESET. */
struct msg_epoch {
	struct msg_header header;
	uint32_t epoch;
	uint32_t padding;
};

struct msg_forked_child {
	uint32_t slot;
	int32_t pid; /* in the zygote's pid namespace; 0 when the fork failed */
	uint64_t serial;
	int32_t error; /* errno of the failed fork */
	uint32_t fork_us;
};

struct msg_report_forked {
	struct msg_header header;
	uint32_t epoch;
	uint32_t count;
	struct msg_forked_child children[PROTO_BATCH_MAX];
};

struct msg_exited_child {
	uint32_t slot;
	int32_t pid;
	uint64_t serial;
	int32_t code;	/* exit code, or the signal's number */
	int32_t signal; /* 1: died by a signal */
	uint64_t minor_faults;
	uint64_t user_us;
	uint64_t system_us;
	uint64_t max_rss_bytes;
};

struct msg_report_exited {
	struct msg_header header;
	uint32_t epoch;
	uint32_t count;
	struct msg_exited_child children[PROTO_BATCH_MAX];
};

/* ---- exit codes of zygotes and children ---- */

/*
 * A child or zygote leaves only by _exit with one of these. Child codes from ZY_EXIT_SANDBOX on are
 * failed steps of the lock-down: the request is refused with outcome `sandbox`.
 */
#define PROTO_EXITS(X)                                                                             \
	X(OK, 0, "served its request, or was told to go")                                          \
	X(WORKER, 10, "the worker's handle or child_start reported an error")                      \
	X(CHANNEL, 11, "the channel to the front broke")                                           \
	X(REQUEST, 12, "the front's request frame was not understood")                             \
	X(PROGRAM_FORK, 13, "the process for its program could not be forked")                     \
	X(HERITAGE, 20, "started by hand, or by another version of the supervisor")                \
	X(LOAD, 21, "the worker could not be loaded")                                              \
	X(THREADS, 22, "the worker left threads running")                                          \
	X(ORDERS, 23, "an order was malformed")                                                    \
	X(MEMORY, 24, "out of memory")                                                             \
	X(LAYER, 25, "a layer that the configuration requires is not available")                   \
	X(EXEC, 26, "the program could not be executed")                                           \
	X(FREEZE, 27, "the state could not be frozen")                                             \
	X(SIBLING, 28, "another zygote of the generation died")                                    \
	X(SELFTEST, 29, "the self-test was not answered well")                                     \
	X(SANDBOX, 40, "a step of the lock-down failed")                                           \
	X(SANDBOX_FDS, 41, "descriptors could not be put in order")                                \
	X(SANDBOX_LIMITS, 42, "resource limits could not be set")                                  \
	X(SANDBOX_PARENT, 43, "the zygote was gone before the child was tied to it")               \
	X(SANDBOX_SEED, 44, "no random numbers")                                                   \
	X(SANDBOX_PRIVS, 45, "privileges could not be dropped")                                    \
	X(SANDBOX_FILTER, 46, "the system-call filter could not be loaded")

enum zy_exit {
#define X(symbol, code, text) ZY_EXIT_##symbol = (code),
	PROTO_EXITS(X)
#undef X
};

/* A child whose program died of a signal leaves with this plus the signal's number. */
#define ZY_EXIT_OF_PROGRAM     128
#define ZY_EXIT_OF_PROGRAM_MAX (ZY_EXIT_OF_PROGRAM + 64)

/* ---- child channels ---- */

enum frame_type {
	/* front -> child */
	FRAME_REQUEST = 1, /* struct frame_request, then its strings */
	FRAME_BODY,	   /* both ways: 1..FRAME_BODY_MAX bytes */
	FRAME_END,	   /* both ways, empty: body complete */
	/* child -> front */
	FRAME_REPLY, /* struct frame_reply, then its headers */
	FRAME_ERROR, /* 0..FRAME_ERROR_MAX bytes of text for the log: 500 to the client */
	FRAME_TYPE_MAX
};

#define FRAME_BODY_MAX 65536
#define FRAME_HEAD_MAX                                                                             \
	49152 /* request: 32 KiB of headers and the fields below; reply: enforced too */
#define FRAME_ERROR_MAX	  1024
#define FRAME_HEADERS_MAX 64
#define FRAME_SEED_BYTES  32

struct frame_header {
	uint32_t type;
	uint32_t length; /* of what follows */
};

/*
 * The fixed part of FRAME_REQUEST. After it: `fields` strings in the order of enum zy_field, then
 * `headers` pairs of strings (name in lower case, value). A string is a uint16_t length, that many
 * bytes, one NUL that the length does not count. Nothing is aligned.
 */
struct frame_request {
	uint64_t id;
	uint64_t deadline_ns;
	uint64_t content_length; /* UINT64_MAX: not known beforehand (chunked) */
	uint8_t seed[FRAME_SEED_BYTES];
	uint16_t fields; /* ZY_FIELD_MAX */
	uint16_t headers;
	uint32_t flags;
};

/* Flags of a request: the child stays when it has answered, until its channel ends. */
#define FRAME_REQUEST_HOLD 1u

/*
 * The fixed part of FRAME_REPLY. After it `headers` pairs of strings as above. Name: a token
 * of 1..64 bytes; value: at most 8 KiB of visible ASCII, space, tab, bytes from 0x80. Framing and
 * hop-by-hop names are refused.
 */
struct frame_reply {
	uint16_t status; /* 200..599 */
	uint16_t headers;
	uint32_t padding;
	uint64_t content_length; /* UINT64_MAX: not known; otherwise exactly what FRAME_BODY will
				    bring */
};

_Static_assert(sizeof(struct msg_header) == 8, "message header");
_Static_assert(sizeof(struct msg_order) == 16 + 16 * PROTO_BATCH_MAX, "order");
_Static_assert(sizeof(struct msg_report_forked) == 16 + 24 * PROTO_BATCH_MAX, "forked report");
_Static_assert(sizeof(struct msg_report_exited) == 16 + 56 * PROTO_BATCH_MAX, "exited report");
_Static_assert(sizeof(struct msg_image) == 48, "image");
_Static_assert(sizeof(struct msg_stats_times) == 32 + 8 * (CHILD_END_MAX + PROTO_STATUS_CLASSES) +
							 POOL_TIME_MAX * sizeof(struct histogram),
	       "times");
_Static_assert(sizeof(struct msg_stats_listener) == 56, "listener's stats");
_Static_assert(sizeof(struct msg_metrics) == 16, "metrics");
_Static_assert(sizeof(struct msg_children) == 32 + 40 * PROTO_BATCH_MAX, "children");
_Static_assert(sizeof(struct msg_region) == 24 + PROTO_NAME_MAX, "region");
_Static_assert(sizeof(struct msg_sample) == 56, "sample");
_Static_assert(sizeof(struct msg_prefault) == 24, "prefault");
_Static_assert(sizeof(struct msg_attach) == 24, "attach");
_Static_assert(sizeof(struct msg_reconfigure) == 24, "reconfigure");
_Static_assert(sizeof(struct msg_listen) == 16, "listen");
_Static_assert(sizeof(struct msg_healthy) == 24, "healthy");
_Static_assert(sizeof(struct msg_histogram) == 16 + 4 * PROTO_BUCKETS, "histogram");
_Static_assert(sizeof(struct msg_route) == 40 + 3 * sizeof(struct msg_histogram), "route");
_Static_assert(sizeof(struct frame_header) == 8, "frame header");
_Static_assert(sizeof(struct frame_request) == 64, "request head");
_Static_assert(sizeof(struct frame_reply) == 16, "reply head");

/* Names of the enums above, from the same tables; "?" when out of range. */
const char *proto_outcome_name(enum outcome outcome);
int proto_outcome_status(enum outcome outcome);
/* Whether the front turned the request away before a child had it. */
int proto_outcome_is_refusal(enum outcome outcome);
const char *proto_outcome_text(enum outcome outcome);
const char *proto_layer_name(enum layer layer);
const char *proto_layer_text(enum layer layer);
const char *proto_breaker_state_name(enum breaker_state state);
const char *proto_child_state_name(enum child_state state);
const char *proto_child_end_name(enum child_end end);
const char *proto_activity_name(enum connection_activity phase);
const char *proto_recycle_name(enum recycle_reason reason);
const char *proto_image_kind_name(enum image_kind kind);
const char *proto_image_why_name(enum image_why why);
const char *proto_prefault_name(enum prefault_state state);
const char *proto_exit_text(int code);

#endif
