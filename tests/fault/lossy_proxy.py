#!/usr/bin/python3
"""Stands between issuerd and PostgreSQL and cuts the connection at every 25th COMMIT: before it reaches the server,
as it reaches it, or when the server has answered, in turn.

  lossy_proxy.py FOLDER SERVER-FOLDER    both hold .s.PGSQL.5432; ends on SIGTERM and says what it cut"""
import itertools
import os
import signal
import socket
import sys
import threading

NAME, EACH = ".s.PGSQL.5432", 25
FATES = ("before it reached the server", "as it reached the server", "after the server's answer")
commits, cuts = itertools.count(1), {fate: 0 for fate in FATES}


def close(*sockets):
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def fate_of(data):
    if not data.endswith(b"COMMIT\0"):
        return None
    n = next(commits)
    return FATES[n // EACH % 3] if n % EACH == 0 else None


def to_server(client, server, mute):
    while True:
        data = client.recv(1 << 20)
        if not data:
            break
        fate = fate_of(data)
        if fate == FATES[2]:
            mute.set()
        if fate != FATES[0]:
            server.sendall(data)
        if fate:
            cuts[fate] += 1
        if fate in FATES[:2]:
            break
    close(client, server)


def to_client(client, server, mute):
    while True:
        data = server.recv(1 << 20)
        if not data or mute.is_set():
            break
        client.sendall(data)
    close(client, server)


def relay(pump, client, server, mute):
    try:
        pump(client, server, mute)
    except OSError:
        close(client, server)


def serve(listener, target):
    while True:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(target)
        except OSError:
            client.close()
            continue
        mute = threading.Event()
        for pump in (to_server, to_client):
            threading.Thread(target=relay, args=(pump, client, server, mute), daemon=True).start()


def end(*_):
    print(", ".join(f"{n} {fate}" for fate, n in cuts.items()), flush=True)
    os._exit(0)


def main(folder, target):
    signal.signal(signal.SIGTERM, end)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, NAME))
    listener.listen(64)
    serve(listener, os.path.join(target, NAME))


if __name__ == "__main__":
    main(*sys.argv[1:])
