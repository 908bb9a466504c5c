/* LINK: daemon/supervisor/config_value.c daemon/base/address.c
 *
 * Single values of the configuration: durations, sizes, counts, addresses, names, routes.
 */
#include "supervisor/config_value.h"

#include "base/address.h"
#include "supervisor/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BAD	     UINT64_MAX

struct number_case {
	const char *text;
	uint64_t number; /* BAD: refused */
};

static const struct number_case durations[] = {
	{ "0ms", 0 },
	{ "0s", 0 },
	{ "1ms", 1 },
	{ "500ms", 500 },
	{ "2s", 2000 },
	{ "007s", 7000 },
	{ "1m", 60000 },
	{ "1h", 3600000 },
	{ "1d", 86400000 },
	{ "18446744073709551614ms", UINT64_MAX - 1 },
	{ "18446744073709551616ms", BAD },
	{ "18446744073709552s", BAD },
	{ "213503982335d", BAD },
	{ "99999999999999999999999999s", BAD },
	{ "0", BAD },
	{ "10", BAD },
	{ "", BAD },
	{ "s", BAD },
	{ "-1s", BAD },
	{ "+1s", BAD },
	{ "1.5s", BAD },
	{ "1 s", BAD },
	{ " 1s", BAD },
	{ "1s ", BAD },
	{ "1S", BAD },
	{ "1sec", BAD },
	{ "1us", BAD },
	{ "1w", BAD },
	{ "1h30m", BAD },
	{ "0x10s", BAD },
	{ "1e3s", BAD },
};

static const struct number_case sizes[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ "4096", 4096 },
	{ "16K", 16384 },
	{ "64M", UINT64_C(64) << 20 },
	{ "4G", UINT64_C(4) << 30 },
	{ "1T", UINT64_C(1) << 40 },
	{ "16777215T", UINT64_C(16777215) << 40 },
	{ "16777216T", BAD },
	{ "18446744073709551614", UINT64_MAX - 1 },
	{ "18446744073709551616", BAD },
	{ "17179869184G", BAD },
	{ "", BAD },
	{ "K", BAD },
	{ "-1", BAD },
	{ "-1K", BAD },
	{ "+1K", BAD },
	{ "1.5M", BAD },
	{ "1 M", BAD },
	{ "1k", BAD },
	{ "1KB", BAD },
	{ "1KiB", BAD },
	{ "1P", BAD },
	{ "1s", BAD },
	{ "0x1000", BAD },
};

static const struct number_case counts[] = {
	{ "0", 0 },    { "16", 16 },   { "18446744073709551614", UINT64_MAX - 1 },
	{ "", BAD },   { "-1", BAD },  { "18446744073709551616", BAD },
	{ "1K", BAD }, { "1.0", BAD }, { "sixteen", BAD },
};

static void
check_numbers(const struct number_case *cases, size_t count, int (*parse)(const char *, uint64_t *))
{
	for (size_t i = 0; i < count; i++) {
		uint64_t number = 0;
		int result = parse(cases[i].text, &number);

		if (result == 0 && number != cases[i].number)
			fail_msg("\"%s\" gave %llu", cases[i].text, (unsigned long long)number);
		if (result < 0 && cases[i].number != BAD)
			fail_msg("\"%s\" was refused", cases[i].text);
	}
}

static void
test_durations_need_a_unit_and_fit(void **state)
{
	(void)state;
	check_numbers(durations, COUNT(durations), config_parse_duration_ms);
}

static void
test_sizes_fit(void **state)
{
	(void)state;
	check_numbers(sizes, COUNT(sizes), config_parse_size);
}

static void
test_counts_are_digits(void **state)
{
	(void)state;
	check_numbers(counts, COUNT(counts), config_parse_count);
}

static void
test_formatted_numbers_read_back(void **state)
{
	static const uint64_t numbers[] = { 0,	   1,	    999,       1000,  1500,
					    1024,  60000,   86400000,  90000, 1u << 20,
					    65536, 3600000, UINT64_MAX };
	char text[CONFIG_NUMBER_MAX];
	uint64_t back;

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		config_format_duration_ms(numbers[i], text, sizeof(text));
		assert_int_equal(config_parse_duration_ms(text, &back), 0);
		assert_true(back == numbers[i]);
		config_format_size(numbers[i], text, sizeof(text));
		assert_int_equal(config_parse_size(text, &back), 0);
		assert_true(back == numbers[i]);
	}
}

static void
test_numbers_are_formatted_short(void **state)
{
	char text[CONFIG_NUMBER_MAX];

	(void)state;
	assert_string_equal(config_format_duration_ms(0, text, sizeof(text)), "0s");
	assert_string_equal(config_format_duration_ms(1500, text, sizeof(text)), "1500ms");
	assert_string_equal(config_format_duration_ms(7200000, text, sizeof(text)), "2h");
	assert_string_equal(config_format_size(0, text, sizeof(text)), "0");
	assert_string_equal(config_format_size(16384, text, sizeof(text)), "16K");
	assert_string_equal(config_format_size(1025, text, sizeof(text)), "1025");
}

static void
test_addresses_are_numeric_with_port(void **state)
{
	static const char *const good[] = {
		"127.0.0.1:8080",   "0.0.0.0:1",	 "255.255.255.255:65535", "[::]:80",
		"[::1]:8080",	    "[2001:db8::1]:443", "[::ffff:192.0.2.1]:80", "unix:/x",
		"unix:/run/a b:80",
	};
	static const char *const bad[] = {
		"",
		":80",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:0",
		"1.2.3.4:-1",
		"1.2.3.4:+80",
		"127.0.0.1:65536",
		"127.0.0.1:80x",
		"localhost:80",
		"1.2.3:80",
		"01.2.3.4:80",
		"::1:80",
		"[::1]",
		"[::1]80",
		"[::1:80",
		"[]:80",
		"[127.0.0.1]:80",
		"[::1%lo]:80",
		"unix:",
		"unix:/",
		"unix:x",
		"unix:/run/",
		"unix:x:80",
		"unix:/1234567890123456789012345678901234567890123456789012345678901234567890"
		"1234567890123456789012345678901234567",
		"*:80",
		" 1.2.3.4:80",
		"[::1]x:80",
		"1.2.3.4: 80",
		"80",
		"[1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20]:80",
	};
	struct sockaddr_storage address;
	socklen_t length;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (address_parse(good[i], &address, &length) < 0)
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (address_parse(bad[i], &address, &length) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void
test_equal_addresses_have_equal_bytes(void **state)
{
	struct sockaddr_storage one;
	struct sockaddr_storage other;
	socklen_t length;

	(void)state;
	memset(&one, 0xff, sizeof(one));
	assert_int_equal(address_parse("[::1]:80", &one, &length), 0);
	assert_int_equal(address_parse("[0:0:0:0:0:0:0:1]:0080", &other, &length), 0);
	assert_memory_equal(&one, &other, sizeof(one));
}

static void
test_names(void **state)
{
	static const char *const good[] = { "a", "oui", "a-b_c9",
					    "0", "-",	"abcdefghijklmnopqrstuvwxyz01234" };
	static const char *const bad[] = { "",	  "Oui",
					   "a b", "a.b",
					   "a/b", "\xc3\xbc",
					   "a\n", "abcdefghijklmnopqrstuvwxyz012345" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!config_is_name(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (config_is_name(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void
test_routes(void **state)
{
	static const char *const good[] = { "/", "=/", "/oui/", "/a%20b", "=/x/y", "/~a;b,c=d" };
	static const char *const bad[] = {
		"",	"x",	"=",	"=x",	 "==/x",      "/a b",
		"/a?b", "/a#b", "/a\n", "/\x7f", "/\xc3\xbc", "http://x/"
	};
	char large[PROTO_ROUTE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (config_check_route(good[i]))
			fail_msg("\"%s\" %s", good[i], config_check_route(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (!config_check_route(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	memset(large, '/', sizeof(large));
	large[PROTO_ROUTE_MAX] = '\0';
	assert_non_null(config_check_route(large));
	large[PROTO_ROUTE_MAX - 1] = '\0';
	assert_null(config_check_route(large));
}

/* What is printed is in the shortest form; NULL: refused. */
static const struct {
	const char *text;
	const char *printed;
} networks[] = {
	{ "192.0.2.1", "192.0.2.1/32" },
	{ "10.0.0.0/8", "10.0.0.0/8" },
	{ "0.0.0.0/0", "0.0.0.0/0" },
	{ "192.0.2.128/25", "192.0.2.128/25" },
	{ "::1", "::1/128" },
	{ "::/0", "::/0" },
	{ "2001:DB8::/32", "2001:db8::/32" },
	{ "::ffff:10.0.0.0/104", "10.0.0.0/8" },
	{ "10.0.0.1/8", NULL },
	{ "2001:db8::1/64", NULL },
	{ "10.0.0.0/33", NULL },
	{ "::/129", NULL },
	{ "10.0.0.0/", NULL },
	{ "10.0.0.0/-1", NULL },
	{ "10.0.0.0/8/8", NULL },
	{ "10.0.0", NULL },
	{ "localhost", NULL },
	{ "", NULL },
	{ "/8", NULL },
	{ "[::1]", NULL },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", NULL },
};

static void
test_networks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct heritage_network network;
		char text[CONFIG_NETWORK_MAX];
		int result = config_parse_network(networks[i].text, &network);

		if ((result == 0) != (networks[i].printed != NULL))
			fail_msg("\"%s\": %d", networks[i].text, result);
		if (result == 0)
			assert_string_equal(config_format_network(&network, text, sizeof(text)),
					    networks[i].printed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations_need_a_unit_and_fit),
		cmocka_unit_test(test_sizes_fit),
		cmocka_unit_test(test_counts_are_digits),
		cmocka_unit_test(test_formatted_numbers_read_back),
		cmocka_unit_test(test_numbers_are_formatted_short),
		cmocka_unit_test(test_addresses_are_numeric_with_port),
		cmocka_unit_test(test_equal_addresses_have_equal_bytes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
