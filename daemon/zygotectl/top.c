/*
 * The loop of `zygotectl top`: read, show, wait.
 *
 * Runs in: zygotectl. It asks two commands for each frame, and `memory`, which forks a child in each
 * pool, every 10 seconds only.
 */
#include "zygotectl/top.h"

#include "zygotectl/client.h"
#include "zygotectl/top_figures.h"
#include "zygotectl/top_screen.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_SECONDS 10.0
#define DELAY_MIN      0.1
#define DELAY_MAX      3600.0

enum { TOP_OK = 0, TOP_REFUSED = 1, TOP_UNUSABLE = 2 };

struct top {
	const char *control;
	double delay;
	unsigned long frames; /* to show; 0: no end */
	bool batch;
	bool paused;
	enum top_sort sort;
	double read_at; /* when `now` was read */
	double memory_at;
	double seconds; /* between `before` and `now` */
	json_t *before;
	json_t *now;
	json_t *pools;
	json_t *memory;
};

static const char usage[] = "usage: zygotectl top [-b] [-d SECONDS] [-n FRAMES]\n"
			    "  -b          print frames as text instead of using the terminal\n"
			    "  -d SECONDS  between frames, 0.1 to 3600; 1 unless said\n"
			    "  -n FRAMES   end after so many\n";

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- command line ---- */

static int
parse_delay(const char *text, double *delay_out)
{
	char *end;

	errno = 0;
	*delay_out = strtod(text, &end);
	return *text != '\0' && *end == '\0' && errno == 0 && *delay_out >= DELAY_MIN &&
			       *delay_out <= DELAY_MAX
		       ? 0
		       : -1;
}

static int
parse_frames(const char *text, unsigned long *frames_out)
{
	char *end;

	errno = 0;
	*frames_out = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *frames_out > 0 ? 0
											     : -1;
}

static int
parse_options(int argc, char *argv[], struct top *top)
{
	int option;
	int result = 0;

	optind = 0; /* glibc: begin anew, with another argv */
	while (result == 0 && (option = getopt(argc, argv, "+bd:n:")) != -1) {
		if (option == 'b')
			top->batch = true;
		else if (option == 'd')
			result = parse_delay(optarg, &top->delay);
		else if (option == 'n')
			result = parse_frames(optarg, &top->frames);
		else
			result = -1;
	}
	if (result == 0 && optind == argc)
		return 0;
	fputs(usage, stderr);
	return -1;
}

/* ---- reading ---- */

/* The answer as a new reference in *answer_out, whose old one is dropped. */
static int
ask(const struct top *top, const char *line, json_t **answer_out)
{
	char *text = client_ask(top->control, line, strlen(line));
	json_t *answer;
	const char *error;

	if (!text)
		return TOP_UNUSABLE;
	answer = json_loads(text, 0, NULL);
	free(text);
	if (!json_is_object(answer)) {
		fprintf(stderr, "zygotectl: %s does not answer like zygoted: is it its socket?\n",
			top->control);
		json_decref(answer);
		return TOP_UNUSABLE;
	}
	if (!json_is_true(json_object_get(answer, "ok"))) {
		error = json_string_value(json_object_get(answer, "error"));
		fprintf(stderr, "zygotectl: %s\n", error ? error : "refused without a reason");
		json_decref(answer);
		return TOP_REFUSED;
	}
	json_decref(*answer_out);
	*answer_out = answer;
	return TOP_OK;
}

/*
 * A front that restarts, or a measurement of somebody else's, is no reason to end: what was known
 * stays on the screen until the next reading.
 */
static int
read_all(struct top *top)
{
	json_t *stats = NULL;
	const double at = seconds_now();
	int code = ask(top, "stats\n", &stats);

	if (code == TOP_OK) {
		json_decref(top->before);
		top->before = top->now;
		top->now = stats;
		top->seconds = at - top->read_at;
		top->read_at = at;
	}
	if (code != TOP_UNUSABLE)
		code = ask(top, "pools\n", &top->pools);
	if (code != TOP_UNUSABLE && at - top->memory_at >= MEMORY_SECONDS) {
		top->memory_at = at;
		code = ask(top, "memory\n", &top->memory);
	}
	return code;
}

/* ---- showing ---- */

static char *
print_frame(const struct top *top)
{
	const struct top_reading now = { top->now, top->pools, top->memory };
	struct top_frame frame;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int result;

	if (!out)
		return NULL;
	top_figures_make(top->before, &now, top->seconds, &frame);
	top_figures_sort(&frame, top->sort);
	result = top_figures_print(&frame, out);
	if (fclose(out) == 0 && result == 0)
		return text;
	free(text);
	return NULL;
}

static void
draw(const struct top *top)
{
	char *text = print_frame(top);
	char keys[128];

	snprintf(keys, sizeof(keys), "q quit  p %s  s sort by: %s",
		 top->paused ? "go on (paused)" : "pause", top_sort_name(top->sort));
	top_screen_draw(text ? text : "out of memory\n", keys);
	free(text);
}

/* Shows the frame until the next one is due. True: the operator has seen enough. */
static bool
show_and_wait(struct top *top)
{
	const double until = seconds_now() + top->delay;

	for (;;) {
		const double left = until - seconds_now();
		draw(top);
		if (left <= 0 && !top->paused)
			return false;
		const int key = top_screen_key(top->paused ? -1 : (int)ceil(left * 1000));
		if (key == 'q')
			return true;
		if (key == 'p')
			top->paused = !top->paused;
		if (key == 's')
			top->sort = (top->sort + 1) % TOP_SORT_MAX;
		/* No key before its time: the terminal is gone. */
		if (key < 0)
			return top->paused || until - seconds_now() > 0.05;
	}
}

static int
run_screen(struct top *top)
{
	int code = TOP_OK;

	if (top_screen_open() < 0)
		return TOP_UNUSABLE;
	for (unsigned long shown = 0; top->frames == 0 || shown < top->frames; shown++) {
		code = read_all(top);
		if (code == TOP_UNUSABLE || (code != TOP_OK && shown == 0) || show_and_wait(top))
			break;
	}
	top_screen_close();
	return code;
}

static void
wait_for(double seconds)
{
	struct timespec left = { .tv_sec = (time_t)seconds };

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* A first reading, then a frame after each delay: so that all of them have rates. */
static int
run_batch(struct top *top)
{
	int code = read_all(top);

	for (unsigned long shown = 0; code == TOP_OK && (top->frames == 0 || shown < top->frames);
	     shown++) {
		wait_for(top->delay);
		code = read_all(top);
		char *text = code == TOP_OK ? print_frame(top) : NULL;
		if (text)
			printf("%s%s", shown > 0 ? "\n" : "", text);
		free(text);
		if (fflush(stdout) != 0) {
			fputs("zygotectl: cannot write the figures\n", stderr);
			return TOP_UNUSABLE;
		}
	}
	return code;
}

int
top_run(const char *control, int argc, char *argv[])
{
	struct top top = { .control = control, .delay = 1, .memory_at = -MEMORY_SECONDS };
	int code;

	if (parse_options(argc, argv, &top) < 0)
		return TOP_UNUSABLE;
	code = top.batch ? run_batch(&top) : run_screen(&top);
	json_decref(top.before);
	json_decref(top.now);
	json_decref(top.pools);
	json_decref(top.memory);
	return code;
}
