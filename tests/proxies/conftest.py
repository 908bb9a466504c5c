"""These tests use what end-to-end tests know of the daemon."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]


def pytest_configure(config):
    config.addinivalue_line("markers", "long: the whole corpus through each proxy; run by make check-proxies")
