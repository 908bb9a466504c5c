/*
 * System calls without the C library's wrappers, for a child's path from fork to exit. Each wrapper lies in a page of the
 * library's text, which every child would have to map by a fault of its own; and they write errno.
 */
#ifndef ZYGOTED_ZYGOTE_SYS_H
#define ZYGOTED_ZYGOTE_SYS_H

#include <sys/syscall.h>

/* The kernel's result: -errno on failure. x86-64 convention, syscall(2). */
static inline long
sys_call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long
sys_call5(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

static inline _Noreturn void
sys_exit(int code)
{
	for (;;)
		sys_call(SYS_exit_group, code, 0, 0, 0);
}

#endif
