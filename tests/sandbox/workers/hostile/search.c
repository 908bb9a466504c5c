/*
 * Searching all memory that this process can find for bytes that belong to somebody else.
 *
 * Runs in: a child. There is no /proc to ask, so pages are found as an attacker would: by a system
 * call that reads from an address and says EFAULT where there is nothing, around every address that
 * is known. The bytes wanted come in complement, or the request itself would be a finding.
 */
#include "hostile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE	   4096ul
#define WINDOW	   (96ul << 20) /* to either side of a known address */
#define NEEDLE_MAX 64
#define ANCHORS	   8

struct search {
	unsigned char wanted[NEEDLE_MAX]; /* complement */
	size_t length;
	unsigned long done[ANCHORS][2]; /* windows that have been looked at */
	int windows;
	unsigned long pages;
	unsigned long found;
};

/* rt_sigprocmask reads its set before it looks at the operation, and ours is none: EINVAL. */
static int
is_readable(unsigned long address)
{
	return syscall(SYS_rt_sigprocmask, -1, address, NULL, 8) < 0 && errno == EINVAL;
}

static int
is_wanted(const struct search *search, const volatile unsigned char *at)
{
	for (size_t i = 0; i < search->length; i++) {
		const unsigned char complement = (unsigned char)~at[i];
		if (complement != search->wanted[i])
			return 0;
	}
	return 1;
}

static const volatile unsigned char *
bytes_at(unsigned long address)
{
	const volatile unsigned char *bytes;

	memcpy(&bytes, &address, sizeof(bytes));
	return bytes;
}

/* What straddles two pages is found when both are there. */
static void
search_page(struct search *search, unsigned long page)
{
	const unsigned char first = (unsigned char)~search->wanted[0];
	unsigned long last = PAGE - search->length;

	if (is_readable(page + PAGE))
		last = PAGE - 1;
	search->pages++;
	for (unsigned long i = 0; i <= last; i++) {
		const volatile unsigned char *at = bytes_at(page + i);
		if (*at == first && is_wanted(search, at))
			search->found++;
	}
}

static int
is_done(const struct search *search, unsigned long page)
{
	for (int i = 0; i < search->windows; i++)
		if (page >= search->done[i][0] && page < search->done[i][1])
			return 1;
	return 0;
}

static void
search_around(struct search *search, unsigned long anchor)
{
	const unsigned long begin = (anchor - WINDOW) & ~(PAGE - 1);
	const unsigned long end = (anchor + WINDOW) & ~(PAGE - 1);

	for (unsigned long page = begin; page < end; page += PAGE)
		if (!is_done(search, page) && is_readable(page))
			search_page(search, page);
	search->done[search->windows][0] = begin;
	search->done[search->windows][1] = end;
	search->windows++;
}

static int
parse(const char *text, struct search *search)
{
	for (; text[0] != '\0' && text[1] != '\0' && search->length < NEEDLE_MAX; text += 2) {
		const char digits[3] = { text[0], text[1], '\0' };
		search->wanted[search->length++] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return search->length >= 8 ? 0 : -1;
}

/* The argument is the complement in hexadecimal. */
int
deed_search(struct zy_request *request, const char *argument)
{
	static struct search search;
	void *fresh = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static void *heap;
	int on_stack = 0;

	heap = malloc(64);
	if (parse(argument, &search) < 0 || fresh == MAP_FAILED || heap == NULL)
		return -1;
	search_around(&search, (unsigned long)&on_stack);
	search_around(&search, (unsigned long)(uintptr_t)printf);
	search_around(&search, (unsigned long)(uintptr_t)zy_printf);
	search_around(&search, (unsigned long)&search);
	search_around(&search, (unsigned long)heap);
	search_around(&search, (unsigned long)fresh);
	search_around(&search, getauxval(AT_SYSINFO_EHDR));
	return zy_printf(request, "found %lu pages %lu\n", search.found, search.pages);
}
