/*
 * The table of deeds, and the worker around it. The path after the route names the deed and its
 * argument: "fork-bomb", "call/S,41,2,1,0". Options make load() or child_start() part of the test.
 *
 * Runs in: a child; load in the zygote. Never installed. Nothing here may soften what it tries: a
 * deed that fails silently would look like a sandbox that holds.
 */
#include "hostile.h"

#include <stddef.h>
#include <string.h>

static const struct deed {
	const char *name;
	hostile_deed *run;
} deeds[] = {
	{ "call", deed_call },
	{ "calls", deed_calls },
	{ "fork-bomb", deed_fork_bomb },
	{ "library-fork", deed_library_fork },
	{ "thread", deed_thread },
	{ "abort", deed_abort },
	{ "hit-siblings", deed_hit_siblings },
	{ "find-siblings", deed_find_siblings },
	{ "hit-descriptors", deed_hit_descriptors },
	{ "raise-limits", deed_raise_limits },
	{ "pass-descriptor", deed_pass_descriptor },
	{ "second-line", deed_second_line },
	{ "run-data", deed_run_data },
	{ "rewrite-code", deed_rewrite_code },
	{ "recurse", deed_recurse },
	{ "take-memory", deed_take_memory },
	{ "scribble", deed_scribble },
	{ "image-hash", deed_image_hash },
	{ "search", deed_search },
	{ "canary", deed_canary },
	{ "seed", deed_seed },
	{ "smash", deed_smash },
	{ "burn", deed_burn },
	{ "sleep", deed_sleep },
	{ "flood-log", deed_flood_log },
	{ "say", deed_say },
	{ "flood-answer", deed_flood_answer },
	{ "read-slowly", deed_read_slowly },
	{ "count", deed_count },
	{ "raw", deed_raw },
	{ "hang-up", deed_hang_up },
};

static const char *early; /* option: what each child writes before its request */

static int
hostile_load(const struct zy_load *load, void **state_out)
{
	static const char *const known[] = { "deny", "early", NULL };

	*state_out = NULL;
	if (zy_options_check(load, known) < 0)
		return -1;
	early = zy_option(load, "early", 0);
	if (memory_load_image() < 0)
		return zy_load_error(load, "no memory for the image");
	return deny_load(load);
}

static int
hostile_child_start(void *state)
{
	(void)state;
	return early != NULL ? replies_write_early(early) : 0;
}

static int
hostile_handle(void *state, struct zy_request *request)
{
	const char *rest = zy_field(request, ZY_REST);
	const size_t length = strcspn(rest, "/");

	(void)state;
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strlen(deeds[i].name) == length && strncmp(deeds[i].name, rest, length) == 0)
			return deeds[i].run(request, rest + length + (rest[length] == '/'));
	zy_status(request, 404);
	return zy_printf(request, "no such deed\n");
}

const struct zy_worker zy_worker = {
	.abi = ZY_WORKER_ABI,
	.name = "hostile",
	.profile = "compute",
	.load = hostile_load,
	.child_start = hostile_child_start,
	.handle = hostile_handle,
};
