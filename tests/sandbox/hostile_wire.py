"""Frames of the signer's protocol (ca/frame.h), connections as any user, and the judge of what comes back: whatever is
signed in an answer must be what an honest request asked for, or it is a complaint."""
import collections
import contextlib
import hashlib
import os
import re
import socket
import struct
import sys

import cbor2

sys.path[:0] = ["tests/interop"]
import zzformats as zz

KINDS = re.findall(r"^\tFRAME_([A-Z]+)( = 1)?,$", open("ca/frame.h").read(), re.M)
KIND = {name: number for number, (name, _) in enumerate(KINDS, 1)}
ISSUE, ORDER, LAPSE, PREPARE, EXTEND, STATE = (KIND[name] for name in "ISSUE ORDER LAPSE PREPARE EXTEND STATE".split())
ANSWER, ERROR = 0x40, 0x41
FRONT_MAY = (ISSUE, ORDER, LAPSE, PREPARE, EXTEND, STATE)
WORDS = set(re.findall(r'X\(ERR_\w+, "(\w+)", [45]', open("ca/err.h").read()))
WAIT_S = 20  # an answer that takes longer is a signer that hangs


def framed(kind, body, length=None, version=1):
    return struct.pack(">IBB", len(body) + 2 if length is None else length, version, kind) + body


def exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            return None
        data += more
    return data


def frame_read(sock):
    """(type, body), or None where the other side has closed."""
    try:
        head = exactly(sock, 6)
        if head is None:
            return None
        length, version, kind = struct.unpack(">IBB", head)
        zz.need(version == 1 and length >= 2, f"a frame of version {version}, length {length}")
        body = exactly(sock, length - 2)
        return None if body is None else (kind, body)
    except ConnectionResetError:
        return None


@contextlib.contextmanager
def user(uid):
    """The peer that SO_PEERCRED tells is who connected."""
    before = os.geteuid()
    os.seteuid(0)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.seteuid(before)


def connect(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(WAIT_S)
    sock.connect(path)
    return sock


class Line:
    """One connection, made anew after the signer closed it."""

    def __init__(self, path):
        self.path, self.sock = path, None

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def ask(self, data, last=False):
        """The frames that come back: one; where `data` is the last that is sent, all until the signer closes."""
        if last:
            self.close()
        self.sock = self.sock or connect(self.path)
        answers = []
        try:
            self.sock.sendall(data)
            if last:
                self.sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused after the head already
        while (answer := frame_read(self.sock)) is not None:
            answers.append(answer)
            if not last:
                break
        # after a breach of protocol the signer answers, then closes
        if answer is None or (answer[0] == ERROR and b"protocol_violation" in answer[1]):
            self.close()
        return answers


class Head:
    """What the log is: as the signer said it to the honest front last."""
    size = root = None


class Judge:
    def __init__(self, manifest, head):
        self.manifest, self.head, self.complaints = manifest, head, []
        self.told, self.answers = collections.Counter(), collections.Counter()

    def judge(self, label, kind, answer, grant=None):
        """grant: what may be given nevertheless, and raises Refused where it is anything else."""
        self.told[label] += 1
        try:
            self.answers[self.look(kind, answer, grant)] += 1
        except (zz.Refused, ValueError, TypeError, IndexError, KeyError, AttributeError) as fault:
            self.complaints.append(f"{label}: {fault}")

    def look(self, kind, answer, grant):
        if answer is None:
            return "(closed)"
        value = zz.decode(answer[1])
        if answer[0] == ERROR:
            word, _ = value
            zz.need(word in WORDS, f"error {word}")
            return word
        zz.need(answer[0] == ANSWER, f"answer of type {answer[0]}")
        if kind in (ISSUE, ORDER):
            signed = [row for row in value[2] if any(part is not None for part in row[2 if kind == ISSUE else 3:])]
            zz.need(grant or not signed, f"{len(signed)} rows are signed")
        elif kind == PREPARE:
            zz.need(value[0] == self.head.size, f"it is ready at size {value[0]}")
            zz.need(grant or value[1], "every entry would do")
        elif kind == EXTEND:
            zz.need(grant, f"a head of size {value[0]} is signed")
        elif kind == LAPSE:
            zz.need(value == [], "a hold has lapsed")
        elif kind == STATE:
            zz.need(value[:2] == [self.head.size, self.head.root], f"the log moved to {value[0]}")
        else:
            raise zz.Refused(f"type {kind} has an answer")
        if grant:
            grant(value)
            return "(as the honest one)"
        return "(nothing in it)"

    # ---- what an honest request is given ----

    def issued(self, jws, payload):
        """Each record says what the centre signed, and its entry follows from it."""
        digest = hashlib.sha256(jws.rpartition(b".")[0]).digest()

        def grant(value):
            zz.need(value[1] == digest and len(value[2]) == len(payload["results"]), "another request")
            for row, seat in zip(value[2], payload["results"]):
                record = zz.Record(row[2], self.manifest.find("record"))
                want = [seat["name"], seat["doc_type"], seat["doc_number"], payload["session"]["item"],
                        payload["session"]["center"], bytes.fromhex(seat["photo_sha256"])[:16], digest]
                zz.need([record.cert[key] for key in (2, 3, 4, 6, 11, 12, 13)] == want, "it says something else")
                zz.need(record.entry() == row[3] and row[0] == seat["seat"] and row[6] is None, "another entry, seat")
        return grant

    def ordered(self, jws, serials, status):
        digest = hashlib.sha256(jws.rpartition(b".")[0]).digest()

        def grant(value):
            zz.need(value[1] == digest and [row[0] for row in value[2]] == serials, "another order")
            for row in value[2]:
                entry = zz.decode(row[3])
                zz.need(entry[:3] == [1, 2, row[0]] and entry[5] == status and entry[-1] == digest, f"entry {entry}")
        return grant

    def ready(self, value):
        zz.need(value[1] == [], f"not ready: {value[1]}")

    def grown(self, value):
        """A head of the log by its own key."""
        size, root, _, protected, signature = value
        head = zz.decode(protected)
        zz.need(head[-65541] == size, "a signature over another size")
        key = self.manifest.find("log")(head[4])
        zz.need(key is not None, "no key of the log")
        key.verify(signature, cbor2.dumps(["Signature1", protected, b"", root]))

    def same_head(self, value):
        zz.need(value[:2] == [self.head.size, self.head.root], f"the log is another one: {value[0]}")
        self.grown(value)
