/*
 * Memory: making code out of data, taking more than was granted, writing into the shared image.
 *
 * Runs in: a child; memory_load_image in the zygote. All that is taken is touched, because a limit
 * on addresses alone would not protect the machine.
 */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_BYTES (4u << 20)
#define PIECE	    (1u << 20)
#define PIECES_MAX  4096 /* 4 GiB: far beyond every limit, and an end for what has none */
#define PAGE	    4096
#define TABLE_SPAN  (1ul << 21) /* what one page of the page table spans */
#define TABLES_MAX  262144

static unsigned char *image; /* filled by load, the same for all children */
static int scribbled;	     /* a variable of the worker's, 0 in every fresh child */

int
memory_load_image(void)
{
	image = malloc(IMAGE_BYTES);
	if (image == NULL)
		return -1;
	for (size_t i = 0; i < IMAGE_BYTES; i++)
		image[i] = (unsigned char)(i * 2654435761u >> 24);
	return 0;
}

/* ---- code ---- */

static const unsigned char instruction_ret = 0xc3;

static void
run_at(const unsigned char *place)
{
	void (*function)(void);

	memcpy(&function, &place, sizeof(function));
	function();
}

/* "stack", "heap", "image": a function of one instruction in memory that is data. */
int
deed_run_data(struct zy_request *request, const char *argument)
{
	static unsigned char *on_heap;
	unsigned char on_stack[16];
	unsigned char *place = on_stack;

	if ((on_heap = malloc(16)) == NULL)
		return -1;
	if (strcmp(argument, "heap") == 0)
		place = on_heap;
	else if (strcmp(argument, "image") == 0)
		place = image;
	*place = instruction_ret;
	__asm__ volatile("" : : "r"(place) : "memory");
	run_at(place);
	return zy_printf(request, "ran\n");
}

static __attribute__((noinline)) void
victim(void)
{
	__asm__ volatile("");
}

/* "write": into code as it is mapped; "protect": made writable first, then run. */
int
deed_rewrite_code(struct zy_request *request, const char *argument)
{
	void (*const function)(void) = victim;
	unsigned char *code;

	memcpy(&code, &function, sizeof(code));
	unsigned char *page = code - (uintptr_t)code % PAGE;
	if (strcmp(argument, "protect") == 0 && mprotect(page, PAGE, PROT_READ | PROT_WRITE) < 0)
		return zy_printf(request, "refused\n");
	*(volatile unsigned char *)code = instruction_ret;
	run_at(code);
	return zy_printf(request, "ran\n");
}

/* ---- how much there is ---- */

static __attribute__((noinline)) unsigned long
recurse(unsigned long depth)
{
	volatile char frame[4096];

	frame[0] = (char)depth;
	if (depth == ~0ul)
		return 0; /* never: the stack ends long before */
	return recurse(depth + 1) + (unsigned long)frame[0];
}

int
deed_recurse(struct zy_request *request, const char *argument)
{
	(void)argument;
	return zy_printf(request, "%lu\n", recurse(0));
}

static unsigned char *
take_piece(const char *how)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	int protection = PROT_READ | PROT_WRITE;

	if (strcmp(how, "malloc") == 0)
		return malloc(PIECE);
	if (strcmp(how, "brk") == 0) {
		void *piece = sbrk(PIECE);
		return (intptr_t)piece == -1 ? NULL : piece;
	}
	if (strcmp(how, "growsdown") == 0)
		flags |= MAP_GROWSDOWN | MAP_STACK;
	if (strcmp(how, "protect") == 0)
		protection = PROT_READ;
	unsigned char *piece = mmap(NULL, PIECE, protection, flags, -1, 0);
	if (piece == MAP_FAILED)
		return NULL;
	if (strcmp(how, "protect") == 0 && mprotect(piece, PIECE, PROT_READ | PROT_WRITE) < 0)
		return NULL;
	return piece;
}

/* Pages of the page table, by reading one byte for each of them: nothing of this is data. */
static unsigned long
take_tables(void)
{
	unsigned long tables = 0;

	for (; tables < TABLES_MAX; tables++) {
		volatile unsigned char *piece =
			mmap(NULL, TABLE_SPAN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (piece == MAP_FAILED || *piece != 0)
			break;
	}
	return tables * PAGE;
}

/* All that there is to be had, in the way that the argument says; tells how many bytes it was. */
int
deed_take_memory(struct zy_request *request, const char *argument)
{
	unsigned long taken = 0;
	unsigned char *piece;

	if (strcmp(argument, "tables") == 0)
		return zy_printf(request, "%lu\n", take_tables());
	for (int i = 0; i < PIECES_MAX && (piece = take_piece(argument)) != NULL; i++) {
		for (size_t at = 0; at < PIECE; at += PAGE)
			((volatile unsigned char *)piece)[at] = 1;
		taken += PIECE;
	}
	return zy_printf(request, "%lu\n", taken);
}

/* ---- the image ---- */

int
deed_scribble(struct zy_request *request, const char *argument)
{
	(void)argument;
	memset(image, 0x55, IMAGE_BYTES);
	scribbled++;
	return zy_printf(request, "scribbled %d\n", scribbled);
}

/* FNV-1a over the image and the worker's variables. */
int
deed_image_hash(struct zy_request *request, const char *argument)
{
	uint64_t hash = 0xcbf29ce484222325u;

	(void)argument;
	for (size_t i = 0; i < IMAGE_BYTES; i++)
		hash = (hash ^ image[i]) * 0x100000001b3u;
	hash = (hash ^ (uint64_t)scribbled) * 0x100000001b3u;
	return zy_printf(request, "%016llx\n", (unsigned long long)hash);
}
