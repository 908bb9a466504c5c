/*
 * zygoted --doctor: what the daemon rests on, tried out on this machine and its kernel.
 */
#ifndef ZYGOTED_DOCTOR_DOCTOR_H
#define ZYGOTED_DOCTOR_DOCTOR_H

#define DOCTOR_OPTION "--doctor"

/*
 * The program that `zygoted --doctor [-j]` is; argv[0] is the option. Performs every experiment,
 * prints a table, or with -j a JSON object, and returns the exit status: 0, or 1 when something
 * fails that the daemon relies on, or the output could not be written; 2 for a wrong command line.
 */
int doctor_main(int argc, char **argv);

#endif
