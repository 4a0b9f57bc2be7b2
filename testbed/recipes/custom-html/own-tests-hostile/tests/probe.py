"""Attempts that a shell is too slow or too weak for. Exit 0 when one works."""

import os
import signal
import socket
import struct
import sys
import threading

PORTS = [22, 53, 80, 443, 2375, 2376, 2377, 4789, 7946, 8080, 9000]


def reach(targets, timeout=4):
    """Connects to all of them side by side; gives those that answer, also with a refusal, since a
    refusal comes from a machine that was reached."""
    found = []

    def one(host, port):
        with socket.socket() as s:
            s.settimeout(timeout)
            try:
                s.connect((host, port))
                found.append(f"{host}:{port}")
            except ConnectionRefusedError:
                found.append(f"{host}:{port} (refused by its machine)")
            except OSError:
                pass

    threads = [threading.Thread(target=one, args=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def ports(host, known):
    """Every port of a host but the known one."""
    found = []
    for port in range(1, 65536):
        if port == int(known):
            continue
        with socket.socket() as s:
            s.settimeout(2)
            if s.connect_ex((host, port)) == 0:
                found.append(f"{host}:{port}")
    return found


def routes():
    """Gateways and networks of this container, as integers."""
    with open("/proc/net/route", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    number = lambda text: socket.ntohl(int(text, 16))
    return [(number(row[1]), number(row[2]), number(row[7])) for row in rows]


def dotted(number):
    return socket.inet_ntoa(struct.pack("!I", number))


def host():
    at = {gateway for _, gateway, _ in routes() if gateway}
    at |= {(net & mask) + 1 for net, _, mask in routes() if mask}
    return reach([(dotted(one), port) for one in at for port in PORTS])


def neighbours(gate):
    own = {socket.gethostbyname(socket.gethostname()), gate}
    near = {dotted((net & mask) + n) for net, _, mask in routes() if mask for n in range(2, 30)}
    return reach([(one, port) for one in near - own for port in (80, 443)])


def dns(*servers):
    """A hand-made question for the address of example.org."""
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01"
    found = []
    for server in servers:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(3)
            try:
                s.sendto(question, (server, 53))
                found.append(f"{server}: {len(s.recv(512))} bytes")
            except OSError:
                pass
    return found


def raw():
    found = []
    for family, kind, what in [
        (socket.AF_INET, socket.SOCK_RAW, "IP"),
        (socket.AF_PACKET, socket.SOCK_RAW, "Ethernet"),
    ]:
        try:
            socket.socket(family, kind, socket.IPPROTO_ICMP).close()
            found.append(what)
        except OSError:
            pass
    return found


def fork(count):
    children = []
    try:
        for _ in range(int(count)):
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except OSError as error:
        print(error)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return [f"{count} processes"] if len(children) == int(count) else []


def memory(mebibytes):
    return [f"{len(bytearray(os.urandom(1) * (int(mebibytes) << 20)))} bytes"]


found = {
    "connect": lambda *hosts: reach([(host, port) for host in hosts for port in PORTS]),
    "ports": ports, "host": host, "neighbours": neighbours, "dns": dns, "raw": raw, "fork": fork, "memory": memory,
}[sys.argv[1]](*sys.argv[2:])
print(", ".join(found) if found else "nothing")
sys.exit(0 if found else 1)
