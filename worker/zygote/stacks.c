/*
 * Stacks of the zygote and its children.
 *
 * Runs in: zygote. After each fork the first write to a page that both have costs a fault and a copy. The loop's frames
 * are written all the time, so they live in a mapping of their own that is not inherited (MADV_DONTFORK); a child gets
 * the process's first stack, below everything that is still of use on it: environment, auxiliary vector, main's frame.
 */
#include "stacks.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE	   4096ul
#define LOOP_STACK (16 * PAGE)
/* Load may have used so much of the first stack; what lies below stays as it is. */
#define USED_STACK (1024 * 1024ul)

static char *loop_top;

/*
 * Half a page below the place that is returned, half a page above: what a small request writes to its struct and what its
 * functions push is one page together.
 */
void *
stacks_prepare(size_t bytes)
{
	char *frame = __builtin_frame_address(0);
	char *top = frame - ((uintptr_t)frame & (PAGE - 1)) - PAGE;

	/* Fails where the stack never grew so far; its untouched part is empty anyway. */
	for (size_t below = 0; below < USED_STACK; below += PAGE)
		if (madvise(top - below - PAGE, PAGE, MADV_DONTNEED) < 0)
			break;
	return top - (bytes + PAGE - 1) / PAGE * PAGE - PAGE / 2;
}

int
stacks_open_loop(void)
{
	char *stack = mmap(NULL, PAGE + LOOP_STACK, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (stack == MAP_FAILED)
		return -1;
	if (mprotect(stack + PAGE, LOOP_STACK, PROT_READ | PROT_WRITE) < 0 ||
	    madvise(stack, PAGE + LOOP_STACK, MADV_DONTFORK) < 0)
		return -1;
	loop_top = stack + PAGE + LOOP_STACK;
	return 0;
}

void
stacks_run(void (*run)(struct children *), struct children *children)
{
	__asm__ volatile("movq %0, %%rsp\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "call *%1\n\t"
			 "hlt"
			 :
			 : "r"(loop_top), "r"(run), "D"(children)
			 : "memory");
	__builtin_unreachable();
}
