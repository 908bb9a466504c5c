/*
 * A small machine: accumulator, index register, 16 words of scratch memory, forward jumps only.
 *
 * Runs in: unit tests. Trusts nobody; an instruction that it does not know is an error, never
 * skipped.
 */
#include "bpf.h"

#include <string.h>

struct machine {
	uint32_t accumulator;
	uint32_t index;
	uint32_t memory[BPF_MEMWORDS];
	const struct seccomp_data *call;
};

static int
load(struct machine *machine, const struct sock_filter *step)
{
	switch (BPF_MODE(step->code)) {
	case BPF_ABS:
		if (step->k % 4 != 0 || step->k + 4 > sizeof(*machine->call))
			return -1;
		memcpy(&machine->accumulator, (const char *)machine->call + step->k, 4);
		return 0;
	case BPF_IMM:
		machine->accumulator = step->k;
		return 0;
	case BPF_MEM:
		if (step->k >= BPF_MEMWORDS)
			return -1;
		machine->accumulator = machine->memory[step->k];
		return 0;
	default:
		return -1;
	}
}

static int
compute(struct machine *machine, const struct sock_filter *step)
{
	uint32_t operand = BPF_SRC(step->code) == BPF_X ? machine->index : step->k;

	switch (BPF_OP(step->code)) {
	case BPF_AND:
		machine->accumulator &= operand;
		return 0;
	case BPF_OR:
		machine->accumulator |= operand;
		return 0;
	case BPF_ADD:
		machine->accumulator += operand;
		return 0;
	case BPF_SUB:
		machine->accumulator -= operand;
		return 0;
	default:
		return -1;
	}
}

/* How far to jump beyond the next instruction, -1 for an unknown test. */
static long
jump(const struct machine *machine, const struct sock_filter *step)
{
	uint32_t operand = BPF_SRC(step->code) == BPF_X ? machine->index : step->k;
	int is_true;

	switch (BPF_OP(step->code)) {
	case BPF_JA:
		return step->k;
	case BPF_JEQ:
		is_true = machine->accumulator == operand;
		break;
	case BPF_JGT:
		is_true = machine->accumulator > operand;
		break;
	case BPF_JGE:
		is_true = machine->accumulator >= operand;
		break;
	case BPF_JSET:
		is_true = (machine->accumulator & operand) != 0;
		break;
	default:
		return -1;
	}
	return is_true ? step->jt : step->jf;
}

static int
move(struct machine *machine, const struct sock_filter *step)
{
	switch (BPF_CLASS(step->code)) {
	case BPF_LD:
		return load(machine, step);
	case BPF_ALU:
		return compute(machine, step);
	case BPF_ST:
		if (step->k >= BPF_MEMWORDS)
			return -1;
		machine->memory[step->k] = machine->accumulator;
		return 0;
	case BPF_MISC:
		if (BPF_MISCOP(step->code) == BPF_TAX)
			machine->index = machine->accumulator;
		else
			machine->accumulator = machine->index;
		return 0;
	default:
		return -1;
	}
}

int
bpf_run(const struct sock_filter *program, size_t count, const struct seccomp_data *call,
	uint32_t *verdict_out)
{
	struct machine machine = { .call = call };
	int steps = 0;

	for (size_t at = 0; at < count; at++) {
		const struct sock_filter *step = &program[at];
		steps++;
		if (BPF_CLASS(step->code) == BPF_RET) {
			*verdict_out =
				BPF_RVAL(step->code) == BPF_A ? machine.accumulator : step->k;
			return steps;
		}
		if (BPF_CLASS(step->code) == BPF_JMP) {
			long distance = jump(&machine, step);
			if (distance < 0)
				return -1;
			at += (size_t)distance;
		} else if (move(&machine, step) < 0) {
			return -1;
		}
	}
	return -1;
}
