/*
 * worker.h - the only header that a zygoted worker includes.
 *
 * A worker is a shared object that exports one symbol, `zy_worker`. A zygote loads it once and
 *calls load(); each request is then handled by handle() in a process of its own, forked
 *copy-on-write from that zygote, under a system-call filter, with no network and no files. The
 *process serves exactly one request and dies: nothing that handle() does to memory is seen by
 *another request.
 *
 *	zygote   dlopen, load()                    once; unsandboxed, as the unprivileged user
 *	child    child_start()                     once per child, while it is parked; sandboxed
 *	         handle()                          once, for its one request; sandboxed
 *
 * No call here may be made from a second thread: a worker that leaves threads running after load()
 *is refused, and a child cannot make any. fork handlers (pthread_atfork) do not run in children;
 *use child_start().
 */
#ifndef ZYGOTED_WORKER_H
#define ZYGOTED_WORKER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZY_WORKER_ABI                                                                              \
	1 /* a worker of another number is refused at load, with both numbers in the log */

#define ZY_SEED_BYTES	  32
#define ZY_LENGTH_UNKNOWN UINT64_MAX

struct zy_load;	   /* what load() may ask: the pool's options */
struct zy_request; /* one request and its answer */

/*
 * The exported symbol: const struct zy_worker zy_worker = { .abi = ZY_WORKER_ABI, ... };
 */
struct zy_worker {
	uint32_t abi;	     /* ZY_WORKER_ABI */
	uint32_t reserved;   /* 0 */
	const char *name;    /* for logs and `info`: 1..31 characters of [a-z0-9_-] */
	const char *profile; /* sandbox profile that it needs, "compute" unless it has a reason; the
				configuration decides */

	/*
	 * Zygote, once. May read files, allocate, take its time; must leave no thread. Stores what
	 * the other calls get as `state`. 0, or -1 after zy_load_error: the generation is refused,
	 * an earlier one serves on. May be NULL.
	 *
	 * Signal handlers that it leaves are undone, but for those of SIGSEGV, SIGBUS, SIGFPE and SIGILL: with them a child may
	 * write to stderr what it was doing when it died. They must end in the death by that signal (SA_RESETHAND and a
	 * return), with no system call but write.
	 */
	int (*load)(const struct zy_load *load, void **state_out);

	/*
	 * Child, before its request is there: the place to touch what every request needs. Costs no
	 * request any time as long as spares are parked. 0, or -1: the child dies and its request,
	 * if any, gets a 502. May be NULL.
	 */
	int (*child_start)(void *state);

	/*
	 * Child, once. Reads the request, writes the answer. 0: the answer is complete (an empty
	 * 204 if nothing was written). -1: 500 if nothing has reached the client yet; otherwise the
	 * answer breaks off visibly. A crash gives the client 502, passing the deadline 504; no
	 * other request is affected.
	 */
	int (*handle)(void *state, struct zy_request *request);
};

extern __attribute__((visibility("default"))) const struct zy_worker zy_worker;

/* ---- during load ---- */

/*
 * The value of the option `name` in the pool's configuration. An option may have several values:
 * `index` counts from 0. NULL when there is none. The string lives as long as the process.
 */
const char *zy_option(const struct zy_load *load, const char *name, size_t index);

/*
 * Refuses options that are not in the NULL-terminated list `known`, so that a misspelt one does not
 * go unnoticed. 0, or -1 after zy_load_error: return -1 from load.
 */
int zy_options_check(const struct zy_load *load, const char *const known[])
	__attribute__((warn_unused_result));

/* The pool's name. */
const char *zy_pool(const struct zy_load *load);

/* Whether the pool's profile lets zy_program_start run programs. */
int zy_runs_programs(const struct zy_load *load);

/* Says why load fails; the text goes to the log and to the operator. Returns -1, to be returned
 * from load. */
int zy_load_error(const struct zy_load *load, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define ZY_REGIONS_MAX	   64
#define ZY_REGION_NAME_MAX 31

/*
 * Gives `size` bytes of memory from `address` on a name, under which `zygotectl maps` and `map` show what requests copy
 * of them. For people only; a page with parts of two regions counts for the one that begins first. Nothing is kept, so
 * `name`, 1..ZY_REGION_NAME_MAX bytes, may be on the stack. 0; or -1 without effect outside of load, for an empty region
 * or name, one that is too long, or after ZY_REGIONS_MAX of them. No reason to fail a load.
 */
int zy_name_region(const void *address, size_t size, const char *name);

/* ---- the request ---- */

/* All strings are NUL-terminated and live as long as the child. Absent ones are "", never NULL. */
enum zy_field {
	ZY_METHOD,	 /* "GET"; a token, case-sensitive. "FRAME": see below */
	ZY_PATH,	 /* as received, percent-encoding kept, without the query: "/oui/00%3A22" */
	ZY_QUERY,	 /* what follows '?', as received, without it */
	ZY_ROUTE,	 /* the route that took the request: "/oui/" */
	ZY_REST,	 /* what follows the route in the path, as received: "00%3A22" */
	ZY_HOST,	 /* Host, or the host of an absolute target */
	ZY_PROTOCOL,	 /* "HTTP/1.1", "HTTP/1.0" or "FRAME" */
	ZY_SCHEME,	 /* "http", "https", "frame", "frames" */
	ZY_PEER_ADDRESS, /* "192.0.2.1", "2001:db8::1"; "unix:" of a client at a Unix socket */
	ZY_PEER_PORT,	 /* decimal; "" of such a client */
	ZY_LISTENER,	 /* name of the listener in the configuration */
	ZY_POOL,	 /* name of the pool */
	ZY_TLS_VERSION,	 /* "TLSv1.3", "TLSv1.2"; "" on a listener without TLS, as the next four */
	ZY_TLS_CIPHER,	 /* "TLS_AES_128_GCM_SHA256" */
	ZY_TLS_SERVER_NAME, /* the host that the client asked for in the handshake */
	/*
	 * Who the client is by its certificate, which was verified (client_verify); "" without one. All
	 * visible ASCII and spaces, other bytes as \XX. Names are never cut: at most 1023 and 2047 bytes.
	 */
	ZY_CLIENT_SUBJECT, /* RFC 2253: "CN=alice,O=Example" */
	ZY_CLIENT_SAN,	   /* "DNS:a.example,email:a@example.org,IP:192.0.2.1,URI:urn:x" */
	/*
	 * Names the request in the log and in the answer: the client's X-Request-Id when that is one
	 * token of 1..128 bytes, else 32 hexadecimal digits. No secret; the client may repeat itself.
	 */
	ZY_REQUEST_ID,
	/*
	 * A frame has a payload and nothing else: that is the body. Then the method and protocol are "FRAME", path and route "/",
	 * the scheme "frame", or "frames" with TLS; query, rest and host are "", and there are no headers. Of the answer the client
	 * gets the body, and a status of frames that the worker's makes (zygoted(8)).
	 */
	ZY_FIELD_MAX
};

const char *zy_field(const struct zy_request *request, enum zy_field field);

/* Headers: names in lower case, in the order received; hop-by-hop headers stay in the front. At
 * most 64. */
size_t zy_headers(const struct zy_request *request);
const char *zy_header_name(const struct zy_request *request, size_t index);  /* NULL past the end */
const char *zy_header_value(const struct zy_request *request, size_t index); /* NULL past the end */
const char *zy_header(const struct zy_request *request,
		      const char *name); /* first of that name or NULL */

/* Fresh random bytes of this request's own, ZY_SEED_BYTES of them: seed generators from here. */
const uint8_t *zy_seed(const struct zy_request *request);
/* A number, unique among the requests of one run of the daemon's front. */
uint64_t zy_id(const struct zy_request *request);
/* CLOCK_MONOTONIC nanoseconds after which the child is killed. */
uint64_t zy_deadline_ns(const struct zy_request *request);

/* Bytes of the body, ZY_LENGTH_UNKNOWN when it comes in chunks. */
uint64_t zy_content_length(const struct zy_request *request);

/*
 * Reads up to `size` bytes of the body, blocking until there are some. Bytes read, 0 at its end. It
 * does not fail: when the client or the front is gone the child ends.
 */
size_t zy_read(struct zy_request *request, void *buffer, size_t size);

/*
 * For workers that wait for other descriptors too: -1 when zy_read would not have to wait, else what poll(2) says POLLIN of when
 * it is worth calling. To be used for that alone.
 */
int zy_body_fd(const struct zy_request *request);

/* ---- the answer ---- */

/*
 * The order is zy_status, zy_header_add, zy_length, then zy_write; all but zy_write are optional.
 * Status is 200 unless set. Calls return 0, or -1 for what the front would refuse (status outside
 * 200..599; a name that is no token; control bytes in a value; a framing or hop-by-hop header, Date or X-Zygoted-Reason; too
 * many or too large; too late, because the head has left; more bytes than zy_length promised):
 * nothing is changed then. X-Request-Id is the front's to write: a worker's own is left out.
 */
int zy_status(struct zy_request *request, int status);
int zy_header_add(struct zy_request *request, const char *name, const char *value);
/*
 * Promises the body's exact length, so that the client sees Content-Length although the body is
 * streamed. Needless for bodies that fit the buffer (16 KiB): their length is known anyway. The answer to a HEAD may
 * promise the length that a GET would have, and write nothing.
 */
int zy_length(struct zy_request *request, uint64_t bytes);
/* Writes a part of the body, blocking while the client takes it slowly. Buffered; sent when 16 KiB
 * have gathered. */
int zy_write(struct zy_request *request, const void *data, size_t size);
int zy_printf(struct zy_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Sends what is buffered now: for answers that trickle. */
int zy_flush(struct zy_request *request);

/* ---- a program: only where zy_runs_programs says so, or the child dies of it ---- */

#define ZY_PROGRAM_STRINGS 1024		/* most arguments, and most variables */
#define ZY_PROGRAM_BYTES   (256 * 1024) /* of all strings together, with their NULs */

struct zy_program {
	const char *directory;	 /* where it starts */
	const char *const *argv; /* argv[0]: its absolute path; NULL-terminated, as envp */
	const char *const *envp; /* "NAME=value" */
};

/*
 * Executes the request's only program, once, in a process of its own that was forked and confined along with the child: limits of memory,
 * CPU time and files are its own, it cannot fork, and it dies with the child. Its standard input can be written to at fds_out[0],
 * its standard output be read at fds_out[1]; its standard error is the log. 0 when it is about to be executed: when that fails, as a
 * line in the log then says, it ends with status 127. -1 when it was called before, or there is no memory or no room.
 */
int zy_program_start(struct zy_request *request, const struct zy_program *program, int fds_out[2])
	__attribute__((warn_unused_result));

/*
 * Waits up to `wait_ms` for it to end, then kills it. Its exit status, 0..255; -1 when it had to be killed. Does not return when it died
 * of another signal: the child ends, and the client is answered as if it had died of it (502 `crashed`, `sandbox`, 504 `cpu-limit`).
 */
int zy_program_end(struct zy_request *request, int wait_ms) __attribute__((warn_unused_result));

/* Percent-decodes `text` into `out` (size >= strlen(text) + 1). Decoded length, -1 for a bad escape
 * or NUL. */
ssize_t zy_percent_decode(const char *text, char *out);

#ifdef __cplusplus
}
#endif

#endif
