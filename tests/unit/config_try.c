/*
 * Shared by the tests of the configuration: see config_try.h.
 */
#include "config_try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

char config_try_directory[] = "/tmp/zygoted-config-XXXXXX";

void
config_try_write(const char *path, const char *before, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(before, file);
	fputs(text, file);
	fclose(file);
}

struct config *
config_try(const char *text, char **errors_out)
{
	char path[128];
	char before[256];
	struct config *config = NULL;
	size_t size;
	FILE *errors = open_memstream(errors_out, &size);

	snprintf(path, sizeof(path), "%s/conf", config_try_directory);
	snprintf(before, sizeof(before), "worker_dir = %s zygote_program = /bin/true\n",
		 config_try_directory);
	config_try_write(path, before, text);
	int result = config_read(path, errors, &config);
	fclose(errors);
	assert_true((result == 0) == (config != NULL));
	return config;
}

struct config *
config_try_good(const char *text)
{
	char *errors;
	struct config *config = config_try(text, &errors);

	if (!config)
		fail_msg("refused:\n%s", errors);
	free(errors);
	return config;
}

int
config_try_init(void **state)
{
	static const char *const workers[] = { "echo.so", "table.so", "text.so" };
	char path[128];

	(void)state;
	if (!mkdtemp(config_try_directory))
		return -1;
	for (size_t i = 0; i < COUNT(workers); i++) {
		snprintf(path, sizeof(path), "%s/%s", config_try_directory, workers[i]);
		config_try_write(path, "", "");
	}
	return 0;
}

int
config_try_fini(void **state)
{
	static const char *const files[] = { "echo.so", "table.so", "text.so", "conf", "printed" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", config_try_directory, files[i]);
		unlink(path);
	}
	return rmdir(config_try_directory);
}
