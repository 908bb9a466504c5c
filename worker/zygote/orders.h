/*
 * The zygote's life after its lock-down.
 */
#ifndef ZYGOTED_ZYGOTE_ORDERS_H
#define ZYGOTED_ZYGOTE_ORDERS_H

struct children;

/*
 * Takes orders from the fronts and the supervisor, forks, kills, reaps and reports. Leaves with
 * ZY_EXIT_OK when the supervisor has gone, with ZY_EXIT_ORDERS for an order that no front makes.
 * SIGCHLD must be blocked and have a handler.
 */
_Noreturn void orders_run(struct children *children);

#endif
