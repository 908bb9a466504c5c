/*
 * The effective configuration in the file's own syntax.
 *
 * Runs in: supervisor (`zygoted -T`). What is printed must read back to the same structs: strings
 * are escaped for libconfuse's lexer, which would otherwise take ${NAME} for a variable.
 */
#include "supervisor/config.h"

#include "base/address.h"
#include "supervisor/config_keys.h"
#include "supervisor/config_store.h"
#include "supervisor/config_value.h"

#include <string.h>

static void
print_string(const char *text, FILE *out)
{
	fputc('"', out);
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at == '\n')
			fputs("\\n", out);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\x%02x", *at);
		else if (*at == '"' || *at == '\\' || *at == '$')
			fprintf(out, "\\%c", *at);
		else
			fputc(*at, out);
	}
	fputc('"', out);
}

/* One of a list: the brace that opens it is before the first, the caller closes it. */
static void
print_item(const char *text, int first, FILE *out)
{
	fputs(first ? "{" : ", ", out);
	print_string(text, out);
}

static void
print_layers(const struct config_key *key, const void *base, FILE *out)
{
	uint64_t mask = config_load_number(key, base);
	int first = 1;

	for (unsigned i = 0; key->choice(i); i++)
		if (mask & UINT64_C(1) << i) {
			print_item(key->choice(i), first, out);
			first = 0;
		}
	fputs(first ? "{}" : "}", out);
}

static void
print_routes(const struct config_pool *pool, FILE *out)
{
	int first = 1;

	for (uint32_t i = 0; i < pool->front.routes_count; i++) {
		if (strcmp(pool->front.routes[i], HERITAGE_FRAME_ROUTE) == 0)
			continue;
		print_item(pool->front.routes[i], first, out);
		first = 0;
	}
	fputs(first ? "{}" : "}", out);
}

static void
print_paths(const struct config_pool *pool, FILE *out)
{
	const char *path = pool->read_paths;

	for (uint32_t i = 0; i < pool->read_paths_count; i++, path += strlen(path) + 1)
		print_item(path, i == 0, out);
	fputs(pool->read_paths_count == 0 ? "{}" : "}", out);
}

static void
print_files(const struct config_key *key, const void *base, FILE *out)
{
	const struct config_files *files = (const void *)((const char *)base + key->offset);

	for (uint32_t i = 0; i < files->count; i++)
		print_item(files->paths[i], i == 0, out);
	fputs(files->count == 0 ? "{}" : "}", out);
}

static void
print_networks(const struct heritage_networks *networks, FILE *out)
{
	char text[CONFIG_NETWORK_MAX];

	if (networks->local)
		print_item(ADDRESS_UNIX, true, out);
	for (uint32_t i = 0; i < networks->count; i++)
		print_item(config_format_network(&networks->list[i], text, sizeof(text)),
			   i == 0 && !networks->local, out);
	fputs(networks->count == 0 && !networks->local ? "{}" : "}", out);
}

/* By name where worker_dir leads to it, by path otherwise. */
static void
print_worker(const struct config *config, const struct config_pool *pool, FILE *out)
{
	char path[HERITAGE_PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/%s.so", config->worker_dir, pool->worker);

	if (length < (int)sizeof(path) && strcmp(path, pool->worker_path) == 0)
		print_string(pool->worker, out);
	else
		print_string(pool->worker_path, out);
}

static void
print_value(const struct config *config, const struct config_key *key, const void *base, FILE *out)
{
	char text[CONFIG_NUMBER_MAX];

	switch (key->type) {
	case CONFIG_STRING:
	case CONFIG_PATH:
	case CONFIG_USER:
	case CONFIG_GROUP:
	case CONFIG_LOG_FILE:
		print_string((const char *)base + key->offset, out);
		break;
	case CONFIG_COUNT:
		fprintf(out, "%llu", (unsigned long long)config_load_number(key, base));
		break;
	case CONFIG_DURATION:
		print_string(config_format_duration_ms(config_load_number(key, base), text,
						       sizeof(text)),
			     out);
		break;
	case CONFIG_SIZE:
		print_string(config_format_size(config_load_number(key, base), text, sizeof(text)),
			     out);
		break;
	case CONFIG_CHOICE:
		print_string(key->choice((unsigned)config_load_number(key, base)), out);
		break;
	case CONFIG_LAYERS:
		print_layers(key, base, out);
		break;
	case CONFIG_ROUTES:
		print_routes(base, out);
		break;
	case CONFIG_WORKER:
		print_worker(config, base, out);
		break;
	case CONFIG_PATHS:
		print_paths(base, out);
		break;
	case CONFIG_FILES:
		print_files(key, base, out);
		break;
	case CONFIG_NETWORKS:
		print_networks((const void *)((const char *)base + key->offset), out);
		break;
	case CONFIG_VALUES: /* print_options */
	case CONFIG_TYPE_MAX:
		break;
	}
}

static void
print_section(const struct config *config, enum config_section section, const void *base, FILE *out)
{
	size_t count;
	const struct config_key *keys = config_keys(&count);

	for (size_t i = 0; i < count; i++) {
		if (keys[i].section != section)
			continue;
		fprintf(out, "%s%s = ", section == CONFIG_TOP ? "" : "\t", keys[i].name);
		print_value(config, &keys[i], base, out);
		fputc('\n', out);
	}
}

/* Values of one option stand together, as they came from one section. */
static void
print_options(const struct config_pool *pool, FILE *out)
{
	const char *name = "";
	const char *at = pool->options;

	for (uint32_t i = 0; i < pool->options_count; i++) {
		const char *value = at + strlen(at) + 1;
		int first = strcmp(at, name) != 0;

		if (first)
			fprintf(out, "%s\toption \"%s\" { value = ", i > 0 ? "} }\n" : "", at);
		print_item(value, first, out);
		name = at;
		at = value + strlen(value) + 1;
	}
	if (pool->options_count > 0)
		fputs("} }\n", out);
}

void
config_print(const struct config *config, FILE *out)
{
	print_section(config, CONFIG_TOP, config, out);
	for (uint32_t i = 0; i < config->listeners_count; i++) {
		fprintf(out, "\nlisten \"%s\" {\n", config->listeners[i].front.name);
		print_section(config, CONFIG_LISTEN, &config->listeners[i], out);
		fputs("}\n", out);
	}
	for (uint32_t i = 0; i < config->pools_count; i++) {
		fprintf(out, "\npool \"%s\" {\n", config->pools[i].front.name);
		print_section(config, CONFIG_POOL, &config->pools[i], out);
		print_options(&config->pools[i], out);
		fputs("}\n", out);
	}
}
