/*
 * The C library's heap, made ready for forks.
 */
#ifndef ZYGOTED_PYTHON_HEAP_H
#define ZYGOTED_PYTHON_HEAP_H

/*
 * Takes the free blocks between those that load has left, for good, so that what libraries allocate in a child comes from the heap's end: a
 * few pages that nobody has, and not one here and there that has to be copied.
 */
void heap_fill_holes(void);

#endif
