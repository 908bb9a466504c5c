"""The parts that put load on servers: against connections, against the state's size, against peers."""

from account import available_mib
from report import AtLeast, AtMost, Plot, Section, number
from servers import (
    Fcgiwrap,
    ForkingMixIn,
    Nginx,
    PhpFpm,
    Running,
    Tcpserver,
    Textbook,
    Zygoted,
    image_kinds,
    zygoted_with_state,
)
from wrk import Cell, median, ratio, run_rounds

CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
MEBIBYTES = (0, 64, 256, 1024, 4096)
PEERS_CONNECTIONS = (1, 16)
STATE_CONNECTIONS = 16
FIELDS = ("rate", "mean_us", "p50_us", "p99_us")
FIGURES_HEAD = ["requests/s", "mean us", "p50 us", "p99 us"]
PLOTTED = (("rate", "rate", "requests/s"), ("p50", "p50_us", "median, us"), ("p99", "p99_us", "p99, us"))
# Nothing is refused for being slow: a large state that is forked plainly takes a tenth of a second for each child.
PATIENT = {"queue": 4096, "queue_timeout": "60s", "timeout": "60s"}


def figures(runs):
    return [number(median(runs, field)) for field in FIELDS]


def csv_head(*keys):
    spread = [f"{field}{suffix}" for field in FIELDS for suffix in ("", "_min", "_max")]
    return [*keys, "rounds", *spread, "wrong_answers"]


def csv_row(keys, runs):
    spread = []
    for field in FIELDS:
        values = [getattr(one, field) for one in runs]
        spread += [f"{value:.2f}" for value in (median(runs, field), min(values), max(values))]
    return [*keys, len(runs), *spread, sum(one.errors for one in runs)]


def fill(section, names, runs):
    """One row for each key of `runs`; a key is (x, server)."""
    section.head = [*names, *FIGURES_HEAD]
    section.csv_head = csv_head(*names)
    for key, measured in runs.items():
        section.rows.append([*key, *figures(measured)])
        section.csv_rows.append(csv_row(key, measured))
        if any(one.errors for one in measured):
            wrong = sum(one.errors for one in measured)
            section.notes.append(f"{' '.join(map(str, key))}: {wrong} wrong answers; not held against a promise")


def plots(section, runs, axis, position, **look):
    """Rate, median and p99 against `axis`; `position` gives a key's place on it."""
    for name, field, y in PLOTTED:
        lines = {}
        for (x, server), measured in runs.items():
            lines.setdefault(server, []).append((position(x), median(measured, field)))
        yield Plot(f"{section.name}-{name}", section.title, axis, y, lines, **look)


def measure_connections(settings):
    section = Section("connections", "Rate and latency against connections, echo, no state")
    with Running([Textbook(), Zygoted()], section.notes) as servers:
        cells = [Cell((n, name), server, n) for n in CONNECTIONS for name, server in servers.items()]
        runs = run_rounds(cells, settings.rounds, settings.duration)
    fill(section, ["connections", "server"], runs)
    section.bars.append(
        AtLeast(
            "echo, 16 connections: rate / textbook server's",
            ratio(runs.get((16, "zygoted")), runs.get((16, "textbook")), "rate"),
            1.5,
        )
    )
    section.plots += plots(section, runs, "connections", int, log_x=True)
    return section


# ---- the state's size ----


def size_name(mebibytes):
    return f"{mebibytes // 1024} GiB" if mebibytes >= 1024 else f"{mebibytes} MiB" if mebibytes else "none"


def fitting_sizes(kinds, notes):
    """All servers live at once, so that they can be asked in turns: as many sizes as the memory holds, with a fifth to spare."""
    left = available_mib() * 0.8
    sizes = []
    for mebibytes in MEBIBYTES:
        needed = mebibytes * (len(kinds) + 1)
        if needed > left:
            notes.append(f"left out: state of {size_name(mebibytes)}: {needed} MiB more do not fit into memory")
            continue
        left -= needed
        sizes.append(mebibytes)
    return sizes


def state_bars(runs, kinds):
    def compare(one, other, field):
        return ratio(runs.get((size_name(one[0]), one[1])), runs.get((size_name(other[0]), other[1])), field)

    why = "no frozen image in this build" if "frozen" not in kinds else "not measured"
    bars = []
    for mebibytes, bound in ((1024, 0.95), (4096, 0.9)):
        figure = compare((mebibytes, "frozen"), (0, "frozen"), "rate")
        bars.append(AtLeast(f"frozen, {size_name(mebibytes)}: rate / rate without state", figure, bound, why=why))
    for mebibytes in (1024, 4096):
        figure = compare((mebibytes, "frozen"), (0, "frozen"), "p50_us")
        bars.append(AtMost(f"frozen, {size_name(mebibytes)}: median / median without state", figure, 1.15, why=why))
    figure = compare((256, "frozen"), (256, "textbook"), "rate")
    bars.append(AtLeast("frozen, 256 MiB: rate / textbook server's with 256 MiB", figure, 60, why=why))
    return bars


def measure_state(settings):
    section = Section("state", f"Rate and latency against the state's size, echo, {STATE_CONNECTIONS} connections")
    kinds = list(image_kinds()) or ["inherited"]
    sizes = fitting_sizes(kinds, section.notes)
    wanted = {
        (size, kind): zygoted_with_state(f"{kind} {size}", kind, size, **PATIENT) for size in sizes for kind in kinds
    }
    wanted |= {(size, "textbook"): Textbook(f"textbook {size}", size) for size in sizes}
    order = [(size, kind) for kind in [*kinds, "textbook"] for size in sizes]  # what is compared is measured side by side
    with Running([wanted[key] for key in order], section.notes):
        cells = [Cell((size_name(size), kind), wanted[size, kind], STATE_CONNECTIONS) for size, kind in order]
        runs = run_rounds(cells, settings.rounds, settings.duration, warm=1)
    fill(section, ["state", "server"], runs)
    section.bars = state_bars(runs, kinds)
    names = [size_name(size) for size in sizes]
    section.plots += plots(section, runs, "state", names.index, ticks=names)
    section.readme = readme_rows(runs, names, [*kinds, "textbook"])
    return section


def readme_rows(runs, names, kinds):
    """(head, rows): one row for each size."""
    titles = {"frozen": "zygoted", "inherited": "plain fork", "textbook": "textbook"}
    head = ["state"]
    for kind in kinds:
        head += [f"{titles[kind]}: req/s", "p50 ms", "p99 ms"]
    rows = []
    for name in names:
        measured = [runs[name, kind] for kind in kinds]
        scales = (("rate", 1), ("p50_us", 1000), ("p99_us", 1000))
        cells = [number(median(one, field) / scale) for one in measured for field, scale in scales]
        rows.append([name, *cells])
    return head, rows


# ---- peers ----

PEERS = (
    ("zygoted", Zygoted, "a parked process for each request, sandboxed"),
    ("textbook", Textbook, "fork for each request"),
    ("php-fpm", PhpFpm, "nginx, PHP-FPM, pm.max_requests = 1"),
    ("fcgiwrap", Fcgiwrap, "nginx, fcgiwrap, CGI, a static program"),
    ("tcpserver", Tcpserver, "tcpserver, a static program"),
    ("forking-python", ForkingMixIn, "Python http.server, ForkingMixIn"),
    ("nginx", Nginx, "a file; no isolation: the bound"),
)


def peers_bars(runs):
    def compare(connections, other, field):
        return ratio(runs.get((connections, "zygoted")), runs.get((connections, other)), field)

    return [
        AtLeast("echo, 16 connections: rate / PHP-FPM's with max_requests=1", compare(16, "php-fpm", "rate"), 15),
        AtMost("echo, 1 connection: median / nginx's for a file", compare(1, "nginx", "p50_us"), 2),
        AtMost("echo, 1 connection: p99 / nginx's for a file", compare(1, "nginx", "p99_us"), 8),
    ]


def measure_peers(settings):
    section = Section("peers", "Against peers with one process for each request")
    with Running([make(name) for name, make, _ in PEERS], section.notes) as servers:
        cells = [Cell((n, name), server, n) for n in PEERS_CONNECTIONS for name, server in servers.items()]
        runs = run_rounds(cells, settings.rounds, settings.duration)
    fill(section, ["connections", "server"], runs)
    what = {name: text for name, _, text in PEERS}
    section.head.append("what it is")
    section.rows = [[*row, what[row[1]]] for row in section.rows]
    section.bars = peers_bars(runs)
    return section
