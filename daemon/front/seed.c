/*
 * Random bytes from getrandom(2), fetched a page at a time and wiped as they are handed out.
 *
 * Runs in: front, which never forks: the buffer cannot be duplicated.
 */
#include "front/seed.h"

#include <string.h>
#include <sys/random.h>

static unsigned char stock[4096];
static size_t left;

bool
seed_take(void *out, size_t size)
{
	if (size > sizeof(stock))
		return false;
	if (left < size) {
		if (getrandom(stock, sizeof(stock), 0) != (ssize_t)sizeof(stock))
			return false;
		left = sizeof(stock);
	}
	left -= size;
	memcpy(out, stock + left, size);
	explicit_bzero(stock + left, size);
	return true;
}
