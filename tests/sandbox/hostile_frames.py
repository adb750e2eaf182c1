"""Hostile messages made from honest ones: any frame spoiled or lied about, lists of entries with their parts exchanged,
signatures in another spelling. The same seed draws the same ones."""
import random

import cbor2

import client
import hostile_wire as wire
import zzformats as zz
from hostile_wire import PREPARE, STATE, framed

P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def malleated(rng, jws, twin):
    """The same signature in another spelling: n - s, which verifies too, or what must not verify."""
    text, _, signature = jws.decode().rpartition(".")
    raw = zz.unb64url(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    new = (r, P256 - s) if twin else rng.choice([
        (r ^ 1 << rng.randrange(256), s), (r, s ^ 1 << rng.randrange(256)), (0, s), (r, 0), (r, P256), (s, r),
        (P256 - r, s), (P256 - r, P256 - s), (2 ** 256 - 1, s)])
    return f"{text}.{client.b64(b''.join((n % 2 ** 256).to_bytes(32, 'big') for n in new))}".encode()


class Hostile:
    def __init__(self, folder, seed, judge, head):
        self.front = f"{folder}/run/front.sock"
        self.rng, self.judge, self.head = random.Random(seed), judge, head
        self.lines = [wire.Line(self.front) for _ in range(6)]

    def tell(self, label, kind, data, last=False, grant=None):
        answers = self.rng.choice(self.lines).ask(data, last) or [None]
        self.judge.judge(label, kind, answers[0], grant)
        for more in answers[1:]:  # what a lying length left behind was read as frames
            self.judge.judge("what a lying length left behind", None, more)

    def ask(self, label, kind, value, grant=None):
        self.tell(label, kind, framed(kind, cbor2.dumps(value)), grant=grant)

    # ---- whatever the frame ----

    def flipped(self, body):
        copy = bytearray(body)
        copy[self.rng.randrange(len(copy))] ^= 1 << self.rng.randrange(8)
        return bytes(copy)

    def spoil(self, kind, body, times, grant=None):
        name = wire.KINDS[kind - 1][0]
        for _ in range(times):
            self.tell(f"{name}: bits flipped", kind, framed(kind, self.flipped(body)), grant=grant)
        for _ in range(times // 4):
            cut = body[:self.rng.randrange(len(body))]
            self.tell(f"{name}: cut, told as whole", kind, framed(kind, cut))
            trailing = body + self.rng.randbytes(1 + self.rng.randrange(64))
            self.tell(f"{name}: bytes after the end", kind, framed(kind, trailing))
        for _ in range(times // 16):
            eight = b"".join(framed(kind, self.flipped(body)) for _ in range(8))
            answers = self.lines[0].ask(eight, True)
            for i in range(8):
                self.judge.judge(f"{name}: eight in one write", kind, answers[i] if i < len(answers) else None, grant)

    def lie(self, kind, body, times):
        """Lengths, types and versions that are not true; the signer answers nothing and closes, or refuses."""
        n = len(body) + 2
        for _ in range(times):
            whole = framed(kind, body)
            self.tell("frame cut", kind, whole[:self.rng.randrange(len(whole))], True)
            self.tell("length too short", kind, framed(kind, body, self.rng.randrange(n)), True)
            self.tell("length too long", kind, framed(kind, body, n + 1 + self.rng.randrange(1 << 20)), True)
            self.tell("length over the limit", kind, framed(kind, body, self.rng.randrange(40 << 20, 1 << 32)), True)
            self.tell("version unknown", kind, framed(kind, body, version=self.rng.choice([0, 2, 255])), True)
            unknown = self.rng.randrange(len(wire.KINDS) + 1, 256)
            self.tell("type unknown", unknown, framed(unknown, body), True)
            others = [k for k in range(1, len(wire.KINDS) + 1) if k not in wire.FRONT_MAY]
            other = self.rng.choice(others)
            self.tell("type of another socket", other, framed(other, self.rng.choice([body, b"\x80", b"\x81\x00"])))
            wrong = self.rng.choice([k for k in wire.FRONT_MAY if k != kind])
            self.tell("body of another type", wrong, framed(wrong, body))
            self.ask("STATE: the front tells what is public", STATE, [self.rng.choice([b"", self.rng.randbytes(90)])])


class Entries:
    """Hostile lists of entries for PREPARE and EXTEND, made from the honest frame and from other answers."""

    def __init__(self, h, kind, value, others):
        self.h, self.kind, self.value, self.others = h, kind, value, others
        self.name = wire.KINDS[kind - 1][0]

    def told(self, what, size, rows, grant=None):
        self.h.ask(f"{self.name}: {what}", self.kind, [size, rows], grant)

    def rows(self, entries):
        return [list(row[:3 if self.kind == PREPARE else 4]) for row in entries]

    def exchange(self, times):
        size, entries = self.value
        for _ in range(times):
            rows = self.rows(entries)
            i, k = self.h.rng.sample(range(len(rows)), 2)
            part = self.h.rng.randrange(len(rows[0]) + 1)
            if part == len(rows[0]):
                rows[i] = rows[k]  # two seats, one index
            else:
                rows[i][part], rows[k][part] = rows[k][part], rows[i][part]
            self.told("two people's parts exchanged", size, rows)
            self.told("seats in another order", size, self.rows(entries[::-1]))
            rows = self.rows(entries)
            rows[i] = self.rows([self.h.rng.choice(self.others)[i]])[0]
            self.told("seats of two answers", size, rows)
            self.told("two answers, one after the other", size, self.rows(entries + self.h.rng.choice(self.others)))
            self.told("a log that is not there", size + 1 + self.h.rng.randrange(1 << 40), self.rows(entries))
            self.told("a log that falls back", self.h.rng.randrange(size), self.rows(entries))

    def spent(self, what, old, entries, times):
        """What is in the log already, or can never be, brought again; below `old` it never was."""
        for _ in range(times):
            self.told(f"{what}, at the end", self.h.head.size, self.rows(entries))
            self.told(f"{what}, where it was not", self.h.rng.randrange(old), self.rows(entries))
