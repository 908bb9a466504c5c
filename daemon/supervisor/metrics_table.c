/*
 * The table of metrics: the only list of them. Pure.
 *
 * Runs in: supervisor.
 */
#include "supervisor/metrics_table.h"

#include <stdlib.h>

#include "supervisor/metrics_emit.h"
#include "supervisor/metrics_snapshot.h"

/* ---- the table ---- */

#define AT(type, member, by)                                                                       \
	.offset = (uint32_t)offsetof(struct type, member),                                         \
	.width = sizeof(((struct type *)0)->member), .divisor = (by)
#define ONE(member, by)	     .emit = metrics_emit_one, AT(metrics_snapshot, member, by)
#define POOLS(member, by)    .emit = metrics_emit_pools, AT(metrics_pool, member, by)
#define MEMORY(member, by)   .emit = metrics_emit_memory, AT(metrics_pool, memory.member, by)
#define SAMPLES(member, by)  .emit = metrics_emit_samples, AT(metrics_pool, memory.member, by)
#define LISTENERS(member)    .emit = metrics_emit_listeners, AT(metrics_listener, member, 1)
#define PROCESSES(member, b) .emit = metrics_emit_processes, AT(process_stat, member, b)
#define OWN(member, by)	     ONE(processes[0].stat.member, by)

/* clang-format off */
static const struct metric metrics[] = {
	{ { "zygoted_build_info", "", "Version of the daemon.", METRIC_GAUGE },
	  .emit = metrics_emit_build },
	{ { "zygoted_ready", "", "1 if every pool serves and the daemon is not stopping.", METRIC_GAUGE },
	  ONE(is_ready, 1) },

	{ { "zygoted_requests", "", "Requests that ended, by what became of them.", METRIC_COUNTER },
	  .emit = metrics_emit_requests, .of_front = true },
	{ { "zygoted_refusals", "", "Requests that were refused before a child had them.", METRIC_COUNTER },
	  .emit = metrics_emit_refusals, .of_front = true },
	{ { "zygoted_request_duration_seconds", "seconds", "From a child taken to its answer complete.", METRIC_HISTOGRAM },
	  .emit = metrics_emit_run, .of_front = true },
	{ { "zygoted_queue_duration_seconds", "seconds", "From a request's head complete to a child taken.", METRIC_HISTOGRAM },
	  .emit = metrics_emit_queue, .of_front = true },
	{ { "zygoted_queued_requests", "", "Requests that wait for a child.", METRIC_GAUGE },
	  POOLS(stats.queued, 1), .of_front = true },
	{ { "zygoted_request_body_bytes", "bytes", "Bodies of requests.", METRIC_COUNTER },
	  POOLS(stats.bytes_in, 1), .of_front = true },
	{ { "zygoted_reply_body_bytes", "bytes", "Bodies of answers.", METRIC_COUNTER },
	  POOLS(stats.bytes_out, 1), .of_front = true },
	{ { "zygoted_breaker_open", "", "1 while requests are refused because too many crashed.", METRIC_GAUGE },
	  POOLS(breaker_open, 1), .of_front = true },
	{ { "zygoted_breaker_openings", "", "Times that the breaker opened.", METRIC_COUNTER },
	  POOLS(stats.breaker_opened, 1), .of_front = true },

	{ { "zygoted_children", "", "Children that are there now.", METRIC_GAUGE },
	  .emit = metrics_emit_children, .of_front = true },
	{ { "zygoted_children_limit", "", "Children that there may be: max_children.", METRIC_GAUGE },
	  POOLS(max_children, 1) },
	{ { "zygoted_child_forks", "", "Children forked.", METRIC_COUNTER },
	  POOLS(stats.forks, 1), .of_front = true },
	{ { "zygoted_child_fork_failures", "", "Forks that failed.", METRIC_COUNTER },
	  POOLS(stats.fork_failures, 1), .of_front = true },
	{ { "zygoted_fork_duration_seconds", "seconds", "Time that the fork of a child took.", METRIC_HISTOGRAM },
	  .emit = metrics_emit_fork, .of_front = true },
	{ { "zygoted_child_exits", "", "Children that ended, by reason.", METRIC_COUNTER },
	  .emit = metrics_emit_ends, .of_front = true },
	{ { "zygoted_child_cpu_seconds", "seconds", "CPU time of children that served a request and ended.", METRIC_COUNTER },
	  POOLS(stats.cpu_us, 1000000), .of_front = true },
	{ { "zygoted_child_minor_faults", "", "Minor page faults of children that served a request and ended.", METRIC_COUNTER },
	  POOLS(stats.minor_faults, 1), .of_front = true },
	{ { "zygoted_child_output_truncated", "", "Children that wrote more to the log than is kept.", METRIC_COUNTER },
	  POOLS(stats.output_truncated, 1), .of_front = true },

	{ { "zygoted_image_bytes", "bytes", "Private memory of the zygote after loading.", METRIC_GAUGE },
	  POOLS(image_bytes, 1) },
	{ { "zygoted_image_frozen_bytes", "bytes", "Memory in the frozen image: forks do not depend on its size.", METRIC_GAUGE },
	  POOLS(frozen_bytes, 1) },
	{ { "zygoted_child_shared_bytes", "bytes", "Memory that a fresh child shares with the zygote.", METRIC_GAUGE },
	  MEMORY(child_shared_bytes, 1) },
	{ { "zygoted_child_private_bytes", "bytes", "Memory that a fresh child has for itself.", METRIC_GAUGE },
	  MEMORY(child_private_bytes, 1) },
	{ { "zygoted_child_copied_bytes", "bytes", "Memory that children have copied when they have answered: mean of samples.", METRIC_GAUGE },
	  SAMPLES(child_copied_bytes, 1) },
	{ { "zygoted_child_new_bytes", "bytes", "The same, of memory that the zygote had not.", METRIC_GAUGE },
	  SAMPLES(child_new_bytes, 1) },
	{ { "zygoted_memory_saved_bytes", "bytes", "Memory that sharing saves with the children that there are.", METRIC_GAUGE },
	  MEMORY(saved_bytes, 1) },
	{ { "zygoted_memory_age_seconds", "seconds", "Age of the figures about a fresh child.", METRIC_GAUGE },
	  MEMORY(age_ms, 1000) },

	{ { "zygoted_zygote_up", "", "1 if a loaded zygote serves the pool.", METRIC_GAUGE },
	  POOLS(is_serving, 1) },
	{ { "zygoted_zygote_generation", "", "Number of the zygote that serves, or that is being loaded.", METRIC_GAUGE },
	  POOLS(generation, 1) },
	{ { "zygoted_zygote_load_seconds", "seconds", "Time that the worker took to load.", METRIC_GAUGE },
	  POOLS(load_us, 1000000) },
	{ { "zygoted_zygote_restarts", "", "Times that a zygote was started again after it died.", METRIC_COUNTER },
	  POOLS(restarts, 1) },
	{ { "zygoted_zygote_recycles", "", "Times that a serving zygote was replaced by a new one.", METRIC_COUNTER },
	  POOLS(recycles, 1) },
	{ { "zygoted_sandbox_layer", "", "1 if the layer of the children's sandbox is applied.", METRIC_GAUGE },
	  .emit = metrics_emit_layers },

	{ { "zygoted_connections", "", "Connections that are open now.", METRIC_GAUGE },
	  .emit = metrics_emit_connections, .of_front = true },
	{ { "zygoted_connections_accepted", "", "Connections accepted.", METRIC_COUNTER },
	  LISTENERS(accepted), .of_front = true },
	{ { "zygoted_connections_refused", "", "Connections closed at once for want of memory.", METRIC_COUNTER },
	  LISTENERS(refused), .of_front = true },
	{ { "zygoted_tls_handshakes", "", "TLS handshakes that ended.", METRIC_COUNTER },
	  .emit = metrics_emit_handshakes, .of_front = true },
	{ { "zygoted_penalties", "", "Times that a source of requests came under penalty.", METRIC_COUNTER },
	  ONE(front.penalties, 1), .of_front = true },
	{ { "zygoted_penalties_active", "", "Sources whose requests are refused now.", METRIC_GAUGE },
	  ONE(front.penalties_active, 1), .of_front = true },
	{ { "zygoted_front_restarts", "", "Times that a front was started again after it died.", METRIC_COUNTER },
	  ONE(front_restarts, 1) },
	{ { "zygoted_scrapes", "", "Texts of metrics given to scrapers.", METRIC_COUNTER },
	  ONE(front.scrapes, 1), .of_front = true },
	{ { "zygoted_access_log_lost", "", "Lines of the access log that could not be written.", METRIC_COUNTER },
	  ONE(front.access_lost, 1), .of_front = true },
	{ { "zygoted_log_lost", "", "Lines of the daemon's log that could not be written.", METRIC_COUNTER },
	  ONE(log_lost, 1) },

	{ { "zygoted_process_cpu_seconds", "seconds", "CPU time of supervisor, fronts and zygotes, without their children.", METRIC_COUNTER },
	  PROCESSES(cpu_us, 1000000) },
	{ { "zygoted_process_resident_bytes", "bytes", "Resident memory of supervisor, fronts and zygotes.", METRIC_GAUGE },
	  PROCESSES(resident_bytes, 1) },
	{ { "process_cpu_seconds", "seconds", "CPU time of the supervisor.", METRIC_COUNTER },
	  OWN(cpu_us, 1000000) },
	{ { "process_resident_memory_bytes", "bytes", "Resident memory of the supervisor.", METRIC_GAUGE },
	  OWN(resident_bytes, 1) },
	{ { "process_virtual_memory_bytes", "bytes", "Virtual memory of the supervisor.", METRIC_GAUGE },
	  OWN(virtual_bytes, 1) },
	{ { "process_start_time_seconds", "seconds", "When the supervisor was started, since 1970.", METRIC_GAUGE },
	  ONE(start_time_ms, 1000) },
	{ { "process_open_fds", "", "Open descriptors of the supervisor.", METRIC_GAUGE },
	  ONE(open_fds, 1) },
	{ { "process_max_fds", "", "Descriptors that the supervisor may have open.", METRIC_GAUGE },
	  ONE(max_fds, 1) },
};
/* clang-format on */

char *
metrics_table_render(const struct metrics_snapshot *snapshot, enum metrics_format format,
		     size_t *length_out)
{
	char *text = NULL;
	struct metrics_writer writer = { .out = open_memstream(&text, length_out),
					 .format = format };

	if (writer.out == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (metrics[i].of_front && !snapshot->has_front)
			continue;
		metrics_text_begin(&writer, &metrics[i].family);
		metrics[i].emit(&writer, snapshot, &metrics[i]);
	}
	metrics_text_end(&writer);
	const bool failed = ferror(writer.out) != 0;
	if (fclose(writer.out) == 0 && !failed && *length_out <= PROTO_METRICS_MAX)
		return text;
	free(text);
	return NULL;
}
