"""What code inside a child tries, one after the other, and what must come of it.

Every row is run as root and as an ordinary user. After each of them the next request is answered, no process or
descriptor is left, and exactly one counter has moved.
"""

import pytest

from hostile import SIGSEGV, SIGSYS, Attack, answered, call, crashed, killed

CLONE_THREAD_FLAGS = 0x3D0F00  # what pthread_create asks for
CLONE_PIDFD_SIGCHLD = 0x1011
FD = 3

PROCESSES = [
    answered("fork bomb with the zygote's flags", "fork-bomb", r"made 0 errno 11\n"),
    killed("fork by the library", "library-fork"),
    killed("fork", call("fork")),
    killed("vfork", call("vfork")),
    killed("thread by the library", "thread"),
    killed("thread", call("clone", CLONE_THREAD_FLAGS, "@m")),
    killed("clone with shared memory", call("clone", CLONE_PIDFD_SIGCHLD | 0x100, 0)),
    answered("clone with a stack", call("clone", CLONE_PIDFD_SIGCHLD, "@m", "@b"), r"-11\n"),
    answered("clone3", call("clone3", "@b", 88), r"-38\n"),
    killed("exec of a shell", call("execve", "=/bin/sh", 0, 0)),
    killed("exec of ourselves", call("execve", "=/proc/self/exe", 0, 0)),
    killed("exec by descriptor", call("execveat", FD, "=", 0, 0, 0x1000)),
    killed("trace the zygote", call("ptrace", 16, "@P", 0, 0)),
    killed("trace a sibling", call("ptrace", 0x4206, 2, 0, 0)),
    killed("be traced", call("ptrace", 0, 0, 0, 0)),
    killed("read the zygote's memory", call("process_vm_readv", "@P", "@b", 1, "@b", 1, 0)),
    killed("write the zygote's memory", call("process_vm_writev", "@P", "@b", 1, "@b", 1, 0)),
    killed("read a sibling's memory", call("process_vm_readv", 2, "@b", 1, "@b", 1, 0)),
    killed("kill everyone", call("kill", -1, 9)),
    killed("kill the zygote", call("kill", "@P", 9)),
    killed("kill the own group", call("kill", 0, 9)),
    killed("kill a sibling's thread", call("tgkill", 2, 2, 9)),
    killed("kill a sibling by tkill", call("tkill", 2, 6)),
    killed("queue a signal", call("rt_sigqueueinfo", 2, 9, "@b")),
    answered("abort every sibling", "hit-siblings", r"denied (299|300) other 0\n"),
    crashed("abort", "abort"),
    killed("find siblings by their clocks", "find-siblings"),
    killed("open a pidfd", call("pidfd_open", "@P", 0)),
    killed("take a descriptor", call("pidfd_getfd", FD, 4, 0)),
    killed("compare with the zygote", call("kcmp", "@p", "@P", 0, 0, 0)),
    killed("priorities", call("setpriority", 0, 0, -20)),
    killed("scheduling", call("sched_setscheduler", 0, 1, "@b")),
    killed("affinity of the zygote", call("sched_setaffinity", "@P", 8, "@b")),
    killed("limits of the zygote", call("prlimit64", "@P", 6, 0, "@b")),
    killed("limits of memory", call("prlimit64", 0, 2, "@b", 0)),
    killed("a new session", call("setsid")),
    killed("a group of its own", call("setpgid", 0, 0)),
    answered("children that it has not", call("waitid", 0, 0, "@b", 5, 0), r"-10\n"),
    answered("descriptors of the zygote", "hit-descriptors", r"channels 0 pidfds 0 open 0\n"),
]

NETWORK = [
    *(killed(f"socket of family {n}", call("socket", n, 1, 0)) for n in range(47)),
    killed("raw socket", call("socket", 2, 3, 1)),
    killed("netlink", call("socket", 16, 3, 0)),
    killed("socket pair", call("socketpair", 1, 1, 0, "@b")),
    killed("connect", call("connect", FD, "@b", 16)),
    killed("bind", call("bind", FD, "@b", 16)),
    killed("listen", call("listen", FD, 5)),
    killed("accept", call("accept4", FD, 0, 0, 0)),
    killed("half-close", call("shutdown", FD, 1)),
    killed("socket options", call("setsockopt", FD, 1, 2, "@b", 4)),
    killed("who is at the other end", call("getsockopt", FD, 1, 17, "@b", "@b")),
    killed("pass a descriptor", "pass-descriptor"),
    killed("receive a descriptor", call("recvmsg", FD, "@b", 0)),
    killed("many messages", call("sendmmsg", FD, "@b", 1, 0)),
    killed("urgent byte", call("sendto", FD, "@b", 1, 1, 0, 0)),
    killed("read the urgent byte", call("recvfrom", FD, "@b", 1, 1, 0, 0)),
    killed("splice", call("splice", FD, 0, 1, 0, 1, 0)),
]

KERNEL = [
    killed(name, call(name, *args))
    for name, args in {
        "io_uring_setup": (8, "@b"),
        "io_uring_enter": (FD, 1, 0, 0, 0, 0),
        "io_uring_register": (FD, 0, 0, 0),
        "io_setup": (1, "@b"),
        "userfaultfd": (1,),
        "bpf": (0, "@b", 72),
        "keyctl": (0, -4, 0, 0, 0),
        "add_key": ("=user", "=name", "@b", 8, -4),
        "request_key": ("=user", "=name", 0, -4),
        "perf_event_open": ("@b", 0, -1, -1, 0),
        "memfd_create": ("=code", 0),
        "memfd_secret": (0,),
        "seccomp": (1, 8, "@b"),
        "mount": ("=none", "=/", "=tmpfs", 0, 0),
        "umount2": ("=/", 2),
        "pivot_root": ("=.", "=."),
        "chroot": ("=/",),
        "unshare": (0x10000000,),
        "setns": (FD, 0),
        "open_tree": (-100, "=/", 1),
        "move_mount": (-100, "=/", -100, "=/", 0),
        "fsopen": ("=tmpfs", 0),
        "fsmount": (FD, 0, 0),
        "statmount": ("@b", "@b", 512, 0),
        "listmount": ("@b", "@b", 512, 0),
        "init_module": ("@b", 16, "="),
        "finit_module": (FD, "=", 0),
        "delete_module": ("=x", 0),
        "kexec_load": (0, 0, 0, 0),
        "reboot": (0xFEE1DEAD, 672274793, 0),
        "iopl": (3,),
        "ioperm": (0x60, 1, 1),
        "modify_ldt": (1, "@b", 16),
        "arch_prctl": (0x1002, 0),
        "personality": (0x400000,),
        "shmget": (0, 4096, 0o1600),
        "shmat": (0, 0, 0),
        "msgget": (0, 0o1600),
        "semget": (0, 1, 0o1600),
        "mq_open": ("=q", 0o102, 0o600, 0),
        "inotify_init1": (0,),
        "fanotify_init": (0, 0),
        "name_to_handle_at": (-100, "=/", "@b", "@b", 0),
        "open_by_handle_at": (FD, "@b", 0),
        "syslog": (3, "@b", 100),
        "settimeofday": ("@b", 0),
        "clock_settime": (0, "@b"),
        "adjtimex": ("@b",),
        "timer_create": (1, 0, "@b"),
        "setitimer": (0, "@b", 0),
        "swapon": ("=/x", 0),
        "acct": ("=/x",),
        "sethostname": ("=x", 1),
        "capset": ("@b", "@b"),
        "setuid": (0,),
        "setresuid": (0, 0, 0),
        "setgroups": (0, 0),
        "landlock_create_ruleset": (0, 0, 1),
        "membarrier": (0, 0, 0),
        "dup": (FD,),
        "dup2": (FD, 9),
        "pipe2": ("@b", 0),
        "eventfd2": (0, 0),
        "epoll_create1": (0,),
        "signalfd4": (-1, "@b", 8, 0),
        "timerfd_create": (1, 0),
        "getuid": (),
        "getdents64": (FD, "@b", 4096),
        "getcwd": ("@b", 4096),
        "chdir": ("=/",),
        "mkdir": ("=/d", 0o700),
        "unlink": ("=/x",),
        "rename": ("=/x", "=/y"),
        "link": ("=/x", "=/y"),
        "symlink": ("=/x", "=/y"),
        "mknod": ("=/x", 0o60600, 0),
        "chmod": ("=/", 0o777),
        "chown": ("=/", 0, 0),
        "creat": ("=/x", 0o600),
        "truncate": ("=/x", 0),
        "utimensat": (-100, "=/", 0, 0),
        "setxattr": ("=/", "=user.x", "@b", 1, 0),
        "sendfile": (FD, 2, 0, 1),
        "dup3": (FD, 9, 0),
        "close_range": (0, -1, 0),
    }.items()
]

MEMORY = [
    killed("memory to write and run", call("mmap", 0, 4096, 7, 0x22, -1, 0)),
    killed("memory to run", call("mmap", 0, 4096, 5, 0x22, -1, 0)),
    killed("shared memory", call("mmap", 0, 4096, 3, 0x21, -1, 0)),
    killed("a file's memory", call("mmap", 0, 4096, 1, 0x02, FD, 0)),
    killed("memory that grows", call("mmap", 0, 4096, 3, 0x122, -1, 0)),
    killed("huge pages", call("mmap", 0, 1 << 21, 3, 0x40022, -1, 0)),
    killed("make data code", call("mprotect", "@m", 4096, 5)),
    killed("make data writable code", call("mprotect", "@m", 4096, 7)),
    killed("make code writable", call("mprotect", "@c", 4096, 7)),
    killed("protection keys", call("pkey_mprotect", "@m", 4096, 7, -1)),
    killed("move memory to a place", call("mremap", "@m", 4096, 4096, 3, "@m")),
    killed("rearrange a mapping", call("remap_file_pages", "@m", 4096, 0, 0, 0)),
    killed("merge pages with others", call("madvise", "@m", 4096, 12)),
    killed("keep from dumps", call("madvise", "@m", 4096, 16)),
    killed("advise another process", call("process_madvise", FD, "@b", 1, 4, 0)),
    killed("lock memory", call("mlock", "@m", 4096)),
    killed("which pages others use", call("mincore", "@c", 4096, "@b")),
    killed("seal memory", call("mseal", "@m", 4096, 0)),
    killed("a futex that others share", call("futex", "@c", 1, 1)),
    crashed("run the stack", "run-data/stack"),
    crashed("run the heap", "run-data/heap"),
    crashed("run the image", "run-data/image"),
    crashed("write into code", "rewrite-code/write"),
    crashed("unprotect, write and run code", "rewrite-code/protect"),
]

PATHS = [
    "/", ".", "..", "/etc/passwd", "/etc/shadow", "/proc/self/mem", "/proc/self/maps", "/proc/1/mem",
    "/proc/self/fd/3", "/proc/self/root/etc/passwd", "/sys/kernel/notes", "/dev/null", "/dev/mem",
    "/dev/shm/x", "/tmp/x", "/run/zygoted/control.sock", "../../../../etc/passwd", "",
]  # fmt: skip

FILES = [
    *(answered(f"open {path!r}", call("open", f"={path}", 0), r"-13\n") for path in PATHS),
    *(answered(f"openat {path!r}", call("openat", -100, f"={path}", 0), r"-13\n") for path in PATHS),
    answered("open by the channel", call("openat", FD, "=x", 0), r"-13\n"),
    answered("open for writing", call("open", "=/x", 0o102, 0o600), r"-13\n"),
    answered("nameless file", call("openat", -100, "=/", 0o20200002, 0o600), r"-13\n"),
    answered("openat2", call("openat2", -100, "=/", "@b", 24), r"-38\n"),
    answered("stat", call("stat", "=/etc/passwd", "@b"), r"-13\n"),
    answered("what is the channel", call("fstat", FD, "@b"), r"-13\n"),
    answered("readlink", call("readlink", "=/proc/self/exe", "@b", 100), r"-13\n"),
]

RIGHTS = [
    answered("another filter by prctl", call("prctl", 22, 2, "@b"), r"-1\n"),
    answered("be dumpable", call("prctl", 4, 1), r"-1\n"),
    answered("outlive the zygote", call("prctl", 1, 0), r"-1\n"),
    answered("ambient capabilities", call("prctl", 47, 2, 0, 0, 0), r"-1\n"),
    answered("handle signals", call("rt_sigaction", 31, "@b", 0, 8), r"-1\n"),
    answered("flags of the channel", call("fcntl", FD, 4, 0), r"-1\n"),
    answered("copy the channel", call("fcntl", FD, 0, 9), r"-1\n"),
    answered("type into a terminal", call("ioctl", 2, 0x5412, "=x"), r"-25\n"),
    killed("32-bit call", call(1, 0, how="I")),
    killed("32-bit exec", call(11, "=/bin/sh", 0, 0, how="I")),
    killed("x32 call", call(0x40000000 | 59, "=/bin/sh", 0, 0)),
    killed("call that does not exist", call(1023)),
    killed("call number -1", call(-1)),
]

STATUSES = [
    Attack(f"leaving with {code}, as if a program had died", call("exit_group", code), 502, "sandbox", "sandbox",
           f" exit={code} ")
    for code in (128 + SIGSEGV, 128 + SIGSYS)
]

ATTACKS = PROCESSES + STATUSES + NETWORK + KERNEL + MEMORY + FILES + RIGHTS


def test_every_attack_has_a_name_of_its_own():
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_attack(target, attack):
    target.attack(attack)
