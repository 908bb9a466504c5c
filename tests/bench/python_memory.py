"""What a Flask request copies, by region: with objects where Python puts them and where the worker does, with the collector as the worker leaves it and as it
would be; with pages touched beforehand and without."""

import re
import time

import pyapps
import zyg

REQUESTS = 48
LEARNING = 400  # requests until the table of pages is there and was tried
PAUSE = 0.01  # a parked child is there for each request
PATH = "/count"
# label -> option "placement", what the application does with the collector (tests/e2e/apps/collector.py)
VARIANTS = {
    "as it is": ("learned", ""),
    "objects not placed": ("none", ""),
    "collector enabled, nothing frozen": ("learned", "thaw enable"),
    "a collection, all frozen": ("learned", "collect"),
    "a collection, nothing frozen": ("learned", "thaw collect"),
}
KINDS = {"heap": "malloc", "anonymous": "objects", "named": "placed", "library": "libraries", "image": "image", "stack": "stack"}


def collector_pool(apps, words, placement="learned", **keys):
    options = {"warmup": f"GET {PATH}", "env": f"COLLECTOR={words}", "placement": placement}
    return pyapps.python_pool("flask", apps, "collector:app", options, routes=[PATH], **keys)


def ask(daemon, count):
    with daemon.connect() as connection:
        for _ in range(count):
            connection.request("GET", PATH)
            response = connection.response("GET")
            if response.status != 200:
                raise SystemExit(f"{response.status} {response.text}")
            time.sleep(PAUSE)


def copied_kib(daemon):
    """By kind of region, of the children that were looked at after their request."""
    found = dict.fromkeys(KINDS.values(), 0)
    for region in daemon.ctl("maps")["regions"]:
        if region["method"] != "sample":
            raise SystemExit("no sample was taken: which pages are copied only root can tell")
        name = KINDS.get(region["kind"], "libraries")
        found[name] += (region["copied_bytes"] + region["new_bytes"]) / 1024
    return found


def print_regions(apps):
    """Inherited, so that each region is told by its own name: a frozen image is one."""
    columns = ("malloc", "objects", "placed", "libraries", "stack")
    row = ("{:<34}" + " {:>9}" * 8).format
    print("\nKiB that a request copies, by region (malloc's heap, Python's objects, those placed together, variables of libraries), image inherited:")
    print(row("", "all", *columns, "faults", "load ms"))
    for label, (placement, words) in VARIANTS.items():
        section = collector_pool(apps, words, placement, image="inherited", prefault=0, sample=1, spare=2)
        daemon = zyg.Zygoted(section, requests_per_connection=1000000)
        try:
            daemon.start()
            ask(daemon, REQUESTS)
            found = copied_kib(daemon)
            cells = [sum(found.values()), *(found[name] for name in columns)]
            load_ms = re.search(r"load_ms=(\d+)", daemon.log()).group(1)
            print(row(label, *(f"{cell:.0f}" for cell in cells), daemon.stats("flask")["minor_faults_mean"], load_ms))
        finally:
            daemon.stop()


def print_prefault(apps):
    """The same pages; what changes is when they are copied."""
    row = "{:<12} {:>12} {:>12} {:>16} {:>16}".format
    print("\npages touched beforehand:")
    print(row("image", "copied", "mapped", "faults without", "faults with"))
    for image in ("frozen", "inherited"):
        daemon = zyg.Zygoted(
            collector_pool(apps, "", image=image, spare=4), requests_per_connection=1000000)
        try:
            daemon.start()
            ask(daemon, LEARNING)
            pool, stats = daemon.pool("flask"), daemon.stats("flask")
            print(row(image, pool["prefault_bytes"] // 4096, pool["prefault_read_places"],
                      stats["plain_faults_mean"], stats["prefault_faults_mean"]))
        finally:
            daemon.stop()
