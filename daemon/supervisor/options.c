/*
 * The command line of zygoted.
 *
 * Runs in: supervisor, before anything is opened or started. What it prints is for people at a
 * terminal.
 */
#include "supervisor/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/config.h"
#include "supervisor/policy_print.h"
#include "supervisor/tls_files.h"

#define DEFAULT_CONFIG "/etc/zygoted/zygoted.conf"

enum options_mode { MODE_RUN, MODE_CHECK, MODE_PRINT };

static const char usage[] = "usage: zygoted [-c FILE] [-t | -T]\n"
			    "       zygoted -x policy\n"
			    "       zygoted --doctor [-j]\n"
			    "       zygoted -V | -h\n"
			    "\n"
			    "  -c FILE  configuration (default " DEFAULT_CONFIG ")\n"
			    "  -t       check the configuration and exit\n"
			    "  -T       print the effective configuration and exit\n"
			    "  -x WHAT  print a built-in table and exit: policy\n"
			    "  -V       print the version and exit\n"
			    "  --doctor try out fork, copy-on-write and the sandbox on this\n"
			    "           machine, print a table (-j: JSON) and exit\n"
			    "  -h       print this help and exit\n"
			    "\n"
			    "zygoted stays in the foreground and logs to standard error.\n";

/* What was printed must have arrived: -T may be redirected to a full disk. */
static _Noreturn void
exit_after_printing(void)
{
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static _Noreturn void
exit_with_usage(void)
{
	fputs(usage, stderr);
	exit(2);
}

static _Noreturn void
print_table(const char *what)
{
	if (strcmp(what, "policy") != 0)
		exit_with_usage();
	if (policy_print(stdout) < 0) {
		fputs("zygoted: the policy names a system call that is not known here\n", stderr);
		exit(1);
	}
	exit_after_printing();
}

static enum options_mode
parse(int argc, char **argv, const char **file_out)
{
	enum options_mode mode = MODE_RUN;
	int option;

	while ((option = getopt(argc, argv, "c:tTx:Vh")) != -1) {
		switch (option) {
		case 'c':
			*file_out = optarg;
			break;
		case 't':
			mode = MODE_CHECK;
			break;
		case 'T':
			mode = MODE_PRINT;
			break;
		case 'x':
			print_table(optarg);
		case 'V':
			puts("zygoted " ZYGOTED_VERSION);
			exit_after_printing();
		case 'h':
			fputs(usage, stdout);
			exit_after_printing();
		default:
			exit_with_usage();
		}
	}
	if (optind != argc)
		exit_with_usage();
	return mode;
}

struct tls_files *
options_read_certificates(const struct config *config)
{
	static struct config_errors errors;
	struct tls_files *files;

	if (tls_files_read(config, &errors, &files) == 0)
		return files;
	config_errors_print(&errors, config->file, stderr);
	exit(1);
}

struct config *
options_read(int argc, char **argv)
{
	const char *file = DEFAULT_CONFIG;
	const enum options_mode mode = parse(argc, argv, &file);
	struct config *config;

	if (config_read(file, stderr, &config) < 0)
		exit(1);
	if (mode == MODE_RUN)
		return config;
	if (mode == MODE_CHECK)
		tls_files_free(options_read_certificates(config));
	if (mode == MODE_CHECK)
		printf("%s: configuration is good\n", file);
	else
		config_print(config, stdout);
	config_free(config);
	exit_after_printing();
}
