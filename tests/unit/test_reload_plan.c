/* LINK: daemon/supervisor/reload_plan.c
 *
 * What a reload has to do, by what differs between two configurations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/reload_plan.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config now, read_in;
static enum pool_phase phases[PROTO_POOLS_MAX];
static struct reload_plan plan;
static char error[RELOAD_ERROR_MAX];

/* As config.c has it; that one would bring libconfuse. */
void
config_free(struct config *config)
{
	free(config);
}

static void
add_pool(struct config *config, const char *name)
{
	struct config_pool *pool = &config->pools[config->pools_count++];

	snprintf(pool->front.name, sizeof(pool->front.name), "%s", name);
	snprintf(pool->worker, sizeof(pool->worker), "echo");
	pool->front.max_children = 8;
	pool->front.timeout_ms = 2000;
	pool->line = config->pools_count;
}

static void
add_listener(struct config *config, const char *name, const char *address)
{
	struct config_listener *listener = &config->listeners[config->listeners_count++];

	snprintf(listener->front.name, sizeof(listener->front.name), "%s", name);
	snprintf(listener->front.address, sizeof(listener->front.address), "%s", address);
}

/* Two pools and a listener, in both. */
static int
set_up(void **state)
{
	struct config *both[] = { &now, &read_in };

	(void)state;
	memset(phases, 0, sizeof(phases));
	for (size_t i = 0; i < COUNT(both); i++) {
		memset(both[i], 0, sizeof(*both[i]));
		snprintf(both[i]->file, sizeof(both[i]->file), "z.conf");
		add_pool(both[i], "a");
		add_pool(both[i], "b");
		add_listener(both[i], "web", "127.0.0.1:1");
		both[i]->fronts = 1;
	}
	phases[0] = phases[1] = POOL_LIVE;
	return 0;
}

static struct config *
make(void)
{
	error[0] = '\0';
	return reload_plan_make(&now, &read_in, phases, &plan, error);
}

static void
make_good(void)
{
	config_free(make());
	assert_string_equal(error, "");
}

static void
make_bad(const char *text)
{
	assert_null(make());
	assert_non_null(strstr(error, text));
}

/* ---- pools ---- */

static void
test_nothing_differs(void **state)
{
	(void)state;
	read_in.pools[0].line = 77; /* it has moved in the file */
	make_good();
	for (size_t i = 0; i < PROTO_POOLS_MAX; i++)
		assert_int_equal(plan.pools[i], POOL_SAME);
	for (size_t i = 0; i < PROTO_LISTENERS_MAX; i++)
		assert_false(plan.opens[i] || plan.closes[i]);
}

/* Each key that is not known to be the front's alone. */
static const struct {
	size_t offset;
	enum pool_change change;
} keys[] = {
#define POOL(member, change_)                                                                      \
	{                                                                                          \
		offsetof(struct config_pool, member), POOL_##change_                               \
	}
	POOL(front.spare, SETTINGS),
	POOL(front.queue, SETTINGS),
	POOL(front.queue_timeout_ms, SETTINGS),
	POOL(front.timeout_ms, SETTINGS),
	POOL(front.recycle_requests, SETTINGS),
	POOL(front.recycle_faults, SETTINGS),
	POOL(front.breaker_crashes, SETTINGS),
	POOL(front.breaker_window_ms, SETTINGS),
	POOL(front.body_max_bytes, SETTINGS),
	POOL(front.reply_max_bytes, SETTINGS),
	POOL(front.output_bytes, SETTINGS),
	POOL(front.routes_count, SETTINGS),
	POOL(front.routes, SETTINGS),
	POOL(recycle_after_ms, SETTINGS),
	POOL(front.zygotes, GENERATION),
	POOL(front.max_children, GENERATION),
	POOL(front.sample, GENERATION),
	POOL(front.prefault_bytes, GENERATION),
	POOL(worker, GENERATION),
	POOL(worker_path, GENERATION),
	POOL(profile, GENERATION),
	POOL(selftest, GENERATION),
	POOL(sandbox, GENERATION),
	POOL(image, GENERATION),
	POOL(cpu_ms, GENERATION),
	POOL(memory_bytes, GENERATION),
	POOL(open_files, GENERATION),
	POOL(read_paths, GENERATION),
	POOL(options, GENERATION),
#undef POOL
};

static void
test_what_is_the_fronts_alone_needs_no_generation(void **state)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		set_up(state);
		((char *)&read_in.pools[1])[keys[i].offset]++;
		make_good();
		assert_int_equal(plan.pools[0], POOL_SAME);
		assert_int_equal(plan.pools[1], keys[i].change);
	}
}

static void
test_pools_keep_their_places_whatever_the_order(void **state)
{
	struct config *next;

	(void)state;
	read_in.pools_count = 0;
	memset(read_in.pools, 0, sizeof(read_in.pools));
	add_pool(&read_in, "new");
	add_pool(&read_in, "b");
	next = make();
	assert_non_null(next);
	assert_int_equal(plan.pools[0], POOL_TAKEN_AWAY);
	assert_int_equal(plan.pools[1], POOL_SAME);
	assert_int_equal(plan.pools[2], POOL_ADDED);
	assert_int_equal(next->pools_count, 3);
	assert_string_equal(next->pools[0].front.name, "a"); /* its place, until it is gone */
	assert_string_equal(next->pools[1].front.name, "b");
	assert_string_equal(next->pools[2].front.name, "new");
	config_free(next);
}

static void
test_a_pool_that_still_drains_is_another_one(void **state)
{
	(void)state;
	phases[0] = POOL_REMOVED;
	make_good();
	assert_int_equal(plan.pools[0], POOL_SAME);
	assert_int_equal(plan.pools[2], POOL_ADDED);
}

static void
test_without_a_free_place_it_is_to_be_tried_again(void **state)
{
	(void)state;
	for (size_t i = 2; i < PROTO_POOLS_MAX; i++)
		phases[i] = POOL_REMOVED;
	add_pool(&read_in, "new");
	make_bad("no place for pool \"new\": removed pools still drain; try again");
}

/* ---- listeners ---- */

static void
test_another_address_is_opened_in_the_same_place(void **state)
{
	(void)state;
	snprintf(read_in.listeners[0].front.address, 128, "127.0.0.1:2");
	make_good();
	assert_true(plan.opens[0] && plan.closes[0]);
	assert_int_equal(plan.socket_of[0], -1);
}

static void
test_another_name_keeps_the_socket(void **state)
{
	struct config *next;

	(void)state;
	snprintf(read_in.listeners[0].front.name, PROTO_NAME_MAX, "other");
	next = make();
	assert_non_null(next);
	assert_true(plan.closes[0] && !plan.opens[0]);
	assert_true(plan.opens[1] && !plan.closes[1]);
	assert_int_equal(plan.socket_of[1], 0);
	assert_string_equal(next->listeners[1].front.name, "other");
	assert_string_equal(next->listeners[0].front.name, "");
	config_free(next);
}

static void
test_listeners_come_and_go(void **state)
{
	(void)state;
	add_listener(&read_in, "more", "127.0.0.1:2");
	make_good();
	assert_true(plan.opens[1] && !plan.closes[1] && !plan.opens[0] && !plan.closes[0]);
	set_up(state);
	add_listener(&now, "more", "127.0.0.1:2");
	make_good();
	assert_true(plan.closes[1] && !plan.opens[1] && !plan.closes[0]);
}

static void
test_all_places_of_listeners_taken(void **state)
{
	(void)state;
	while (now.listeners_count < PROTO_LISTENERS_MAX) {
		char name[32];
		snprintf(name, sizeof(name), "l%u", now.listeners_count);
		add_listener(&now, name, name);
	}
	add_listener(&read_in, "new", "127.0.0.1:9");
	make_bad("no place for listener \"new\"");
}

static void
test_a_unix_socket_keeps_its_owners(void **state)
{
	(void)state;
	snprintf(read_in.listeners[0].front.address, 128, "unix:/run/x");
	make_good();
	snprintf(now.listeners[0].front.address, 128, "unix:/run/x");
	make_good();
	read_in.listeners[0].access = CONFIG_ACCESS_ALL;
	make_bad("a new access or group of a Unix socket needs a restart");
}

/* ---- what cannot change ---- */

static const struct {
	size_t offset;
	const char *key;
} fixed[] = {
#define KEY(member, name)                                                                          \
	{                                                                                          \
		offsetof(struct config, member), name                                              \
	}
	KEY(user, "user"),
	KEY(control, "control"),
	KEY(control_group, "control_group"),
	KEY(zygote_program, "zygote_program"),
	KEY(required_layers, "require"),
	KEY(fronts, "fronts"),
	KEY(access_log, "access_log"),
	KEY(limits.access_format, "access_format"),
	KEY(limits.ticket_lifetime_ms, "ticket_lifetime"),
#undef KEY
};

static void
test_what_needs_a_restart_is_named(void **state)
{
	char text[128];

	for (size_t i = 0; i < COUNT(fixed); i++) {
		set_up(state);
		((char *)&read_in)[fixed[i].offset] = '2';
		snprintf(text, sizeof(text), "z.conf: a new value of %s needs a restart",
			 fixed[i].key);
		make_bad(text);
	}
}

static void
test_limits_of_all_are_taken_over(void **state)
{
	struct config *next;

	(void)state;
	read_in.limits.connections_max = 7;
	read_in.drain_timeout_ms = 8;
	next = make();
	assert_non_null(next);
	assert_int_equal(next->limits.connections_max, 7);
	assert_int_equal(next->drain_timeout_ms, 8);
	config_free(next);
}

static void
test_each_change_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(reload_plan_change_name(POOL_SAME), "");
	assert_string_equal(reload_plan_change_name(POOL_GENERATION), "generation");
	assert_string_equal(reload_plan_change_name(POOL_CHANGE_MAX), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_differs, set_up),
		cmocka_unit_test_setup(test_what_is_the_fronts_alone_needs_no_generation, set_up),
		cmocka_unit_test_setup(test_pools_keep_their_places_whatever_the_order, set_up),
		cmocka_unit_test_setup(test_a_pool_that_still_drains_is_another_one, set_up),
		cmocka_unit_test_setup(test_without_a_free_place_it_is_to_be_tried_again, set_up),
		cmocka_unit_test_setup(test_another_address_is_opened_in_the_same_place, set_up),
		cmocka_unit_test_setup(test_another_name_keeps_the_socket, set_up),
		cmocka_unit_test_setup(test_listeners_come_and_go, set_up),
		cmocka_unit_test_setup(test_all_places_of_listeners_taken, set_up),
		cmocka_unit_test_setup(test_a_unix_socket_keeps_its_owners, set_up),
		cmocka_unit_test_setup(test_what_needs_a_restart_is_named, set_up),
		cmocka_unit_test_setup(test_limits_of_all_are_taken_over, set_up),
		cmocka_unit_test_setup(test_each_change_has_a_name, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
