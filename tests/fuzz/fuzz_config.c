/* Configuration files: any bytes; what is taken is printed so that it is taken again, and prints the same. */
/* LINK: daemon/supervisor/config.c daemon/supervisor/config_check.c daemon/supervisor/config_check_listener.c */
/* LINK: daemon/supervisor/config_errors.c daemon/supervisor/config_keys.c daemon/supervisor/config_print.c */
/* LINK: daemon/supervisor/config_selftest.c daemon/front/route.c */
/* LINK: daemon/supervisor/config_store.c daemon/supervisor/config_text.c daemon/supervisor/config_value.c */
/* LINK: daemon/supervisor/policy.c daemon/supervisor/policy_profile.c daemon/base/control_path.c */
/* LINK: daemon/base/address.c daemon/base/log.c daemon/base/proto.c */
/* PKGS: libconfuse */
#include "supervisor/config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Reads the bytes as a file, which is one that others cannot see. */
static struct config *
read_bytes(const void *data, size_t size, bool *has_errors_out)
{
	struct config *config = NULL;
	char path[64], *text = NULL;
	size_t length = 0;
	FILE *errors = open_memstream(&text, &length);
	int fd = memfd_create("config", MFD_CLOEXEC);

	require(fd >= 0 && errors != NULL && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	require((config_read(path, errors, &config) == 0) == (config != NULL));
	require(fclose(errors) == 0);
	*has_errors_out = length > 0;
	/* Each error is a line, and names the file. */
	require(length == 0 || text[length - 1] == '\n');
	require(length == 0 || strncmp(text, path, strlen(path)) == 0);
	close(fd);
	free(text);
	return config;
}

static char *
print(const struct config *config, size_t *length_out)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length_out);

	require(out != NULL);
	config_print(config, out);
	require(fclose(out) == 0);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool has_errors;
	struct config *config = size > INPUT_MAX ? NULL : read_bytes(data, size, &has_errors);
	char *first, *second;
	size_t first_length, second_length;

	if (config == NULL) {
		require(size > INPUT_MAX || has_errors);
		return 0;
	}
	require(!has_errors);
	first = print(config, &first_length);
	config_free(config);
	config = read_bytes(first, first_length, &has_errors);
	require(config != NULL);
	second = print(config, &second_length);
	config_free(config);
	require(first_length == second_length && memcmp(first, second, first_length) == 0);
	free(first);
	free(second);
	return 0;
}
