/*
 * What must differ from child to child, and overflows that bet on its being the same.
 *
 * Runs in: a child. The canary is read where the compiler reads it; a real attacker needs another
 * leak for that, so a test that gives it away is harder on the daemon than life.
 */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static unsigned long
canary(void)
{
	unsigned long value;

	__asm__ volatile("movq %%fs:0x28, %0" : "=r"(value));
	return value;
}

int
deed_canary(struct zy_request *request, const char *argument)
{
	(void)argument;
	return zy_printf(request, "%016lx\n", canary());
}

static int
print_hex(struct zy_request *request, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (zy_printf(request, "%02x", bytes[i]) != 0)
			return -1;
	return zy_printf(request, "\n");
}

/* The request's seed, and what the kernel gives. */
int
deed_seed(struct zy_request *request, const char *argument)
{
	unsigned char random[16];

	(void)argument;
	if (getrandom(random, sizeof(random), 0) != sizeof(random) ||
	    print_hex(request, zy_seed(request), ZY_SEED_BYTES) != 0)
		return -1;
	return print_hex(request, random, sizeof(random));
}

/* An overflow of `size` bytes that knows nothing. */
static __attribute__((noinline)) void
overflow(size_t size)
{
	char buffer[16];
	char *volatile at = buffer;

	for (size_t i = 0; i < size; i++)
		at[i] = 'A';
	__asm__ volatile("" : : "r"(at) : "memory");
}

/* One that puts `guess` exactly where the canary of this frame is. */
static __attribute__((noinline)) void
overflow_with(unsigned long guess)
{
	char buffer[16];
	char *volatile at = buffer;

	memset(at, 'A', sizeof(buffer));
	for (size_t i = 0; i < 128; i += sizeof(guess)) {
		unsigned long here;
		memcpy(&here, at + i, sizeof(here));
		if (here == canary()) {
			memcpy(at + i, &guess, sizeof(guess));
			break;
		}
	}
	__asm__ volatile("" : : "r"(at) : "memory");
}

/* "": blind. "own": its own canary, the proof that the deed hits. A number: somebody else's. */
int
deed_smash(struct zy_request *request, const char *argument)
{
	if (argument[0] == '\0')
		overflow(96);
	else
		overflow_with(strcmp(argument, "own") == 0 ? canary()
							   : strtoul(argument, NULL, 16));
	return zy_printf(request, "survived\n");
}
