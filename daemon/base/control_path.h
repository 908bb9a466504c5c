/*
 * Where the control socket is when nobody says otherwise: one rule for the daemon that makes it and
 * for the tool that looks for it. The answer depends on the effective user alone, so both find the
 * same path when the same user runs them.
 */
#ifndef ZYGOTED_BASE_CONTROL_PATH_H
#define ZYGOTED_BASE_CONTROL_PATH_H

#include <stddef.h>

#define CONTROL_PATH_MAX 108 /* sun_path of unix(7), with the final NUL */

/*
 * Writes the default path: /run/zygoted/control.sock for root; for others
 * $XDG_RUNTIME_DIR/zygoted.sock when that variable holds an absolute path,
 * /tmp/zygoted-UID/control.sock when not. 0, or -1 with errno ENAMETOOLONG when it does not fit.
 * Does not look at the file system.
 */
int control_path_default(char *out, size_t size) __attribute__((warn_unused_result));

#endif
