"""What Mailu's admin does for its other services, in our own words: it keeps the accounts in /data/main.db, tells the
front whether a password is right and where the mail goes, and tells postfix which domains and mailboxes there are. Its
pages are not here, but for the form that Mailu shows to who is not logged in; nobody can log in by it.

admin.py serve | admin | user | user-delete | domain: the service, and Mailu's commands of the same names."""

import argparse
import hashlib
import os
import secrets
import signal
import socket
import socketserver
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

DATABASE = "/data/main.db"
TABLES = """
CREATE TABLE IF NOT EXISTS domain (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS user (email TEXT PRIMARY KEY, domain_name TEXT NOT NULL REFERENCES domain(name),
  password TEXT NOT NULL, global_admin INTEGER NOT NULL, enabled INTEGER NOT NULL DEFAULT 1);
"""
PAGE = """<!doctype html><title>Mailu</title><form method="post">
<input type="email" name="email"><input type="password" name="pw"><input type="submit" name="submitAdmin" value="Sign in">
</form>"""


def ask(statement, *values):
    """The rows; each call opens the file, so that one which a restore has put there is read."""
    with sqlite3.connect(DATABASE, timeout=10) as connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def digest(password, salt):
    return salt + "$" + hashlib.scrypt(password.encode(), salt=salt.encode(), n=4096, r=8, p=1).hex()


def is_right(email, password):
    rows = ask("SELECT password FROM user WHERE email = ? AND enabled", email.lower())
    return bool(rows) and secrets.compare_digest(digest(password, rows[0][0].split("$")[0]), rows[0][0])


class Web(BaseHTTPRequestHandler):
    def say(self, status, headers=None, body=""):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/ping":
            self.say(200)
        elif path == "/internal/auth/email":
            self.say(200, self.auth())
        elif path == "/sso/login":
            self.say(200, {"Content-Type": "text/html"}, PAGE)
        elif path in ("/", "/admin", "/admin/"):
            self.say(302, {"Location": "/sso/login"})
        else:
            self.say(404)

    def auth(self):
        """nginx's protocol for mail: who may, and which server it goes on to."""
        protocol, method = self.headers["Auth-Protocol"], self.headers["Auth-Method"]
        if protocol == "smtp" and method == "none":
            return self.server_at(os.environ.get("SMTP_ADDRESS", "smtp"), 25)
        if is_right(unquote(self.headers.get("Auth-User", "")), unquote(self.headers.get("Auth-Pass", ""))):
            if protocol == "smtp":
                return self.server_at(os.environ.get("SMTP_ADDRESS", "smtp"), 10025)
            return self.server_at(os.environ.get("IMAP_ADDRESS", "imap"), 143)
        return {"Auth-Status": "Authentication credentials invalid", "Auth-Error-Code": "535 5.7.8", "Auth-Wait": "0"}

    @staticmethod
    def server_at(name, port):
        try:
            return {"Auth-Status": "OK", "Auth-Server": socket.gethostbyname(name), "Auth-Port": str(port)}
        except OSError:
            return {"Auth-Status": "Temporary authentication problem", "Auth-Error-Code": "454 4.3.0", "Auth-Wait": "0"}


class Maps(socketserver.StreamRequestHandler):
    """Postfix's socketmap: a netstring with the map's name and the key, and one with the answer."""

    def handle(self):
        while length := self.length():
            name, _, key = self.rfile.read(length).decode().partition(" ")
            self.rfile.read(1)
            try:
                found = self.find(name, key.lower())
                said = f"OK {found}" if found else "NOTFOUND "
            except sqlite3.Error as error:
                said = f"TEMP {error}"
            self.wfile.write(f"{len(said.encode())}:{said},".encode())

    def length(self):
        digits = b""
        while (byte := self.rfile.read(1)).isdigit():
            digits += byte
        return int(digits or 0)

    @staticmethod
    def find(name, key):
        table, column = ("domain", "name") if name == "domain" else ("user", "email")
        rows = ask(f"SELECT {column} FROM {table} WHERE {column} = ?", key)
        return rows[0][0] if rows else None


class MapsServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def serve():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    threading.Thread(target=MapsServer(("", 10026), Maps).serve_forever, daemon=True).start()
    ThreadingHTTPServer(("", 8080), Web).serve_forever()


def main():
    parser = argparse.ArgumentParser(prog="flask mailu")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve")
    commands.add_parser("domain").add_argument("name")
    for command in ("admin", "user"):
        one = commands.add_parser(command)
        for argument in ("localpart", "domain_name", "password"):
            one.add_argument(argument)
    delete = commands.add_parser("user-delete")
    delete.add_argument("email")
    delete.add_argument("-r", "--really", action="store_true")
    given = parser.parse_args()

    with sqlite3.connect(DATABASE) as connection:
        connection.executescript(TABLES)
    if given.command == "serve":
        serve()
    elif given.command == "domain":
        ask("INSERT OR IGNORE INTO domain VALUES (?)", given.name.lower())
    elif given.command == "user-delete":
        change = "DELETE FROM user" if given.really else "UPDATE user SET enabled = 0"
        ask(change + " WHERE email = ?", given.email.lower())
    else:
        domain = given.domain_name.lower()
        email = f"{given.localpart}@{domain}".lower()
        ask("INSERT OR IGNORE INTO domain VALUES (?)", domain)
        try:
            ask(
                "INSERT INTO user (email, domain_name, password, global_admin) VALUES (?, ?, ?, ?)",
                email, domain, digest(given.password, secrets.token_hex(8)), given.command == "admin",
            )
        except sqlite3.IntegrityError:
            sys.exit(f"there is a user {email} already")


main()
