"""What a Flask request copies, by region: with the collector as the worker leaves it, and as it would be; with pages touched beforehand and without."""

import time

import pyapps
import zyg

REQUESTS = 48
LEARNING = 400  # requests until the table of pages is there and was tried
PAUSE = 0.01  # a parked child is there for each request
PATH = "/count"
# What the application does with the collector -> tests/e2e/apps/collector.py.
COLLECTORS = {
    "as it is: disabled, all frozen": "",
    "enabled, nothing frozen": "thaw enable",
    "a collection, all frozen": "collect",
    "a collection, nothing frozen": "thaw collect",
}
KINDS = {"heap": "malloc", "anonymous": "objects", "library": "libraries", "image": "image", "stack": "stack"}


def collector_pool(apps, words, **keys):
    options = {"warmup": f"GET {PATH}", "env": f"COLLECTOR={words}"}
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
    row = "{:<32} {:>8} {:>8} {:>8} {:>10} {:>8} {:>8}".format
    print("\nKiB that a request copies, by region (malloc's heap, Python's objects, variables of libraries), image inherited:")
    print(row("collector", "all", "malloc", "objects", "libraries", "stack", "faults"))
    for label, words in COLLECTORS.items():
        section = collector_pool(apps, words, image="inherited", prefault=0, sample=1, spare=2)
        daemon = zyg.Zygoted(section, requests_per_connection=1000000)
        try:
            daemon.start()
            ask(daemon, REQUESTS)
            found = copied_kib(daemon)
            cells = [sum(found.values()), *(found[name] for name in ("malloc", "objects", "libraries", "stack"))]
            print(row(label, *(f"{cell:.0f}" for cell in cells), daemon.stats("flask")["minor_faults_mean"]))
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
