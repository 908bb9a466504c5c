/*
 * Bare system calls, as the request says: the means of the exhaustive run.
 *
 * Runs in: a child. A call is a line "HOW,NUMBER,ARG,..." with HOW S for the instruction syscall
 * and I for int 0x80. An argument is a number, "=text" for the address of a string, or one of the
 * places below. The answer has one line per call: what the kernel returned, errors negative. libc
 * is not asked: its wrappers would check, retry or fall back.
 */
#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ARGS	   6
#define LINES_SIZE 65536
#define PAGES_SIZE 16384

struct call {
	char how;
	unsigned long number;
	unsigned long args[ARGS];
};

static char scratch[65536]; /* writable, all zero until a call writes there */
static struct timespec no_time;

static long
call_syscall(const struct call *call)
{
	register unsigned long r10 __asm__("r10") = call->args[3];
	register unsigned long r8 __asm__("r8") = call->args[4];
	register unsigned long r9 __asm__("r9") = call->args[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(call->number), "D"(call->args[0]), "S"(call->args[1]),
			   "d"(call->args[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* The 32-bit entry; its sixth argument would need rbp and is left alone. */
static long
call_int80(const struct call *call)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(call->number), "b"(call->args[0]), "c"(call->args[1]),
			   "d"(call->args[2]), "S"(call->args[3]), "D"(call->args[4])
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

/* A place that a call may need: scratch, fresh pages, a time of zero, code, own pid, parent. */
static unsigned long
place(char kind)
{
	switch (kind) {
	case 'b':
		return (unsigned long)scratch;
	case 'm':
		return (unsigned long)mmap(NULL, PAGES_SIZE, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	case 't':
		return (unsigned long)&no_time;
	case 'c':
		return (unsigned long)(uintptr_t)deed_call & ~4095ul;
	case 'p':
		return (unsigned long)getpid();
	case 'P':
		return (unsigned long)getppid();
	default:
		return 0;
	}
}

static unsigned long
argument(const char *text)
{
	if (text[0] == '=')
		return (unsigned long)(text + 1);
	if (text[0] == '@')
		return place(text[1]);
	return text[0] == '-' ? (unsigned long)strtol(text, NULL, 0) : strtoul(text, NULL, 0);
}

/* Takes a line apart, which is written to; strings stay there. -1 when it is no call. */
static int
parse(char *line, struct call *call_out)
{
	const char *how = strsep(&line, ",");
	const char *number = line != NULL ? strsep(&line, ",") : NULL;

	if (number == NULL || (how[0] != 'S' && how[0] != 'I'))
		return -1;
	*call_out = (struct call){ .how = how[0], .number = argument(number) };
	for (int i = 0; i < ARGS && line != NULL; i++)
		call_out->args[i] = argument(strsep(&line, ","));
	return 0;
}

static int
run_line(struct zy_request *request, char *line)
{
	struct call call;

	if (parse(line, &call) < 0)
		return -1;
	return zy_printf(request, "%ld\n",
			 call.how == 'S' ? call_syscall(&call) : call_int80(&call));
}

int
deed_call(struct zy_request *request, const char *argument_text)
{
	static char line[8192];

	if (strlen(argument_text) >= sizeof(line) || zy_percent_decode(argument_text, line) < 0)
		return -1;
	return run_line(request, line);
}

/* The body's lines, one call each. */
int
deed_calls(struct zy_request *request, const char *argument_text)
{
	static char lines[LINES_SIZE];
	size_t size = 0, got;

	(void)argument_text;
	while (size < sizeof(lines) - 1 &&
	       (got = zy_read(request, lines + size, sizeof(lines) - 1 - size)) > 0)
		size += got;
	for (char *rest = lines; rest != NULL && rest[0] != '\0';)
		if (run_line(request, strsep(&rest, "\n")) != 0)
			return -1;
	return 0;
}
