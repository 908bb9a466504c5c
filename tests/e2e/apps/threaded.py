"""Leaves a thread behind when it is imported."""

import threading
import time

threading.Thread(target=time.sleep, args=(60,), name="left-behind", daemon=True).start()


def app(environ, start):
    start("204 No Content", [])
    return []
