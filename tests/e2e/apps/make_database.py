"""python3 make_database.py FILE: the SQLite database that the sites read."""

import sqlite3
import sys

with sqlite3.connect(sys.argv[1]) as database:
    database.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT, body TEXT)")
    rows = [("first", "one & two"), ("zweite Notiz", "gr\u00fc\u00dfe"), ("\u4e09", "<b>three</b>")]
    database.executemany("INSERT INTO note (title, body) VALUES (?, ?)", rows)
