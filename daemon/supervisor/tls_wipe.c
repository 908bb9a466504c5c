/*
 * OpenSSL cleans the numbers of a key, but not every buffer in which its text was decoded: so all of
 * its memory is wiped on its way back to malloc.
 *
 * Runs in: supervisor.
 */
#include "supervisor/tls_wipe.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "front/tls_context.h"

static void *
allocate(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size > 0 ? malloc(size) : NULL;
}

static void
wipe(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

/* realloc may move, and would leave the old place as it was. */
static void *
grow(void *memory, size_t size, const char *file, int line)
{
	const size_t old_size = memory != NULL ? malloc_usable_size(memory) : 0;
	void *fresh = allocate(size, file, line);

	if (fresh == NULL && size > 0)
		return NULL;
	if (fresh != NULL && memory != NULL)
		memcpy(fresh, memory, old_size < size ? old_size : size);
	wipe(memory, file, line);
	return fresh;
}

void
tls_wipe_init(void)
{
	static bool done;

	if (done)
		return;
	if (CRYPTO_set_mem_functions(allocate, grow, wipe) != 1)
		die("OpenSSL was used before its memory could be seen to");
	tls_library_init();
	done = true;
}
