/*
 * A block's key: its size, the function that allocates it, and how many of that size this function has allocated before. Addresses differ from one load to the
 * next, and so does the order in sets of objects; but a function that allocates one more block, or in another order, changes no key but its own.
 *
 * Runs in: zygote (load), and the processes that learn, which were forked by it: names have the same hashes in all of them.
 */
#define Py_BUILD_CORE 1 /* for the frame, which no call that does not allocate gives away */
#include <Python.h>

#if PY_VERSION_HEX >= 0x030B0100 && PY_VERSION_HEX < 0x030C0000
#include <internal/pycore_frame.h>
#endif

#include "placement_parts.h"

#include <sys/mman.h>

#define CONTEXTS     (1u << 17) /* pandas, with all that it imports, has a quarter of it */
#define CONTEXTS_MAX (CONTEXTS / 4 * 3)
#define MULTIPLIER                                                                                 \
	0x9E3779B97F4A7C15u /* 2^64 divided by the golden ratio: Knuth, The Art of Computer Programming, 6.4 */

struct context {
	uint64_t hash;
	uint64_t count; /* of keys given out */
};

static struct context *contexts;
static unsigned used;

static uint64_t
mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * MULTIPLIER;
	return hash ^ hash >> 32;
}

#if PY_VERSION_HEX >= 0x030B0100 && PY_VERSION_HEX < 0x030C0000

/* Of a plain string; what is derived from it could have a function of its own for that. */
static uint64_t
mix_string(uint64_t hash, PyObject *string)
{
	return PyUnicode_CheckExact(string) ? mix(hash, (uint64_t)PyObject_Hash(string)) : hash;
}

/* The function that runs. */
static uint64_t
hash_function(uint64_t hash)
{
	const PyThreadState *thread = _PyThreadState_UncheckedGet();
	const _PyInterpreterFrame *frame =
		thread != NULL && thread->cframe != NULL ? thread->cframe->current_frame : NULL;

	if (frame == NULL || frame->f_code == NULL)
		return hash;
	const PyCodeObject *code = frame->f_code;
	hash = mix_string(hash, code->co_qualname);
	hash = mix_string(hash, code->co_filename);
	return mix(hash, (uint64_t)code->co_firstlineno);
}

int
placement_key_open(void)
{
	contexts = mmap(NULL, CONTEXTS * sizeof(*contexts), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	used = 0;
	return contexts != MAP_FAILED ? 0 : -1;
}

#else /* in 3.11.0 a frame that is being cleared is still to be seen; later ones have objects without counters (PEP 683), and other frames */

static uint64_t
hash_function(uint64_t hash)
{
	return hash;
}

int
placement_key_open(void)
{
	return -1;
}

#endif

void
placement_key_close(void)
{
	munmap(contexts, CONTEXTS * sizeof(*contexts));
	contexts = NULL;
}

uint64_t
placement_key_next(size_t size)
{
	const uint64_t hash = hash_function(mix(1, size)) | 1; /* 0: a free place */
	uint64_t i = hash >> 1 & (CONTEXTS - 1);

	while (contexts[i].hash != hash && contexts[i].hash != 0)
		i = (i + 1) & (CONTEXTS - 1);
	if (contexts[i].hash == 0 && used == CONTEXTS_MAX)
		return 0;
	used += contexts[i].hash == 0;
	contexts[i].hash = hash;
	return (mix(hash, ++contexts[i].count) | (PLACEMENT_USE_BITS + 1)) &
	       ~(uint64_t)PLACEMENT_USE_BITS;
}
