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
 * Configuration files that are refused: on which line, in which words.
 */
#include "config_try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct bad_case {
	const char *text;
	unsigned line; /* counted with the line that config_try puts first; 0: none is given */
	const char *message; /* its beginning */
};

static const struct bad_case bad_cases[] = {
	/* syntax */
	{ LISTEN POOL "colour = \"red\"\n", 4, "unknown key \"colour\"" },
	{ LISTEN "pool \"a\" {\n\tworkr = \"echo\"\n}\n", 4, "unknown key \"workr\"" },
	{ LISTEN POOL "include(\"/etc/passwd\")\n", 4, "unknown key \"include\"" },
	{ LISTEN POOL "\n\nlog_level \"info\"\n", 6, "no \"=\" after log_level" },
	{ LISTEN POOL "log_level = {\n", 4, "the brace that opens here is not closed" },
	{ LISTEN "pool \"a\" {\n worker = \"echo\"\n", 3, "the brace that opens here" },
	{ LISTEN POOL "}\n", 4, "unexpected closing brace" },
	{ LISTEN POOL "user = \"abc\n\n\n", 4, "the string that begins here does not end" },
	{ LISTEN POOL "user = 'abc\n\n\n", 4, "the string that begins here does not end" },
	{ LISTEN POOL "\n/* abc\n\n\n", 5, "this comment does not end" },
	{ LISTEN POOL "user = \"${ZYGOTED_TEST_UNSET}\"\n", 4,
	  "environment variable ZYGOTED_TEST_UNSET is not set" },
	{ LISTEN POOL "user = ${ZYGOTED_TEST_UNSET}\n", 4, "environment variable" },
	{ LISTEN POOL "user = \"${}\"\n", 4, "malformed ${NAME}" },
	{ LISTEN POOL "user = \"${A\"\n}\n", 4, "malformed ${NAME}" },
	{ LISTEN POOL "user = \"a\\000b\"\n", 4, "a string cannot hold a NUL byte" },
	{ LISTEN POOL "user = \"a\\x0\"\n", 4, "a string cannot hold a NUL byte" },
	{ LISTEN POOL "{{{{{{{{\n", 4, "too many braces" },
	{ LISTEN "pool {\n}\n", 3, "no name after pool" },
	{ LISTEN "pool \"a\" = 3\n", 3, "no \"{\" after the name" },
	{ LISTEN POOL "user += \"x\"\n", 4, "user takes one value" },
	{ LISTEN POOL "user = = \"x\"\n", 4, "unexpected \"=\"" },
	{ "/* a\n b */ /* c */\n# d\n// e\ncolour = 1\n", 6, "unknown key \"colour\"" },
	{ LISTEN "pool \"a\" { worker = \"echo\" routes = {\"/\", # one\n /* two */ \"/b\"}\n "
		 "colour = 1 }",
	  5, "unknown key \"colour\"" },
	/* what fronts and zygotes share */
	{ "fronts = 9\n" LISTEN POOL, 2, "fronts" },
	{ "fronts = 0\n" LISTEN POOL, 2, "fronts" },
	{ LISTEN "pool \"a\" { worker = \"echo\" routes = {\"/\"} zygotes = 9 }\n", 3, "zygotes" },
	{ "fronts = 2\n" LISTEN "pool \"a\" { worker = \"echo\" routes = {\"/\"} zygotes = 3 "
	  "max_children = 5 spare = 2 }\n",
	  4, "pool \"a\": max_children = 5 is less than fronts x zygotes = 6" },
	{ "fronts = 4\n" LISTEN "pool \"a\" { worker = \"echo\" routes = {\"/\"} spare = 3 }\n", 4,
	  "pool \"a\": spare = 3 cannot be shared by fronts = 4" },
	{ "fronts = 4\n" LISTEN "pool \"a\" { worker = \"echo\" routes = {\"/\"} queue = 2 }\n", 4,
	  "pool \"a\": queue = 2 cannot be shared by fronts = 4" },
	{ "fronts = 4\nconnections = 3\n" LISTEN POOL, 6, "connections = 3 cannot be shared" },
	/* given twice */
	{ LISTEN POOL "log_level = info\nlog_level = info\n", 5,
	  "log_level is given twice, first on line 4" },
	{ IN_POOL("timeout = 1s\n\ntimeout = 2s"), 6, "timeout is given twice, first on line 4" },
	{ IN_POOL("routes = {\"/b\"}"), 4, "routes is given twice, first on line 3" },
	{ LISTEN LISTEN POOL, 3, "a section called \"web\" is already there" },
	{ LISTEN POOL POOL, 4, "a section called \"a\" is already there" },
	{ IN_POOL("option \"x\" { value = 1 }\noption \"x\" { value = 2 }"), 5,
	  "a section called \"x\" is already there" },
	/* missing */
	{ POOL, 3, "no listener" },
	{ LISTEN, 3, "no pool" },
	{ "listen \"web\" {\n}\n" POOL, 2, "listen \"web\" has no address" },
	{ LISTEN "\npool \"a\" {\n routes = {\"/\"}\n}\n", 4, "pool \"a\" has no worker" },
	{ LISTEN "\npool\n \"a\"\n{\n worker = \"echo\"\n}\n", 4, "pool \"a\" has no routes" },
	{ LISTEN "pool \"a\" { worker = \"echo\" routes = {} }\n", 3, "pool \"a\" has no routes" },
	{ IN_POOL("\noption \"x\" {\n}"), 5, "option \"x\" has no value" },
	{ LISTEN "\npool \"a\" { worker = \"nosuch\" routes = \"/\" }\n", 4,
	  "pool \"a\": worker /tmp/zygoted-config-" },
	{ LISTEN "pool \"a\" { worker = \"/nosuch/w.so\" routes = \"/\" }\n", 3,
	  "pool \"a\": worker /nosuch/w.so: No such file" },
	{ LISTEN "pool \"a\" { worker = \"/proc/self\" routes = \"/\" }\n", 3,
	  "pool \"a\": worker /proc/self is not a readable file" },
	/* values */
	{ LISTEN POOL "header_timeout = 10\n", 4,
	  "header_timeout: \"10\" is not a whole number with a unit" },
	{ LISTEN POOL "header_timeout = 99ms\n", 4,
	  "header_timeout: \"99ms\" is out of range: choose from 100ms to 10m" },
	{ LISTEN POOL "header_timeout = 11m\n", 4, "header_timeout: \"11m\" is out of range" },
	{ LISTEN POOL "body_rate = 0\n", 4,
	  "body_rate: \"0\" is out of range: choose from 1 to 1G" },
	{ LISTEN POOL "connections = many\n", 4, "connections: \"many\" is not a whole number" },
	{ LISTEN POOL "access_log = \"log\"\n", 4, "access_log: \"log\" is no place to write to" },
	{ LISTEN POOL "access_format = xml\n", 4,
	  "access_format: \"xml\" is not known: choose one of combined, json" },
	{ LISTEN POOL "log_level = loud\n", 4,
	  "log_level: \"loud\" is not known: choose one of error, warning, info, debug" },
	{ LISTEN POOL "require = {seccomp,\nfoo}\n", 5,
	  "require: \"foo\" is not known: choose one of user, " },
	{ LISTEN POOL "user = root\n", 4, "user: \"root\" is root" },
	{ LISTEN POOL "user = no-such-user-here\n", 4,
	  "user: \"no-such-user-here\" does not exist" },
	{ LISTEN POOL "control_group = no-such-group\n", 4,
	  "control_group: \"no-such-group\" does not exist" },
	{ LISTEN POOL "control = \"\"\n", 4, "control must not be empty" },
	{ LISTEN POOL "control = \"/01234567890123456789012345678901234567890123456789"
		      "012345678901234567890123456789012345678901234567890123456\"\n",
	  4, "control has 108 bytes: shorten it to at most 107" },
	{ IN_POOL("timeout = 0s"), 4, "timeout of pool \"a\": \"0s\" is out of range" },
	{ IN_POOL("timeout = 25h"), 4, "timeout of pool \"a\": \"25h\" is out of range" },
	{ IN_POOL("memory = -1"), 4,
	  "memory of pool \"a\": \"-1\" is not a whole number of bytes" },
	{ IN_POOL("memory = 64m"), 4,
	  "memory of pool \"a\": \"64m\" is not a whole number of bytes" },
	{ IN_POOL("body = 2T"), 4, "body of pool \"a\": \"2T\" is out of range" },
	{ IN_POOL("output = 1K"), 4, "output of pool \"a\": \"1K\" is out of range" },
	{ IN_POOL("queue = 100001"), 4, "queue of pool \"a\": \"100001\" is out of range" },
	{ IN_POOL("queue_timeout = 0ms"), 4,
	  "queue_timeout of pool \"a\": \"0ms\" is out of range" },
	{ IN_POOL("max_children = 4097"), 4,
	  "max_children of pool \"a\": \"4097\" is out of range" },
	{ IN_POOL("spare = 0"), 4, "spare of pool \"a\": \"0\" is out of range" },
	{ IN_POOL("spare = 65"), 3, "pool \"a\": spare = 65 is more than max_children = 64" },
	{ IN_POOL("cpu = 1500ms"), 3, "pool \"a\": cpu counts in whole seconds: write \"2s\"" },
	{ IN_POOL("profile = all"), 4,
	  "profile of pool \"a\": \"all\" is not known: choose one of compute, files, files-exec, "
	  "exec" },
	{ IN_POOL("profile = front"), 4, "profile of pool \"a\": \"front\" is not known" },
	{ "require = {seccomp}\n" IN_POOL("sandbox = log"), 4,
	  "pool \"a\": sandbox = \"log\" lets calls pass, but require names seccomp" },
	/* files to read */
	{ IN_POOL("selftest = \"/\""), 3, "pool \"a\": selftest \"/\" is no request" },
	{ IN_POOL("profile = files"), 3, "pool \"a\": profile files without read_paths" },
	{ IN_POOL("profile = files-exec"), 3, "pool \"a\": profile files-exec without" },
	{ IN_POOL("read_paths = \"/usr\""), 3, "pool \"a\": children of profile compute read no" },
	{ IN_POOL("profile = files read_paths = {\"/usr\",\n\"usr\"}"), 5,
	  "read_paths of pool \"a\": \"usr\" must be absolute" },
	{ IN_POOL("profile = files read_paths = \"\""), 4,
	  "read_paths of pool \"a\": \"\" must be absolute" },
	{ IN_POOL("profile = files read_paths = \"/\""), 4,
	  "read_paths of pool \"a\": \"/\" is everything" },
	{ IN_POOL("profile = files read_paths = \"/usr/../etc\""), 4,
	  "read_paths of pool \"a\": \"/usr/../etc\" has \".\" or \"..\" in it" },
	{ IN_POOL("profile = files read_paths = \"/usr/.\""), 4,
	  "read_paths of pool \"a\": \"/usr/.\" has \".\"" },
	{ IN_POOL("profile = files read_paths = \"/usr//lib\""), 4,
	  "read_paths of pool \"a\": \"/usr//lib\" has a \"/\" too many" },
	{ IN_POOL("profile = files read_paths = \"/usr/\""), 4,
	  "read_paths of pool \"a\": \"/usr/\" has a \"/\" too many" },
	{ IN_POOL("profile = files read_paths = \"/proc/self\""), 4,
	  "read_paths of pool \"a\": \"/proc/self\" shows other processes" },
	{ IN_POOL("profile = files read_paths = \"/no/such\""), 3,
	  "pool \"a\": read_paths: /no/such: No such file" },
	{ IN_POOL("profile = files read_paths = \"/dev/null\""), 3,
	  "pool \"a\": read_paths: /dev/null is neither a file nor a directory" },
	{ IN_POOL("profile = files read_paths = \"/usr\" open_files = 1021"), 4,
	  "open_files of pool \"a\": \"1021\" is out of range" },
	{ IN_POOL("sandbox = off"), 4,
	  "sandbox of pool \"a\": \"off\" is not known: choose one of enforce, log" },
	/* names */
	{ "listen \"Web\" { address = \"127.0.0.1:80\" }\n" POOL, 2, "listen \"Web\": a name is" },
	{ LISTEN "pool \"\" { worker = \"echo\" routes = {\"/\"} }\n", 3, "pool \"\": a name is" },
	{ LISTEN "pool \"a.b\" { worker = \"echo\" routes = {\"/\"} }\n", 3,
	  "pool \"a.b\": a name is" },
	{ LISTEN
	  "pool \"01234567890123456789012345678901\" { worker = \"echo\" routes = {\"/\"} }\n",
	  3, "pool \"01234567890123456789012345678901\": a name is" },
	{ IN_POOL("option \"X\" { value = 1 }"), 4, "option \"X\": a name is" },
	{ LISTEN "pool \"a\" { worker = \"Echo\" routes = {\"/\"} }\n", 3,
	  "worker of pool \"a\": \"Echo\" must be" },
	{ LISTEN "pool \"a\" { worker = \"/x/Echo.so\" routes = {\"/\"} }\n", 3,
	  "worker of pool \"a\": the file's name" },
	/* listeners */
	{ "penalty_exempt = {\"10.0.0.0/8\",\n \"10.0.0.1/8\"}\n" LISTEN POOL, 3,
	  "penalty_exempt: \"10.0.0.1/8\" is no address or network" },
	{ "listen \"w\" { address = \"localhost:80\" }\n" POOL, 2,
	  "listen \"w\": address \"localhost:80\" is not numeric" },
	{ "listen \"w\" { address = \"127.0.0.1\" }\n" POOL, 2,
	  "listen \"w\": address \"127.0.0.1\" is not" },
	{ "listen \"w\" {\n address = \"127.0.0.1:80\"\n protocol = \"smtp\"\n}\n" POOL, 4,
	  "protocol of listen \"w\": \"smtp\" is not known: choose one of http, metrics, frame" },
	{ LISTEN "listen \"m\" { protocol = metrics address = \"unix:m\" }\n" POOL, 3,
	  "listen \"m\": address \"unix:m\" is not" },
	{ LISTEN "listen \"m\" { address = \"unix:/run/m\" proxy = {\"10.0.0.1\"} }\n" POOL, 3,
	  "listen \"m\": who connects to a Unix socket has no address" },
	{ LISTEN "listen \"m\" { address = \"[::1]:80\" proxy = {\"unix:\"} }\n" POOL, 3,
	  "listen \"m\": proxy \"unix:\" is for Unix sockets" },
	{ "listen \"f\" { protocol = frame address = \"[::1]:80\" }\n" POOL, 2,
	  "listen \"f\": frames have no path: name the pool" },
	{ "listen \"f\" { protocol = frame address = \"[::1]:80\" pool = \"b\" }\n" POOL, 2,
	  "listen \"f\": there is no pool \"b\"" },
	{ "listen \"w\" { address = \"[::1]:80\" pool = \"a\" }\n" POOL, 2,
	  "listen \"w\": pool is for protocol = \"frame\"" },
	{ "gather_memory = 3M\n"
	  "listen \"f\" { protocol = frame address = \"[::1]:80\" pool = \"a\" gather = 4M "
	  "}\n" POOL,
	  3, "listen \"f\": gather is more than a front's share of gather_memory" },
	{ "fronts = 2\ngather_memory = 3M\n"
	  "listen \"u\" { address = \"unix:/run/u\" gather = 2M }\n" POOL,
	  4, "listen \"u\": gather is more than a front's share of gather_memory" },
	{ "penalty_exempt = {\"unix:\"}\n" LISTEN POOL, 2,
	  "penalty_exempt: \"unix:\" is no address or network" },
	{ LISTEN "listen \"m\" { protocol = metrics address = \"[::1]:80\" group = root }\n" POOL,
	  3, "listen \"m\": group is for Unix sockets" },
	{ LISTEN
	  "listen \"m\" { protocol = metrics address = \"unix:/run/m\"\n group = \"no such\"\n"
	  " }\n" POOL,
	  4, "group of listen \"m\": \"no such\" does not exist" },
	{ "listen \"m\" { protocol = metrics address = \"[::1]:80\" }\n" POOL, 4, "no listener" },
	{ LISTEN "listen \"x\" {\n address = \"127.0.0.1:8080\"\n}\n" POOL, 3,
	  "listen \"x\": address \"127.0.0.1:8080\" is that of listen \"web\" on line 2" },
	/* routes */
	{ LISTEN "pool \"a\" { worker = \"echo\" }\n", 3,
	  "pool \"a\" has no routes and gets no frames" },
	{ LISTEN "pool \"a\" { worker = \"echo\"\n routes = {\"x\"} }\n", 4,
	  "routes of pool \"a\": route \"x\" must start with" },
	{ LISTEN "pool \"a\" { worker = \"echo\"\n routes = {\"/a\",\n\"/b?c\"} }\n", 5,
	  "routes of pool \"a\": route \"/b?c\" has a" },
	{ LISTEN "pool \"a\" { worker = \"echo\" routes = {\"/x\", \"/x\"} }\n", 3,
	  "pool \"a\": route \"/x\" is there twice" },
	{ LISTEN POOL "pool \"b\" { worker = \"echo\" routes = {\"/x\", \"/\"} }\n", 4,
	  "pool \"b\": route \"/\" belongs to pool \"a\" on line 3" },
};

static void
check_bad(const struct bad_case *bad)
{
	char expected[512];
	char *errors;
	struct config *config = config_try(bad->text, &errors);

	if (config)
		fail_msg("was taken, not refused with \"%s\":\n%s", bad->message, bad->text);
	snprintf(expected, sizeof(expected), "%s/conf:%u: %s", config_try_directory, bad->line,
		 bad->message);
	if (strncmp(errors, expected, strlen(expected)) != 0)
		fail_msg("expected: %s\ngot: %s\nfor: %s", expected, errors, bad->text);
	if (strchr(errors, '\n') != errors + strlen(errors) - 1)
		fail_msg("more than one error: %s\nfor: %s", errors, bad->text);
	free(errors);
}

static void
test_bad_files_are_refused_with_line_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_cases); i++)
		check_bad(&bad_cases[i]);
}

static void
test_all_errors_are_listed_in_the_order_of_lines(void **state)
{
	static const char text[] =
		"pool \"a\" {\n worker = \"echo\"\n timeout = 5\n routes = {\"x\"}\n}\n"
		"listen \"web\" { address = \"x\" }\n"
		"log_level = loud\n";
	static const unsigned lines[] = { 4, 5, 7, 8 };
	char *errors;
	char *at;

	(void)state;
	assert_null(config_try(text, &errors));
	at = errors;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char start[128];

		snprintf(start, sizeof(start), "%s/conf:%u: ", config_try_directory, lines[i]);
		assert_memory_equal(at, start, strlen(start));
		at = strchr(at, '\n') + 1;
	}
	assert_string_equal(at, "");
	free(errors);
}

static void
test_too_many_of_anything_is_refused(void **state)
{
	static char text[HERITAGE_OPTIONS_MAX + 4096];
	char *errors;
	char *at = text + sprintf(text, "%s", LISTEN);

	(void)state;
	for (int i = 0; i <= PROTO_POOLS_MAX; i++)
		at += sprintf(at, "pool p%d { worker = echo routes = /%d }\n", i, i);
	assert_null(config_try(text, &errors));
	assert_non_null(strstr(errors, ":35: more than 32 sections called pool"));
	free(errors);

	at = text + sprintf(text, LISTEN "pool a { worker = echo routes = {/0");
	for (int i = 1; i <= PROTO_ROUTES_MAX; i++)
		at += sprintf(at, ", /%d", i);
	sprintf(at, "} }\n");
	assert_null(config_try(text, &errors));
	assert_non_null(strstr(errors, ":3: routes of pool \"a\": at most 32 routes"));
	free(errors);

	at = text + sprintf(text, LISTEN "pool a { worker = echo routes = / option x { value = \"");
	memset(at, 'x', HERITAGE_OPTIONS_MAX);
	strcpy(at + HERITAGE_OPTIONS_MAX, "\" } }\n");
	assert_null(config_try(text, &errors));
	assert_non_null(strstr(errors, ":3: options of pool \"a\" are larger than 64 KiB"));
	free(errors);
}

static void
test_file_itself_must_be_sane(void **state)
{
	static char large[300 * 1024];
	struct config *config = NULL;
	char *errors;
	size_t size;
	FILE *stream = open_memstream(&errors, &size);

	(void)state;
	assert_int_equal(config_read("/nosuch/file", stream, &config), -1);
	fclose(stream);
	assert_string_equal(errors,
			    "/nosuch/file: cannot open the file: No such file or directory\n");
	free(errors);
	memset(large, '\n', sizeof(large) - 1);
	assert_null(config_try(large, &errors));
	assert_non_null(strstr(errors, "larger than 256 KiB"));
	free(errors);
}

static void
test_missing_program_is_refused(void **state)
{
	char path[128];
	char *errors;
	size_t size;
	struct config *config = NULL;
	FILE *stream = open_memstream(&errors, &size);

	(void)state;
	snprintf(path, sizeof(path), "%s/conf", config_try_directory);
	config_try_write(path, "zygote_program = \"/nosuch/zygote\"\n",
			 LISTEN "pool \"a\" { worker = \"/etc/passwd.so\" routes = {\"/\"} }\n");
	assert_int_equal(config_read(path, stream, &config), -1);
	fclose(stream);
	assert_non_null(strstr(errors, ": zygote program /nosuch/zygote: No such file"));
	free(errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files_are_refused_with_line_and_reason),
		cmocka_unit_test(test_all_errors_are_listed_in_the_order_of_lines),
		cmocka_unit_test(test_too_many_of_anything_is_refused),
		cmocka_unit_test(test_file_itself_must_be_sane),
		cmocka_unit_test(test_missing_program_is_refused),
	};

	return cmocka_run_group_tests(tests, config_try_init, config_try_fini);
}
