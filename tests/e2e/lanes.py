"""The processes of a daemon with several fronts, or several zygotes of a pool."""

from zyg import command_line, parents


def front_pids(daemon):
    return sorted(daemon.named("zygoted: front"), key=command_line)


def zygote_pids(daemon, name):
    """All zygotes of the pool's only generation, by number: the supervisor's child, and those with another number below it."""
    first = daemon.zygote_pid(name)
    own = command_line(first)
    titled = daemon.named(f"zygoted-zygote: {name} ")
    table = parents()
    siblings = [pid for pid in titled if table.get(pid, (0,))[0] == first and command_line(pid) != own]
    return [first, *sorted(siblings, key=command_line)]
