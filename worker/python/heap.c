/*
 * Runs in: zygote (at the end of load).
 */
#include "heap.h"

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* From large to small; what is smaller is as good as taken. The largest are below those that are mapped: mallopt(3), M_MMAP_THRESHOLD. */
#define LARGEST	   (64u * 1024)
#define SMALL	   1024u
#define STEP_LARGE 1024u
#define STEP_SMALL 16u
#define SMALLEST   24u

/* Until one comes from the end of the heap. A small one of these stays taken too: a list would keep it for the next of its size. */
static void
fill(size_t size, uintptr_t end, size_t *left)
{
	while (*left >= size) {
		void *block = malloc(size);
		if ((uintptr_t)block >= end && size > SMALL)
			free(block);
		if (block == NULL || (uintptr_t)block >= end)
			return;
		*left -= size;
	}
}

#ifdef __SANITIZE_ADDRESS__

void
heap_fill_holes(void)
{
	(void)fill; /* its heap is another one */
}

#else

void
heap_fill_holes(void)
{
	/* Holes of pages go back to the kernel while they are free: taken, they have a page for each block. */
	malloc_trim(0);
	const struct mallinfo2 info = mallinfo2();
	const uintptr_t end = (uintptr_t)sbrk(0) - info.keepcost;
	size_t left = info.arena; /* fordblks leaves out what its quick lists hold */

	for (size_t size = LARGEST; size >= SMALLEST;
	     size -= size > SMALL ? STEP_LARGE : STEP_SMALL)
		fill(size, end, &left);
}

#endif
