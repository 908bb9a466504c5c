/*
 * Every key of the configuration: one row each. Pure data.
 *
 * Runs in: supervisor. A key that is read anywhere else than by walking this table is a bug: the
 * manual page, the sample file and `zygoted -T` are checked against the table.
 */
#include "supervisor/config_keys.h"

#include "supervisor/config.h"
#include "supervisor/policy.h"

#include <string.h>

#ifndef ZYGOTED_WORKER_DIR
#define ZYGOTED_WORKER_DIR "/usr/lib/zygoted/workers"
#endif
#ifndef ZYGOTED_LIBEXEC_DIR
#define ZYGOTED_LIBEXEC_DIR "/usr/libexec/zygoted"
#endif

#define FIELD(type, member)                                                                        \
	.offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)
#define TOP(member)	 FIELD(config, member)
#define LISTEN(member)	 FIELD(config_listener, member)
#define POOL(member)	 FIELD(config_pool, member)
#define RANGE(low, high) .min = (low), .max = (high)

#define SECONDS UINT64_C(1000)
#define MINUTES (60 * SECONDS)
#define HOURS	(60 * MINUTES)
#define KIB	(UINT64_C(1) << 10)
#define MIB	(UINT64_C(1) << 20)
#define GIB	(UINT64_C(1) << 30)
#define TIB	(UINT64_C(1) << 40)

static const char *
level_choice(unsigned index)
{
	return index < LOG_LEVEL_MAX ? log_level_name((enum log_level)index) : NULL;
}

static const char *
access_format_choice(unsigned index)
{
	static const char *const names[] = {
		[ACCESS_COMBINED] = "combined", [ACCESS_JSON] = "json"
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == ACCESS_FORMAT_MAX, "access formats");

	return index < ACCESS_FORMAT_MAX ? names[index] : NULL;
}

static const char *
layer_choice(unsigned index)
{
	return index < LAYER_MAX ? proto_layer_name((enum layer)index) : NULL;
}

static const char *
protocol_choice(unsigned index)
{
	static const char *const names[] = {
		[PROTOCOL_HTTP] = "http",
		[PROTOCOL_METRICS] = "metrics",
		[PROTOCOL_FRAME] = "frame",
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == PROTOCOL_MAX, "protocols");

	return index < PROTOCOL_MAX ? names[index] : NULL;
}

static const char *
verify_choice(unsigned index)
{
	static const char *const names[] = { [CLIENT_VERIFY_NONE] = "none",
					     [CLIENT_VERIFY_OPTIONAL] = "optional",
					     [CLIENT_VERIFY_REQUIRED] = "required" };
	_Static_assert(sizeof(names) / sizeof(names[0]) == CLIENT_VERIFY_MAX, "verifications");

	return index < CLIENT_VERIFY_MAX ? names[index] : NULL;
}

static const char *
tls_choice(unsigned index)
{
	static const char *const names[] = { [TLS_MINIMUM_1_2] = "1.2", [TLS_MINIMUM_1_3] = "1.3" };
	_Static_assert(sizeof(names) / sizeof(names[0]) == TLS_MINIMUM_MAX, "versions of TLS");

	return index < TLS_MINIMUM_MAX ? names[index] : NULL;
}

static const char *
access_choice(unsigned index)
{
	static const char *const names[] = {
		[CONFIG_ACCESS_OWNER] = "owner",
		[CONFIG_ACCESS_GROUP] = "group",
		[CONFIG_ACCESS_ALL] = "all",
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == CONFIG_ACCESS_MAX, "kinds of access");

	return index < CONFIG_ACCESS_MAX ? names[index] : NULL;
}

static const char *
sandbox_choice(unsigned index)
{
	static const char *const names[] = { [SANDBOX_ENFORCE] = "enforce", [SANDBOX_LOG] = "log" };
	_Static_assert(sizeof(names) / sizeof(names[0]) == SANDBOX_MODE_MAX, "sandbox modes");

	return index < SANDBOX_MODE_MAX ? names[index] : NULL;
}

static const char *
image_choice(unsigned index)
{
	static const char *const names[] = {
		[IMAGE_WANT_AUTO] = "auto",
		[IMAGE_WANT_FROZEN] = "frozen",
		[IMAGE_WANT_INHERITED] = "inherited",
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == IMAGE_WANT_MAX, "images");

	return index < IMAGE_WANT_MAX ? names[index] : NULL;
}

static const char *
profile_choice(unsigned index)
{
	return policy_pool_profile(index);
}

/* clang-format off */
static const struct config_key keys[] = {
	{ CONFIG_TOP, CONFIG_USER, "user", "",
	  TOP(user), RANGE(0, 63),
	  .text = "user that front, zygotes and children run as when the daemon is started by root" },
	{ CONFIG_TOP, CONFIG_PATH, "control", "/run/zygoted/control.sock",
	  TOP(control), .computed = 1, RANGE(1, 107),
	  .text = "path of the control socket" },
	{ CONFIG_TOP, CONFIG_GROUP, "control_group", "",
	  TOP(control_group), RANGE(0, 63),
	  .text = "group whose members may use the reading commands of the control socket" },
	{ CONFIG_TOP, CONFIG_PATH, "worker_dir", ZYGOTED_WORKER_DIR,
	  TOP(worker_dir), .computed = 1, RANGE(1, HERITAGE_PATH_MAX - 1),
	  .text = "directory of the workers' shared objects" },
	{ CONFIG_TOP, CONFIG_PATH, "zygote_program", ZYGOTED_LIBEXEC_DIR "/zygoted-zygote",
	  TOP(zygote_program), .computed = 1, RANGE(1, HERITAGE_PATH_MAX - 1),
	  .text = "program that a zygote runs" },
	{ CONFIG_TOP, CONFIG_CHOICE, "log_level", "info",
	  TOP(log_level), .choice = level_choice,
	  .text = "least important events that are logged" },
	{ CONFIG_TOP, CONFIG_LOG_FILE, "access_log", "off",
	  TOP(access_log), RANGE(1, HERITAGE_PATH_MAX - 1),
	  .text = "where a line for each request goes: off, stderr or a file's absolute path" },
	{ CONFIG_TOP, CONFIG_CHOICE, "access_format", "combined",
	  TOP(limits.access_format), .choice = access_format_choice,
	  .text = "how that line looks" },
	{ CONFIG_TOP, CONFIG_LAYERS, "require", "",
	  TOP(required_layers), .choice = layer_choice,
	  .text = "sandbox layers without which the daemon does not serve" },
	{ CONFIG_TOP, CONFIG_COUNT, "fronts", "1",
	  TOP(fronts), RANGE(1, PROTO_FRONTS_MAX),
	  .text = "processes that accept and serve connections" },
	{ CONFIG_TOP, CONFIG_DURATION, "drain_timeout", "5s",
	  TOP(drain_timeout_ms), RANGE(100, 1 * HOURS),
	  .text = "longest time that requests in progress get when the daemon is told to stop" },
	{ CONFIG_TOP, CONFIG_COUNT, "connections", "10000",
	  TOP(limits.connections_max), RANGE(1, 1000000),
	  .text = "client connections open at the same time" },
	{ CONFIG_TOP, CONFIG_COUNT, "connections_per_source", "1000",
	  TOP(limits.connections_per_source), RANGE(0, 1000000),
	  .text = "of these, those from one IPv4 address or IPv6 /64; 0: any number" },
	{ CONFIG_TOP, CONFIG_DURATION, "header_timeout", "10s",
	  TOP(limits.header_timeout_ms), RANGE(100, 10 * MINUTES),
	  .text = "from the first byte of a request to the end of its headers" },
	{ CONFIG_TOP, CONFIG_DURATION, "idle_timeout", "15s",
	  TOP(limits.idle_timeout_ms), RANGE(100, 1 * HOURS),
	  .text = "between the requests of a connection" },
	{ CONFIG_TOP, CONFIG_SIZE, "body_rate", "1K",
	  TOP(limits.body_rate_bytes), RANGE(1, 1 * GIB),
	  .text = "bytes per second that a body must come, or an answer be taken, at least" },
	{ CONFIG_TOP, CONFIG_DURATION, "body_grace", "10s",
	  TOP(limits.body_grace_ms), RANGE(100, 10 * MINUTES),
	  .text = "time before body_rate is asked for" },
	{ CONFIG_TOP, CONFIG_DURATION, "linger_timeout", "2s",
	  TOP(limits.linger_timeout_ms), RANGE(100, 1 * MINUTES),
	  .text = "reading on after an error answer, so that the client gets it" },
	{ CONFIG_TOP, CONFIG_COUNT, "requests_per_connection", "10000",
	  TOP(limits.requests_max), RANGE(1, 1000000000),
	  .text = "requests after which a connection is closed" },
	{ CONFIG_TOP, CONFIG_SIZE, "gather_memory", "256M",
	  TOP(limits.gather_bytes), RANGE(1 * MIB, 1 * TIB),
	  .text = "memory of all answers that are gathered before they leave, together" },
	{ CONFIG_TOP, CONFIG_COUNT, "penalty", "100",
	  TOP(limits.penalty), RANGE(0, 1000000),
	  .text = "points of harm at which requests of a client's address are refused; 0: never" },
	{ CONFIG_TOP, CONFIG_NETWORKS, "penalty_exempt", "{\"127.0.0.0/8\", \"::1\"}",
	  TOP(limits.exempt), RANGE(0, PROTO_NETWORKS_MAX),
	  .text = "addresses and networks of clients that are never refused so" },
	{ CONFIG_TOP, CONFIG_DURATION, "handshake_timeout", "10s",
	  TOP(limits.handshake_timeout_ms), RANGE(100, 10 * MINUTES),
	  .text = "from a connection accepted to the end of its TLS handshake" },
	{ CONFIG_TOP, CONFIG_COUNT, "handshakes", "512",
	  TOP(limits.handshakes_max), RANGE(1, 100000),
	  .text = "TLS handshakes in progress at the same time" },
	{ CONFIG_TOP, CONFIG_DURATION, "ticket_lifetime", "1h",
	  TOP(limits.ticket_lifetime_ms), RANGE(0, 24 * HOURS),
	  .text = "how long a TLS session ticket is good, and a key encrypts them; 0s: no tickets" },

	{ CONFIG_LISTEN, CONFIG_CHOICE, "protocol", "http",
	  LISTEN(front.protocol), .choice = protocol_choice,
	  .text = "what is spoken on the listener" },
	{ CONFIG_LISTEN, CONFIG_STRING, "address", NULL,
	  LISTEN(front.address), RANGE(1, 127),
	  .text = "numeric address and port to listen on, or unix:PATH" },
	{ CONFIG_LISTEN, CONFIG_STRING, "pool", "",
	  LISTEN(front.pool), RANGE(0, PROTO_NAME_MAX - 1),
	  .text = "pool that gets the frames" },
	{ CONFIG_LISTEN, CONFIG_CHOICE, "access", "group",
	  LISTEN(access), .choice = access_choice,
	  .text = "who may connect to a Unix socket: its owner, its group too, or all" },
	{ CONFIG_LISTEN, CONFIG_GROUP, "group", "",
	  LISTEN(group), RANGE(0, 63),
	  .text = "group of a Unix socket" },
	{ CONFIG_LISTEN, CONFIG_FILES, "certificate", "",
	  LISTEN(certificates), RANGE(1, TLS_CERTIFICATES_MAX),
	  .text = "certificate chains, PEM; with one the listener speaks TLS" },
	{ CONFIG_LISTEN, CONFIG_FILES, "key", "",
	  LISTEN(keys), RANGE(1, TLS_CERTIFICATES_MAX),
	  .text = "the private key of each, PEM" },
	{ CONFIG_LISTEN, CONFIG_FILES, "ocsp", "",
	  LISTEN(staples), RANGE(0, TLS_CERTIFICATES_MAX),
	  .text = "an OCSP response for each, DER; \"\": none" },
	{ CONFIG_LISTEN, CONFIG_PATH, "client_ca", "",
	  LISTEN(client_ca), RANGE(0, HERITAGE_PATH_MAX - 1),
	  .text = "authorities that sign certificates of clients, PEM" },
	{ CONFIG_LISTEN, CONFIG_CHOICE, "client_verify", "none",
	  LISTEN(front.client_verify), .choice = verify_choice,
	  .text = "whether clients may or must show a certificate" },
	{ CONFIG_LISTEN, CONFIG_CHOICE, "tls_min", "1.2",
	  LISTEN(front.tls_minimum), .choice = tls_choice,
	  .text = "oldest version of TLS that is spoken" },

	{ CONFIG_LISTEN, CONFIG_NETWORKS, "proxy", "",
	  LISTEN(front.proxies), RANGE(0, PROTO_NETWORKS_MAX),
	  .text = "proxies that tell by the PROXY protocol whose connections theirs are" },
	{ CONFIG_LISTEN, CONFIG_COUNT, "connections", "0",
	  LISTEN(front.connections_max), RANGE(0, 1000000),
	  .text = "connections of this listener; 0: as many as there may be in all" },
	{ CONFIG_LISTEN, CONFIG_SIZE, "gather", "1M",
	  LISTEN(front.gather_bytes), RANGE(1, 1 * GIB),
	  .text = "largest answer that is gathered before it leaves" },

	{ CONFIG_POOL, CONFIG_WORKER, "worker", NULL,
	  POOL(worker), RANGE(1, HERITAGE_PATH_MAX - 1),
	  .text = "worker that the pool runs: a name in worker_dir, or the path of a shared object" },
	{ CONFIG_POOL, CONFIG_ROUTES, "routes", "",
	  POOL(front.routes), RANGE(1, PROTO_ROUTES_MAX),
	  .text = "paths that the pool answers" },
	{ CONFIG_POOL, CONFIG_COUNT, "zygotes", "1",
	  POOL(front.zygotes), RANGE(1, PROTO_ZYGOTES_MAX),
	  .text = "processes that fork children, all from one loaded state" },
	{ CONFIG_POOL, CONFIG_COUNT, "spare", "16",
	  POOL(front.spare), .computed = 1, RANGE(1, PROTO_CHILDREN_MAX),
	  .text = "parked children kept ready" },
	{ CONFIG_POOL, CONFIG_COUNT, "max_children", "64",
	  POOL(front.max_children), RANGE(1, PROTO_CHILDREN_MAX),
	  .text = "children of all kinds together" },
	{ CONFIG_POOL, CONFIG_COUNT, "queue", "256",
	  POOL(front.queue), RANGE(0, 100000),
	  .text = "requests that may wait for a child" },
	{ CONFIG_POOL, CONFIG_DURATION, "queue_timeout", "1s",
	  POOL(front.queue_timeout_ms), RANGE(1, 10 * MINUTES),
	  .text = "longest wait for a child" },
	{ CONFIG_POOL, CONFIG_DURATION, "timeout", "2s",
	  POOL(front.timeout_ms), RANGE(10, 24 * HOURS),
	  .text = "from a child taken to its answer complete" },
	{ CONFIG_POOL, CONFIG_DURATION, "cpu", "0s",
	  POOL(cpu_ms), RANGE(0, 24 * HOURS),
	  .text = "CPU time of a child in whole seconds; 0s: as long as timeout lets it" },
	{ CONFIG_POOL, CONFIG_SIZE, "memory", "64M",
	  POOL(memory_bytes), RANGE(1 * MIB, 1 * TIB),
	  .text = "memory that a child may add to what it inherits" },
	{ CONFIG_POOL, CONFIG_CHOICE, "image", "auto",
	  POOL(image), .choice = image_choice,
	  .text = "how children get the state: out of a frozen image, or as fork inherits it" },
	{ CONFIG_POOL, CONFIG_SIZE, "output", "16K",
	  POOL(front.output_bytes), RANGE(4 * KIB, 1 * MIB),
	  .text = "bytes of log that a child may write" },
	{ CONFIG_POOL, CONFIG_SIZE, "body", "1M",
	  POOL(front.body_max_bytes), RANGE(0, 1 * TIB),
	  .text = "largest request body" },
	{ CONFIG_POOL, CONFIG_SIZE, "reply", "1G",
	  POOL(front.reply_max_bytes), RANGE(1, 1 * TIB),
	  .text = "largest body of an answer" },
	{ CONFIG_POOL, CONFIG_COUNT, "breaker", "50",
	  POOL(front.breaker_crashes), RANGE(0, 1000000),
	  .text = "crashes within breaker_window after which requests are refused; 0: never" },
	{ CONFIG_POOL, CONFIG_DURATION, "breaker_window", "10s",
	  POOL(front.breaker_window_ms), RANGE(100, 1 * HOURS),
	  .text = "time in which crashes are counted for that" },
	{ CONFIG_POOL, CONFIG_COUNT, "recycle_requests", "0",
	  POOL(front.recycle_requests), RANGE(0, 4000000000),
	  .text = "requests after which the zygote is replaced; 0: never" },
	{ CONFIG_POOL, CONFIG_DURATION, "recycle_after", "24h",
	  POOL(recycle_after_ms), RANGE(0, 30 * 24 * HOURS),
	  .text = "time after which the zygote is replaced; 0s: never" },
	{ CONFIG_POOL, CONFIG_COUNT, "recycle_faults", "10",
	  POOL(front.recycle_faults), RANGE(0, 1000000),
	  .text = "memory faults within a minute that have the zygote replaced; 0: never" },
	{ CONFIG_POOL, CONFIG_STRING, "selftest", "",
	  POOL(selftest), RANGE(0, HERITAGE_TARGET_MAX - 1),
	  .text = "request that a new zygote's child must answer below 500 before it serves" },
	{ CONFIG_POOL, CONFIG_COUNT, "sample", "0",
	  POOL(front.sample), RANGE(0, 1000000000),
	  .text = "one in so many requests has its child's memory read; 0: none" },
	{ CONFIG_POOL, CONFIG_SIZE, "prefault", "8M",
	  POOL(front.prefault_bytes), RANGE(0, 1 * GIB),
	  .text = "most that a parked child copies of what requests mostly write to; 0: nothing" },
	{ CONFIG_POOL, CONFIG_STRING, "profile", "compute",
	  POOL(profile), .choice = profile_choice, RANGE(1, PROTO_NAME_MAX - 1),
	  .text = "system calls that children may make" },
	{ CONFIG_POOL, CONFIG_PATHS, "read_paths", "",
	  POOL(read_paths), RANGE(1, HERITAGE_READ_PATHS_COUNT),
	  .text = "files and directories that children may read, with a profile that lets them" },
	{ CONFIG_POOL, CONFIG_COUNT, "open_files", "64",
	  POOL(open_files), RANGE(1, HERITAGE_OPEN_FILES_MAX),
	  .text = "files that a child may have open at a time, with such a profile" },
	{ CONFIG_POOL, CONFIG_CHOICE, "sandbox", "enforce",
	  POOL(sandbox), .choice = sandbox_choice,
	  .text = "what happens to a child that makes another one" },

	{ CONFIG_OPTION, CONFIG_VALUES, "value", NULL,
	  RANGE(1, HERITAGE_OPTIONS_MAX),
	  .text = "value or values that are handed to the worker" },
};
/* clang-format on */

const struct config_key *
config_keys(size_t *count_out)
{
	*count_out = sizeof(keys) / sizeof(keys[0]);
	return keys;
}

const struct config_key *
config_key_find(enum config_section section, const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].section == section && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

const char *
config_section_name(enum config_section section)
{
	static const char *const names[] = {
		[CONFIG_TOP] = "",
		[CONFIG_LISTEN] = "listen",
		[CONFIG_POOL] = "pool",
		[CONFIG_OPTION] = "option",
	};
	_Static_assert(sizeof(names) / sizeof(names[0]) == CONFIG_SECTION_MAX, "sections");

	return names[section];
}
