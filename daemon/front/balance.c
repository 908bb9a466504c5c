/*
 * Who accepts next.
 *
 * All fronts that are not busy wake up for a connection, and the same one tends to be the fastest each time: it would have them all.
 * EPOLLEXCLUSIVE (epoll_ctl(2)) promises nothing about who is woken, and libevent 2.1 does not offer it. SO_REUSEPORT would spread
 * them, but what waits for a front that dies would wait for the next one.
 *
 * Runs in: front. Other fronts write the board: whatever they write, the worst is that this one accepts a moment later than it
 * could (listener.c bounds it).
 */
#include "front/balance.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

int
balance_open(struct balance *balance, const struct heritage_front *heritage)
{
	void *board = MAP_FAILED;

	balance->front = heritage->front;
	balance->fronts = heritage->fronts;
	if (heritage->fronts > 1) {
		board = mmap(NULL, sizeof(*balance->board), PROT_READ | PROT_WRITE, MAP_SHARED,
			     FRONT_BOARD_FD, 0);
		if (board == MAP_FAILED)
			return -1;
		balance->board = board;
		balance_set(balance, 0);
	}
	close(FRONT_BOARD_FD);
	return 0;
}

void
balance_set(const struct balance *balance, uint32_t connections)
{
	if (balance->board != NULL)
		__atomic_store_n(&balance->board->connections[balance->front], connections,
				 __ATOMIC_RELAXED);
}

bool
balance_is_ahead(const struct balance *balance, uint32_t connections)
{
	for (uint32_t i = 0; balance->board != NULL && i < balance->fronts; i++) {
		const uint32_t others =
			__atomic_load_n(&balance->board->connections[i], __ATOMIC_RELAXED);
		if (i != balance->front && connections > 1 &&
		    others < connections - 1 - connections / 8)
			return true;
	}
	return false;
}
