"""flask_site with another use of the garbage collector, by the variable COLLECTOR: any of the words thaw, enable and collect.

thaw: what the worker froze belongs to collections again; enable: they come when CPython finds it is time, as they would if the worker had not
disabled them; collect: one comes in each request.
"""

import gc
import os

import flask_site
import zygoted

WORDS = os.environ.get("COLLECTOR", "").split()


@zygoted.on_child_start
def set_up():
    if "thaw" in WORDS:
        gc.unfreeze()
    if "enable" in WORDS:
        gc.enable()


def app(environ, start_response):
    if "collect" in WORDS:
        gc.collect()
    return flask_site.app(environ, start_response)
