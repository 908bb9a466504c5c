/*
 * Experiments with namespaces, and with the root directory that a mount namespace allows.
 */
#ifndef ZYGOTED_DOCTOR_NAMESPACES_H
#define ZYGOTED_DOCTOR_NAMESPACES_H

struct finding;

/*
 * Makes namespaces for this process (CLONE_NEW* flags). With a user namespace among them the user
 * and group are mapped to themselves. 0, or -1 with errno.
 */
int namespaces_enter(int flags) __attribute__((warn_unused_result));

void namespaces_run_user(struct finding *finding);
void namespaces_run_pid(struct finding *finding);
void namespaces_run_net(struct finding *finding);
void namespaces_run_ipc(struct finding *finding);
void namespaces_run_uts(struct finding *finding);
void namespaces_run_mount(struct finding *finding);
void namespaces_run_root(struct finding *finding);

#endif
