/*
 * What ps shows of the zygote and its children.
 */
#ifndef ZYGOTED_ZYGOTE_TITLE_H
#define ZYGOTED_ZYGOTE_TITLE_H

#include <stdbool.h>

/*
 * Moves the arguments from the process's first stack to the thread's variables, for ps and for nobody else: main's argv
 * stays where it is. From then on /proc calls the mapping with `stack` in it "[stack]". False when that cannot be done; then
 * all is as it was.
 */
bool title_move(const void *stack);

/* Where ps reads an argument of main's from. */
char *title_place(char *argument);

#endif
