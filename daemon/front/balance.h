/*
 * Fairness among fronts that accept from the same sockets: who has more connections than another lets that one go first.
 */
#ifndef ZYGOTED_FRONT_BALANCE_H
#define ZYGOTED_FRONT_BALANCE_H

#include "base/heritage.h"

#include <stdbool.h>

struct balance {
	struct front_board *board; /* NULL: there are no others */
	uint32_t front;
	uint32_t fronts;
};

/* Maps FRONT_BOARD_FD and closes it; before the lock-down. 0, or -1 with errno. */
int balance_open(struct balance *balance, const struct heritage_front *heritage)
	__attribute__((warn_unused_result));

/* Says how many connections this front has. */
void balance_set(const struct balance *balance, uint32_t connections);

/* Whether another front has clearly fewer: by an eighth, and by two. */
bool balance_is_ahead(const struct balance *balance, uint32_t connections);

#endif
