/*
 * One executable, three roles: the supervisor, the front that it starts by executing itself again,
 * and the doctor, which has nothing to do with either.
 *
 * Runs in: supervisor, front, doctor. The front's role is told by argv[0], which an operator's shell
 * sets to a path and only the supervisor sets to FRONT_TITLE; a front started by hand ends at once
 * because it inherits no heritage.
 */
#include "doctor/doctor.h"
#include "front/front.h"
#include "supervisor/supervisor.h"

#include <string.h>
#include <sys/prctl.h>

int
main(int argc, char **argv)
{
	if (argc == 1 && strncmp(argv[0], FRONT_TITLE, strlen(FRONT_TITLE)) == 0) {
		prctl(PR_SET_NAME, FRONT_TITLE); /* exec of /proc/self/exe left "exe" in ps -c */
		front_run();
	}
	if (argc > 1 && strcmp(argv[1], DOCTOR_OPTION) == 0)
		return doctor_main(argc - 1, argv + 1);
	return supervisor_main(argc, argv);
}
