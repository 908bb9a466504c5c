"""What `make run-python` serves: a small Flask application, with nothing in it that knows zygoted."""

import ctypes
import os
import random
import time

from flask import Flask, render_template, request

app = Flask(__name__)
STARTED = time.time()
visits = []  # grows with each request, for those that share a process


@app.route("/")
def page():
    visits.append(time.time())
    return render_template("page.html", pid=os.getpid(), visits=len(visits), number=random.random(),
                           age=time.time() - STARTED)


@app.route("/form", methods=["POST"])
def form():
    return {name: value.upper() for name, value in request.form.items()}


@app.route("/stream")
def stream():
    return (f"line {number}\n" for number in range(10)), {"Content-Type": "text/plain"}


@app.route("/error")
def error():
    raise RuntimeError("on purpose: the log has the traceback")


@app.route("/crash")
def crash():
    ctypes.string_at(0)  # reads address 0


@app.route("/steal")
def steal():
    with open("/etc/passwd") as file:
        return file.read()
