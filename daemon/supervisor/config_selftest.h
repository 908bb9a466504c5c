/*
 * The request of a pool's `selftest`. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_CONFIG_SELFTEST_H
#define ZYGOTED_SUPERVISOR_CONFIG_SELFTEST_H

struct config_pool;
struct heritage_selftest;

/*
 * Takes apart pool->selftest, which may be "": then the method is. NULL, or what is wrong with it as the end of a
 * sentence; the output is all zero then.
 */
const char *config_selftest_parse(const struct config_pool *pool,
				  struct heritage_selftest *selftest_out);

#endif
