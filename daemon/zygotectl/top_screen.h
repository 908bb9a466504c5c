/*
 * The terminal of `zygotectl top`: the only file that knows ncurses.
 */
#ifndef ZYGOTED_ZYGOTECTL_TOP_SCREEN_H
#define ZYGOTED_ZYGOTECTL_TOP_SCREEN_H

/*
 * Takes over the terminal; messages to stderr are kept until it is given back. 0, or -1 after one
 * that says what to do.
 */
int top_screen_open(void) __attribute__((warn_unused_result));

/* Gives it back, and shows what was kept. */
void top_screen_close(void);

/* Shows lines of text, cut to the window, and below them one in reverse. */
void top_screen_draw(const char *text, const char *last_line);

/* Waits for a key, or a new size of the window; `wait_ms` < 0: as long as it takes. The key, or -1
 * when none came. */
int top_screen_key(int wait_ms);

#endif
