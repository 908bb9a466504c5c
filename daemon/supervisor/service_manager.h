/*
 * What the daemon tells the service manager that started it, by the protocol of sd_notify(3):
 * readiness, state, signs of life. Without a service manager nothing here has an effect.
 */
#ifndef ZYGOTED_SUPERVISOR_SERVICE_MANAGER_H
#define ZYGOTED_SUPERVISOR_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

struct msg_healthy;
struct service_manager;
struct supervisor;
struct zygote_generation;

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment. NULL
 * when out of memory. Needs the event loop.
 */
struct service_manager *service_manager_open(struct supervisor *supervisor);
void service_manager_close(struct service_manager *manager);

/* A pool or a front has become ready: says READY=1 when all are, once. */
void service_manager_on_ready(struct service_manager *manager);

/* It was said. */
bool service_manager_is_ready(const struct service_manager *manager);

/* Before that: what it waits for. */
void service_manager_on_pool_failed(const struct service_manager *manager, const char *pool,
				    const char *error);

/* The daemon stops; `timeout_ms` is how long that may take. */
void service_manager_on_stopping(struct service_manager *manager, uint32_t timeout_ms);

/* A reload begins, and ends. `error`: NULL, or why it came to nothing. */
void service_manager_on_reloading(struct service_manager *manager);
void service_manager_on_reloaded(struct service_manager *manager, const char *error);

/* A zygote's answer to the question of this round. */
void service_manager_on_healthy(struct zygote_generation *generation,
				const struct msg_healthy *message);

#endif
