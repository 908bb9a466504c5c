"""Waiting for a condition instead of a time."""

import time

BOUND = 30.0  # seconds: more than a busy machine takes for anything that is not a promise of its own


def wait_until(predicate, bound=BOUND, what=None):
    """Polls until predicate() is true and returns what it gave; fails after `bound` seconds."""
    end = time.monotonic() + bound
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {bound} s: {what or predicate}; last: {value!r}")
        time.sleep(0.005)
