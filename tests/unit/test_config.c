/* LINK: tests/unit/config_try.c daemon/supervisor/config.c
 * LINK: daemon/supervisor/config_check.c daemon/supervisor/config_check_listener.c daemon/supervisor/config_errors.c
 * LINK: daemon/supervisor/config_keys.c daemon/supervisor/config_print.c
 * LINK: daemon/supervisor/config_selftest.c daemon/front/route.c
 * LINK: daemon/supervisor/config_store.c daemon/supervisor/config_text.c
 * LINK: daemon/supervisor/config_value.c daemon/base/control_path.c
 * LINK: daemon/supervisor/policy.c daemon/supervisor/policy_profile.c
 * LINK: daemon/base/address.c daemon/base/log.c daemon/base/proto.c
 * PKGS: libconfuse
 *
 * Configuration files that are taken: what of them reaches which field, and what -T prints. Runs in
 * the project's top folder: the sample file and the manual page are checked against the table of
 * keys.
 */
#include "config_try.h"
#include "supervisor/config_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_defaults_are_those_of_the_table(void **state)
{
	struct config *config = config_try_good(LISTEN POOL);
	const struct config_pool *pool = &config->pools[0];

	(void)state;
	assert_string_equal(config->user, "");
	assert_int_equal(config->log_level, LOG_INFO);
	assert_int_equal(config->required_layers, 0);
	assert_int_equal(config->limits.connections_max, 10000);
	assert_int_equal(config->limits.header_timeout_ms, 10000);
	assert_int_equal(config->limits.idle_timeout_ms, 15000);
	assert_int_equal(config->limits.body_rate_bytes, 1024);
	assert_int_equal(config->limits.body_grace_ms, 10000);
	assert_int_equal(config->limits.linger_timeout_ms, 2000);
	assert_int_equal(config->limits.requests_max, 10000);
	assert_int_equal(config->limits.penalty, 100);
	assert_int_equal(config->limits.exempt.count, 2);
	assert_int_equal(pool->front.breaker_crashes, 50);
	assert_int_equal(pool->front.breaker_window_ms, 10000);
	assert_true(pool->front.reply_max_bytes == UINT64_C(1) << 30);
	assert_int_equal(config->listeners[0].front.protocol, PROTOCOL_HTTP);
	assert_int_equal(pool->front.spare, 16);
	assert_int_equal(pool->front.max_children, 64);
	assert_int_equal(pool->front.queue, 256);
	assert_int_equal(pool->front.queue_timeout_ms, 1000);
	assert_int_equal(pool->front.timeout_ms, 2000);
	assert_int_equal(pool->front.body_max_bytes, 1 << 20);
	assert_int_equal(pool->front.output_bytes, 16384);
	assert_int_equal(pool->cpu_ms, 0);
	assert_int_equal(pool->memory_bytes, 64 << 20);
	assert_string_equal(pool->profile, "compute");
	assert_int_equal(pool->sandbox, SANDBOX_ENFORCE);
	assert_int_equal(pool->line, 3);
	config_free(config);
}

static void
test_values_reach_their_fields(void **state)
{
	struct config *config = config_try_good(
		"log_level = 'debug' require = {landlock, \"empty-root\"}\n" LISTEN
		"pool \"a\" {\n worker = echo routes = {\"/\"} routes += \"=/x\"\n "
		"max_children = 4\n"
		" option \"file\" { value = {\"a b\", 'c${X}'} }\n option \"key\" { "
		"value = \"\" }\n"
		" image = inherited sandbox = log body = 4G timeout = 90s }\n");
	const struct config_pool *pool = &config->pools[0];
	static const char options[] = "file\0a b\0file\0c${X}\0key\0";

	(void)state;
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_int_equal(config->required_layers, 1u << LAYER_LANDLOCK | 1u << LAYER_ROOT);
	assert_int_equal(pool->front.routes_count, 2);
	assert_string_equal(pool->front.routes[1], "=/x");
	assert_int_equal(pool->front.spare, 4); /* never more than max_children by default */
	assert_int_equal(pool->sandbox, SANDBOX_LOG);
	assert_int_equal(pool->image, IMAGE_WANT_INHERITED);
	assert_true(pool->front.body_max_bytes == UINT64_C(4) << 30);
	assert_int_equal(pool->front.timeout_ms, 90000);
	assert_int_equal(pool->options_count, 3);
	assert_int_equal(pool->options_bytes, sizeof(options));
	assert_memory_equal(pool->options, options, sizeof(options));
	config_free(config);
}

static void
test_read_paths_reach_their_fields(void **state)
{
	struct config *config = config_try_good(IN_POOL(
		"profile = files-exec read_paths = {\"/usr/lib\", '/etc/passwd'} open_files = 7"));
	const struct config_pool *pool = &config->pools[0];
	static const char paths[] = "/usr/lib\0/etc/passwd";

	(void)state;
	assert_string_equal(pool->profile, "files-exec");
	assert_int_equal(pool->open_files, 7);
	assert_int_equal(pool->read_paths_count, 2);
	assert_int_equal(pool->read_paths_bytes, sizeof(paths));
	assert_memory_equal(pool->read_paths, paths, sizeof(paths));
	config_free(config);
}

static void
test_workers_are_found_by_name_and_by_path(void **state)
{
	char text[512];
	char path[128];
	struct config *config;

	(void)state;
	snprintf(path, sizeof(path), "%s/echo.so", config_try_directory);
	snprintf(text, sizeof(text),
		 LISTEN POOL "pool \"b\" { worker = \"%s\" routes = {\"/b\"} }\n", path);
	config = config_try_good(text);
	assert_string_equal(config->pools[0].worker_path, path);
	assert_string_equal(config->pools[1].worker_path, path);
	assert_string_equal(config->pools[0].worker, "echo");
	assert_string_equal(config->pools[1].worker, "echo");
	config_free(config);
}

static void
test_variables_are_replaced_in_double_quotes_only(void **state)
{
	struct config *config;

	(void)state;
	setenv("ZYGOTED_TEST_PORT", "8099", 1);
	config = config_try_good(
		"listen \"web\" { address = \"127.0.0.1:${ZYGOTED_TEST_PORT}\" }\n"
		"listen \"v6\" { address = \"[::1]:${ZYGOTED_TEST_NONE:-8098}\" }\n"
		"pool \"a\" { worker = \"echo\" routes = {\"/\"}\n"
		"option \"o\" { value = {'${ZYGOTED_TEST_PORT}', \"\\${X}\"} } }\n");
	assert_string_equal(config->listeners[0].front.address, "127.0.0.1:8099");
	assert_string_equal(config->listeners[1].front.address, "[::1]:8098");
	assert_memory_equal(config->pools[0].options, "o\0${ZYGOTED_TEST_PORT}\0o\0${X}", 30);
	unsetenv("ZYGOTED_TEST_PORT");
	config_free(config);
}

/* What -T prints depends on neither lines nor the file's name. */
static void
forget_place(struct config *config)
{
	memset(config->file, 0, sizeof(config->file));
	for (uint32_t i = 0; i < config->listeners_count; i++)
		config->listeners[i].line = 0;
	for (uint32_t i = 0; i < config->pools_count; i++)
		config->pools[i].line = 0;
}

static void
check_round_trip(const char *text)
{
	struct config *first = config_try_good(text);
	struct config *second = NULL;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/printed", config_try_directory);
	file = fopen(path, "w");
	assert_non_null(file);
	config_print(first, file);
	fclose(file);
	assert_int_equal(config_read(path, stderr, &second), 0);
	forget_place(first);
	forget_place(second);
	assert_memory_equal(first, second, sizeof(*first));
	config_free(first);
	config_free(second);
}

static void
test_printed_configuration_reads_back_the_same(void **state)
{
	(void)state;
	check_round_trip(LISTEN POOL);
	check_round_trip(
		"log_level = error require = {user, seccomp} user = nobody body_rate = 1000\n"
		"header_timeout = 1500ms\n" LISTEN "listen \"v6\" { address = \"[::1]:80\" }\n"
		"pool \"b\" { worker = echo routes = {\"/b\", \"=/\"} cpu = 3s spare = 1\n"
		" option \"t\" { value = {\"\\\"\\\\\\n\\t\\x7f\\$\\${A}'\xc3\xbc#//\", ''} }\n"
		" option \"u\" { value = 'x' }\n option \"v\" { value = {'y', 'z'} } }\n" POOL);
}

static char *
read_whole(const char *path)
{
	static char text[128 * 1024];
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		fail_msg("%s cannot be opened: run this in the project's top folder", path);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static void
test_sample_configuration_is_valid(void **state)
{
	struct config *config = config_try_good(read_whole("conf/zygoted.conf"));

	(void)state;
	assert_int_equal(config->pools_count, 3);
	assert_string_equal(config->listeners[0].front.address, "127.0.0.1:8080");
	config_free(config);
	check_round_trip(read_whole("conf/zygoted.conf"));
}

static void
test_a_list_that_is_given_replaces_its_default(void **state)
{
	struct config *config = config_try_good("penalty_exempt = {}\n" LISTEN POOL);

	(void)state;
	assert_int_equal(config->limits.exempt.count, 0);
	config_free(config);
	config = config_try_good("penalty_exempt = {\"10.0.0.0/8\", ::1, 192.0.2.7}\n" LISTEN POOL);
	assert_int_equal(config->limits.exempt.count, 3);
	assert_int_equal(config->limits.exempt.list[0].bits, 96 + 8);
	assert_int_equal(config->limits.exempt.list[1].bits, 128);
	assert_int_equal(config->limits.exempt.list[2].bits, 128);
	config_free(config);
	check_round_trip("penalty_exempt = {}\n" LISTEN POOL);
	check_round_trip("handshakes = 7\nlisten \"tls\" { address = \"127.0.0.1:8443\"\n"
			 "certificate = {\"a.pem\", \"/b.pem\"} key = {\"/a.key\", \"/b.key\"}\n"
			 "ocsp = {\"\", \"/b.ocsp\"} client_ca = \"/ca.pem\"\n"
			 "client_verify = \"optional\" tls_min = \"1.3\" }\n" POOL);
	check_round_trip("penalty_exempt = {\"10.0.0.0/8\", \"2001:db8::/32\"}\n" LISTEN POOL);
}

static void
test_sample_and_manual_page_name_every_key(void **state)
{
	size_t count;
	const struct config_key *keys = config_keys(&count);
	char wanted[128];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		snprintf(wanted, sizeof(wanted), "%s = ", keys[i].name);
		if (!strstr(read_whole("conf/zygoted.conf"), wanted))
			fail_msg("conf/zygoted.conf does not show %s", keys[i].name);
		snprintf(wanted, sizeof(wanted),
			 keys[i].section == CONFIG_OPTION ? "Ic %s Li =" : ".It Ic %s Li =",
			 keys[i].name);
		if (!strstr(read_whole("conf/zygoted.conf.5"), wanted))
			fail_msg("conf/zygoted.conf.5 does not describe %s", keys[i].name);
	}
}

/* What stands there in a comment is what a reader takes for the default. */
static void
test_sample_shows_the_real_defaults(void **state)
{
	size_t count;
	const struct config_key *keys = config_keys(&count);
	char wanted[128];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const int bare = keys[i].type == CONFIG_COUNT || keys[i].type == CONFIG_NETWORKS;

		if (!keys[i].preset || !keys[i].preset[0] || keys[i].type == CONFIG_PATH)
			continue;
		snprintf(wanted, sizeof(wanted), bare ? "%s = %s" : "%s = \"%s\"", keys[i].name,
			 keys[i].preset);
		if (!strstr(read_whole("conf/zygoted.conf"), wanted))
			fail_msg("conf/zygoted.conf does not show %s", wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_those_of_the_table),
		cmocka_unit_test(test_values_reach_their_fields),
		cmocka_unit_test(test_read_paths_reach_their_fields),
		cmocka_unit_test(test_workers_are_found_by_name_and_by_path),
		cmocka_unit_test(test_variables_are_replaced_in_double_quotes_only),
		cmocka_unit_test(test_printed_configuration_reads_back_the_same),
		cmocka_unit_test(test_sample_configuration_is_valid),
		cmocka_unit_test(test_a_list_that_is_given_replaces_its_default),
		cmocka_unit_test(test_sample_and_manual_page_name_every_key),
		cmocka_unit_test(test_sample_shows_the_real_defaults),
	};

	return cmocka_run_group_tests(tests, config_try_init, config_try_fini);
}
