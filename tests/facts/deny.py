"""A machine that lacks something, for one program: `deny.py CALL=ERRNO ... -- PROGRAM ARGUMENT ...`

Executes the program under a system-call filter by which the calls with these numbers return the error, 0 for a success
that is none, and all others are carried out. seccomp(2); the numbers are those of x86-64.
"""

import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: LD|W|ABS, JMP|JEQ|K, RET|K
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)


def program(errors):
    lines = [instruction(LOAD_WORD, 0)]  # seccomp_data.nr
    for call, error in errors.items():
        lines += [instruction(JUMP_IF_EQUAL, call, 0, 1), instruction(RETURN, ERRNO | error)]
    return lines + [instruction(RETURN, ALLOW)]


def load(errors):
    libc = ctypes.CDLL(None, use_errno=True)
    lines = program(errors)
    code = ctypes.create_string_buffer(b"".join(lines))
    header = struct.pack("HP", len(lines), ctypes.addressof(code))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0:
        sys.exit("no_new_privs cannot be set")
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) < 0:
        sys.exit(f"no filter can be loaded: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    end = sys.argv.index("--")
    load({int(call): int(error) for call, error in (word.split("=") for word in sys.argv[1:end])})
    os.execv(sys.argv[end + 1], sys.argv[end + 1 :])
