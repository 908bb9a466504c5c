/*
 * The policy table as text, for people and for tests: `zygoted -x policy`.
 */
#ifndef ZYGOTED_SUPERVISOR_POLICY_PRINT_H
#define ZYGOTED_SUPERVISOR_POLICY_PRINT_H

#include <stdio.h>

/*
 * Writes one line for each row, in the order of the table, with seven columns between tabs:
 *
 *	profile  call  number  arguments  action  errno  reason
 *
 * `arguments` is "-", or tests with a space between them, all of which have to pass, on the low 32
 * bits of an argument: "a0=0x3", "a2&0x4=0x0", "a2&0x3!=0x0", "a1=0x4..0xc" (both ends included).
 * `action` is allow, errno or kill; `errno` is a number, 0 for the other actions. A first line
 * starts with '#' and names the columns. Calls without a row kill the process. -1 when a call of
 * the table has no number on this machine, else 0.
 */
int policy_print(FILE *out) __attribute__((warn_unused_result));

#endif
