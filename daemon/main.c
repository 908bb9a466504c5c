/*
 * One executable, two roles: the supervisor, and the front that it starts by executing itself
 * again.
 *
 * Runs in: supervisor, front. The role is told by argv[0], which an operator's shell sets to a path
 * and only the supervisor sets to FRONT_TITLE; a front started by hand ends at once because it
 * inherits no heritage.
 */
#include "front/front.h"
#include "supervisor/supervisor.h"

#include <string.h>
#include <sys/prctl.h>

int
main(int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], FRONT_TITLE) == 0) {
		prctl(PR_SET_NAME, FRONT_TITLE); /* exec of /proc/self/exe left "exe" in ps -c */
		front_run();
	}
	return supervisor_main(argc, argv);
}
