/*
 * The operator's tool: sends one command to the daemon's control socket and shows the answer.
 *
 * Runs in: zygotectl, as the operator. It knows how to show answers, not what commands there are:
 * those are the daemon's, and `zygotectl help` asks it. Its own are `top`, which asks again and again, and
 * `call`, which is a client of a pool.
 */
#include "base/control_path.h"
#include "zygotectl/call.h"
#include "zygotectl/client.h"
#include "zygotectl/map.h"
#include "zygotectl/render.h"
#include "zygotectl/top.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code { EXIT_ANSWERED = 0, EXIT_REFUSED = 1, EXIT_UNUSABLE = 2 };

struct options {
	char control[CONTROL_PATH_MAX];
	int json;
	const char *svg; /* file that `map` is drawn into; NULL: the terminal */
};

static const char usage[] =
	"usage: zygotectl [-s SOCKET] [-j] COMMAND [ARG...]\n"
	"       zygotectl [-s SOCKET] top [-b] [-d SECONDS] [-n FRAMES]\n"
	"       zygotectl [-s SOCKET] call POOL [ADDRESS] < FILE\n"
	"  -s SOCKET  path of the daemon's control socket\n"
	"  -j         print the answer as JSON\n"
	"  -V         print the version\n"
	"  -h         print this\n"
	"with map POOL:\n"
	"  --svg FILE draw into a file\n"
	"\"zygotectl help\" asks the daemon for its commands; see zygotectl(1).\n";

static int
set_control(struct options *options, const char *path)
{
	if (strlen(path) >= sizeof(options->control)) {
		fprintf(stderr, "zygotectl: -s %s: longer than %zu bytes\n", path,
			sizeof(options->control) - 1);
		return -1;
	}
	memcpy(options->control, path, strlen(path) + 1);
	return 0;
}

/* Options end at the command. Returns its index; leaves for -h, -V and what is wrong. */
static int
parse_options(int argc, char *argv[], struct options *options)
{
	int option;

	while ((option = getopt(argc, argv, "+s:jhV")) != -1) {
		switch (option) {
		case 's':
			if (set_control(options, optarg) < 0)
				exit(EXIT_UNUSABLE);
			break;
		case 'j':
			options->json = 1;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_ANSWERED);
		case 'V':
			puts("zygotectl " ZYGOTED_VERSION);
			exit(EXIT_ANSWERED);
		default:
			fputs(usage, stderr);
			exit(EXIT_UNUSABLE);
		}
	}
	return optind;
}

/* An answer that could not be written must not pass for success. */
static int
finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fputs("zygotectl: cannot write the answer\n", stderr);
	return EXIT_UNUSABLE;
}

static int
show_answer(const struct options *options, const char *command, const char *text,
	    const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));
	int refused = !json_is_true(json_object_get(answer, "ok"));

	if (options->json)
		puts(text);
	if (refused) {
		fprintf(stderr, "zygotectl: %s\n", error ? error : "refused without a reason");
		return finish(EXIT_REFUSED);
	}
	if (options->svg)
		return map_write_svg(answer, options->svg) < 0 ? EXIT_UNUSABLE
							       : finish(EXIT_ANSWERED);
	if (!options->json && render_answer(command, answer, stdout) < 0) {
		fputs("zygotectl: out of memory\n", stderr);
		return EXIT_UNUSABLE;
	}
	return finish(EXIT_ANSWERED);
}

/* Takes "--svg FILE" out of a `map` command. The number of words left, -1 when FILE is missing. */
static int
take_svg(char *words[], int count, struct options *options)
{
	if (strcmp(words[0], "map") != 0)
		return count;
	for (int i = 1; i < count; i++) {
		if (strcmp(words[i], "--svg") != 0)
			continue;
		if (i + 1 == count)
			return -1;
		options->svg = words[i + 1];
		memmove(&words[i], &words[i + 2], (size_t)(count - i - 2) * sizeof(words[0]));
		return count - 2;
	}
	return count;
}

static int
run_command(const struct options *options, char *words[], int count)
{
	char command[CLIENT_COMMAND_MAX];
	int length = client_format_command(words, count, command);
	char *text;
	json_t *answer;
	int code;

	if (length < 0) {
		fprintf(stderr, "zygotectl: the command is too long, or a word of it is empty or "
				"has a blank or control character in it\n");
		return EXIT_UNUSABLE;
	}
	for (int i = 1; i < count; i++)
		if (strcmp(words[i], "--wait") == 0)
			client_set_wait(CLIENT_LONG_WAIT_SECONDS);
	text = client_ask(options->control, command, (size_t)length);
	if (!text)
		return EXIT_UNUSABLE;
	answer = json_loads(text, 0, NULL);
	if (json_is_object(answer)) {
		code = show_answer(options, words[0], text, answer);
	} else {
		fprintf(stderr, "zygotectl: %s does not answer like zygoted: is it its socket?\n",
			options->control);
		code = EXIT_UNUSABLE;
	}
	json_decref(answer);
	free(text);
	return code;
}

static int
run_top(const struct options *options, int argc, char *argv[])
{
	if (!options->json)
		return top_run(options->control, argc, argv);
	fputs("zygotectl: top prints no JSON: use -j with stats, pools and memory\n", stderr);
	return EXIT_UNUSABLE;
}

int
main(int argc, char *argv[])
{
	struct options options = { .json = 0 };
	int first = parse_options(argc, argv, &options);

	if (first >= argc) {
		fputs(usage, stderr);
		return EXIT_UNUSABLE;
	}
	if (!options.control[0] &&
	    control_path_default(options.control, sizeof(options.control)) < 0) {
		fputs("zygotectl: the default path of the socket is too long: name it with -s\n",
		      stderr);
		return EXIT_UNUSABLE;
	}
	if (strcmp(argv[first], "top") == 0)
		return run_top(&options, argc - first, argv + first);
	if (strcmp(argv[first], "call") == 0)
		return call_run(options.control, argc - first, argv + first);
	int count = take_svg(argv + first, argc - first, &options);
	if (count < 0) {
		fputs("zygotectl: --svg needs the name of a file\n", stderr);
		return EXIT_UNUSABLE;
	}
	return run_command(&options, argv + first, count);
}
