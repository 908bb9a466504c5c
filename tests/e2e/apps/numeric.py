"""numpy, imported in the zygote and used in children."""

import json
import os

import numpy


def app(environ, start):
    product = (numpy.arange(10000.0).reshape(100, 100) @ numpy.eye(100)).sum()
    answer = [float(product), numpy.random.random(), os.environ["OPENBLAS_NUM_THREADS"]]
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
