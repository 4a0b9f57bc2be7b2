"""A book that guests sign. Every request has a connection of its own; a start waits for the database, and ends after a
while without it."""

import html
import http.server
import os
import sys
import time

import psycopg2


def connect():
    with open("/run/secrets/db_password", encoding="utf-8") as file:
        password = file.read().strip()
    return psycopg2.connect(
        host=os.environ["DB_HOST"], user="guestbook", dbname="guestbook", password=password, connect_timeout=3
    )


def query(text, values=()):
    connection = connect()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def prepare():
    query("CREATE TABLE IF NOT EXISTS guests (name text)")


class Book(http.server.BaseHTTPRequestHandler):
    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        try:
            names = [html.escape(name) for (name,) in query("SELECT name FROM guests")]
        except psycopg2.Error as error:
            print(error, flush=True)
            return self.answer(503, "the guestbook is closed\n")
        title = html.escape(os.environ["TITLE"])
        return self.answer(200, f"<title>{title}</title>the guestbook is open: {', '.join(names)}\n")

    def do_POST(self):
        name = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            query("INSERT INTO guests VALUES (%s)", (name,))
        except psycopg2.Error as error:
            print(error, flush=True)
            return self.answer(503, "the guestbook is closed\n")
        return self.answer(201, "signed\n")


for tries in range(15, -1, -1):
    try:
        prepare()
        break
    except psycopg2.Error as error:
        if tries == 0:
            sys.exit(f"no database: {error}")
        time.sleep(1)
http.server.ThreadingHTTPServer(("", 8000), Book).serve_forever()
