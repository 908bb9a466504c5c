/*
 * ncurses.
 *
 * Runs in: zygotectl. Whatever was written to stderr while the screen was ours comes out afterwards:
 * an error must not vanish with the alternate screen.
 */
#include "zygotectl/top_screen.h"

#include <curses.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
	SCREEN *screen;
	int stderr_fd; /* the real one */
	int kept_fd;   /* what stands in for it */
} state = { .stderr_fd = -1, .kept_fd = -1 };

static void
keep_messages(void)
{
	state.stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	state.kept_fd = memfd_create("messages", MFD_CLOEXEC);
	if (state.stderr_fd >= 0 && state.kept_fd >= 0)
		(void)dup2(state.kept_fd, STDERR_FILENO);
}

static void
show_messages(void)
{
	char text[1024];
	ssize_t length;

	if (state.stderr_fd < 0 || state.kept_fd < 0)
		return;
	(void)dup2(state.stderr_fd, STDERR_FILENO);
	if (lseek(state.kept_fd, 0, SEEK_SET) == 0)
		while ((length = read(state.kept_fd, text, sizeof(text))) > 0)
			fwrite(text, 1, (size_t)length, stderr);
	close(state.stderr_fd);
	close(state.kept_fd);
	state.stderr_fd = state.kept_fd = -1;
}

int
top_screen_open(void)
{
	const char *type = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		fputs("zygotectl: top needs a terminal: use top -b to print its figures\n", stderr);
		return -1;
	}
	setlocale(LC_ALL, "");
	state.screen = newterm(NULL, stdout, stdin);
	if (!state.screen) {
		fprintf(stderr,
			"zygotectl: the terminal \"%.40s\" is not known: set TERM, or use top -b\n",
			type ? type : "");
		return -1;
	}
	keep_messages();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	return 0;
}

void
top_screen_close(void)
{
	if (!state.screen)
		return;
	endwin();
	delscreen(state.screen);
	state.screen = NULL;
	show_messages();
}

void
top_screen_draw(const char *text, const char *last_line)
{
	const int height = getmaxy(stdscr);
	const int width = getmaxx(stdscr);

	erase();
	for (int y = 0; *text != '\0' && y + 1 < height; y++) {
		const size_t length = strcspn(text, "\n");
		mvaddnstr(y, 0, text, length < (size_t)width ? (int)length : width);
		text += length + (text[length] == '\n');
	}
	attron(A_REVERSE);
	mvprintw(height - 1, 0, "%-*.*s", width - 1, width - 1, last_line);
	attroff(A_REVERSE);
	refresh();
}

int
top_screen_key(int wait_ms)
{
	int key;

	timeout(wait_ms);
	key = getch();
	return key == ERR ? -1 : key;
}
