"""A small Flask application: templates, SQLite, forms, uploads, sessions, streams, errors."""

import hashlib
import os
import sqlite3

from flask import (
    Flask,
    Response,
    abort,
    flash,
    g,
    get_flashed_messages,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    session,
    stream_with_context,
    url_for,
)

HERE = os.path.dirname(os.path.abspath(__file__))
app = Flask(__name__)
app.secret_key = "of the tests"
app.config["MAX_CONTENT_LENGTH"] = 500_000
seen = []


def database():
    if "database" not in g:
        g.database = sqlite3.connect(os.path.join(HERE, "notes.db"))
        g.database.row_factory = sqlite3.Row
    return g.database


@app.teardown_appcontext
def close_database(error):
    if "database" in g:
        g.pop("database").close()


@app.route("/")
def notes():
    rows = database().execute("SELECT id, title, body FROM note ORDER BY id").fetchall()
    return render_template("notes.html", notes=rows)


@app.route("/note/<int:number>")
def note(number):
    row = database().execute("SELECT title, body FROM note WHERE id = ?", (number,)).fetchone()
    return jsonify(dict(row)) if row else abort(404)


@app.route("/write")
def write():
    try:
        database().execute("INSERT INTO note (title) VALUES ('x')")
    except sqlite3.OperationalError as error:
        return f"refused: {error}", 503
    return "written"


@app.route("/count")
def count():
    seen.append(1)
    return str(len(seen))


@app.route("/form", methods=["GET", "POST"])
def form():
    return jsonify(args=request.args.to_dict(flat=False), form=request.form.to_dict(flat=False))


@app.route("/upload", methods=["POST"])
def upload():
    return jsonify({
        name: [file.filename, file.mimetype, hashlib.sha256(file.read()).hexdigest()]
        for name, file in request.files.items()
    })


@app.route("/raw", methods=["POST", "PUT", "PATCH", "DELETE"])
def raw():
    return Response(request.get_data()[::-1], mimetype="application/octet-stream")


@app.route("/json", methods=["POST"])
def json():
    return jsonify(got=request.get_json())


@app.route("/cookies")
def cookies():
    answer = make_response(jsonify(request.cookies))
    answer.set_cookie("plain", "value")
    answer.set_cookie("complex", "a b;\u00e4", max_age=60, httponly=True, samesite="Lax")
    answer.delete_cookie("gone")
    return answer


@app.route("/login/<name>")
def login(name):
    session["name"] = name
    flash(f"welcome {name}")
    return redirect(url_for("whoami"))


@app.route("/whoami")
def whoami():
    return jsonify(name=session.get("name"), messages=get_flashed_messages())


@app.route("/stream")
def stream():
    def blocks():
        for number in range(20):
            yield f"{request.args.get('word', 'block')} {number}\n" * 100

    return Response(stream_with_context(blocks()), mimetype="text/plain")


@app.route("/file")
def file():
    return send_file(os.path.join(HERE, "static", "bytes.bin"), conditional=True, max_age=60)


@app.route("/path/<path:rest>")
def path(rest):
    return jsonify(rest=rest, url=request.url, full=request.full_path, root=request.script_root)


@app.route("/headers")
def headers():
    names = ("Accept-Language", "X-Custom", "User-Agent", "Host")
    return jsonify({name: request.headers.get(name) for name in names})


@app.route("/abort/<int:code>")
def abort_with(code):
    abort(code)


@app.route("/error")
def error():
    raise RuntimeError("of the view")


@app.route("/custom")
def custom():
    return "short and stout", 418, {"X-Teapot": "yes", "X-Latin": "gr\u00fc\u00dfe"}


@app.route("/empty")
def empty():
    return "", 204


@app.errorhandler(404)
def not_found(error):
    return f"nothing at {request.path}", 404
