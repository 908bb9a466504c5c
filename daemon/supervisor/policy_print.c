/*
 * Prints the policy table.
 *
 * Runs in: supervisor, for `-x policy`; nothing is started then. The tests of the sandbox derive
 * what must happen from this text, so it holds all that a row says, and nothing that a row does not
 * say.
 */
#include "supervisor/policy_print.h"

#include "supervisor/policy.h"
#include "supervisor/policy_compile.h"

static const char *const actions[] = {
	[POLICY_ALLOW] = "allow",
	[POLICY_ERRNO] = "errno",
	[POLICY_KILL] = "kill",
};
_Static_assert(sizeof(actions) / sizeof(actions[0]) == POLICY_ACTION_MAX, "a name per action");

static void
print_argument(const struct policy_arg *arg, FILE *out)
{
	switch (arg->test) {
	case POLICY_EQ:
		fprintf(out, "a%u=0x%x", arg->index, arg->value);
		break;
	case POLICY_MASKED_EQ:
		fprintf(out, "a%u&0x%x=0x%x", arg->index, arg->mask, arg->value);
		break;
	case POLICY_MASKED_NE:
		fprintf(out, "a%u&0x%x!=0x%x", arg->index, arg->mask, arg->value);
		break;
	default:
		fprintf(out, "a%u=0x%x..0x%x", arg->index, arg->mask, arg->value);
		break;
	}
}

static void
print_arguments(const struct policy_row *row, FILE *out)
{
	if (row->args[0].test == POLICY_ANY)
		fputc('-', out);
	for (int i = 0; i < POLICY_ARGS_MAX && row->args[i].test != POLICY_ANY; i++) {
		if (i > 0)
			fputc(' ', out);
		print_argument(&row->args[i], out);
	}
}

int
policy_print(FILE *out)
{
	size_t count;
	const struct policy_row *rows = policy_rows(&count);

	fputs("#profile\tcall\tnumber\targuments\taction\terrno\treason\n", out);
	for (size_t i = 0; i < count; i++) {
		const int number = policy_call_number(rows[i].call);
		if (number < 0)
			return -1;
		fprintf(out, "%s\t%s\t%d\t", rows[i].profile, rows[i].call, number);
		print_arguments(&rows[i], out);
		fprintf(out, "\t%s\t%u\t%s\n", actions[rows[i].action], rows[i].error,
			rows[i].reason);
	}
	return 0;
}
