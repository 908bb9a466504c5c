/*
 * A child's pages, touched before its request comes: base/prefault_table.h.
 */
#ifndef ZYGOTED_ZYGOTE_PREFAULT_H
#define ZYGOTED_ZYGOTE_PREFAULT_H

#include "base/heritage.h"

struct prefault_table;

/* The zygote's mapping of its table; NULL when the pool has none. Closes the descriptor. Ends the zygote when that fails. */
const struct prefault_table *prefault_map(const struct heritage_zygote *heritage);

/* A child's: populates what the table says. Has no effect but on its own memory and time. */
void prefault_run(const struct prefault_table *table);

#endif
