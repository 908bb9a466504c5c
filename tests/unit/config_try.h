/*
 * For tests of the configuration: a directory with workers that are empty files, and reading a text
 * as if it were a file.
 */
#ifndef TESTS_UNIT_CONFIG_TRY_H
#define TESTS_UNIT_CONFIG_TRY_H

#include "supervisor/config.h"

#define LISTEN	      "listen \"web\" { address = \"127.0.0.1:8080\" }\n"
#define POOL	      "pool \"a\" { worker = \"echo\" routes = {\"/\"} }\n"
#define IN_POOL(keys) LISTEN "pool \"a\" { worker = \"echo\" routes = {\"/\"}\n" keys "\n}\n"

extern char config_try_directory[];

/* Set-up and tear-down of a group of tests. */
int config_try_init(void **state);
int config_try_fini(void **state);

void config_try_write(const char *path, const char *before, const char *text);

/*
 * Reads `text` behind a first line that says where workers and program are. NULL when it is
 * refused. What was complained about is in *errors_out, the caller's to free.
 */
struct config *config_try(const char *text, char **errors_out);

/* The same; refused: the test fails. */
struct config *config_try_good(const char *text);

#endif
