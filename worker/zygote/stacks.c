/*
 * Stacks of the zygote and its children.
 *
 * Runs in: zygote. After each fork the first write to a page that both have costs a fault and a copy. The loop's frames
 * are written all the time, so they live in a mapping of their own that is not inherited (MADV_DONTFORK). A child gets a
 * stack beside the libraries: the process's first one is at the other end of the address space, where every child needed two
 * pages of page tables for it. That one moves aside: aside.c.
 */
#include "stacks.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE	    4096ul
#define LOOP_STACK  (64 * PAGE)
#define CHILD_STACK (8ul << 20) /* as limits.c has it for the first one */
/* What the kernel keeps free below a stack (stack_guard_gap): a large frame is not to step over it. */
#define CHILD_GUARD (256 * PAGE)
/* Load may have used so much of the first stack; what lies below stays as it is. */
#define USED_STACK (1024 * 1024ul)

static char *loop_bottom;

/* Readable and writable, between memory that is neither, so that it never becomes one mapping with anything else. NULL. */
static char *
map_stack(size_t below, size_t bytes, size_t above)
{
	char *memory = mmap(NULL, below + bytes + above, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	/* One page is used of most: no huge one. Kernels without them refuse. */
	(void)madvise(memory, below + bytes + above, MADV_NOHUGEPAGE);
	if (mprotect(memory + below, bytes, PROT_READ | PROT_WRITE) < 0)
		return NULL;
	return memory + below;
}

/* Fails where the stack never grew so far; its untouched part is empty anyway. */
static void
empty_first_stack(char *top)
{
	for (size_t below = 0; below < USED_STACK; below += PAGE)
		if (madvise(top - below - PAGE, PAGE, MADV_DONTNEED) < 0)
			break;
}

/* Its upper end, or NULL. A sanitizer knows of the first stack only, so children stay on that: `first` is free. */
static char *
make_child_stack(char *first)
{
#ifdef __SANITIZE_ADDRESS__
	return first;
#else
	char *stack = map_stack(CHILD_GUARD, CHILD_STACK, 0);

	(void)first;
	return stack != NULL ? stack + CHILD_STACK : NULL;
#endif
}

/*
 * Half a page below the place that is returned, half a page above: what a small request writes to its struct and what its
 * functions push is one page together.
 */
void *
stacks_prepare(size_t bytes)
{
	char *frame = __builtin_frame_address(0);
	char *first = frame - ((uintptr_t)frame & (PAGE - 1)) - PAGE;
	char *top = make_child_stack(first);

	if (top == NULL)
		return NULL;
	empty_first_stack(first);
	return top - (bytes + PAGE - 1) / PAGE * PAGE - PAGE / 2;
}

int
stacks_open_loop(void)
{
	loop_bottom = map_stack(PAGE, LOOP_STACK, PAGE);
	if (loop_bottom == NULL)
		return -1;
	return madvise(loop_bottom - PAGE, PAGE + LOOP_STACK + PAGE, MADV_DONTFORK);
}

void
stacks_run(void (*run)(struct children *), struct children *children)
{
	__asm__ volatile("movq %0, %%rsp\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "call *%1\n\t"
			 "hlt"
			 :
			 : "r"(loop_bottom + LOOP_STACK), "r"(run), "D"(children)
			 : "memory");
	__builtin_unreachable();
}
