"""A front that was taken over: it stands between a real issuerd and the running ca-signer. Each honest frame of issuerd
is held while thousands of hostile ones made from it go to the signer over connections of their own; then it is passed
on and must work, or the test would prove nothing.

  hostile_front.py DIR URL SEED COMMAND...   COMMAND starts an issuerd whose run_dir is DIR/hostile; as root
"""
import hashlib
import os
import pwd
import subprocess
import sys
import threading
import time
import urllib.request

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

sys.path[:0] = ["tests/e2e", "tests/sandbox"]
import client
import hostile_wire as wire
import orders
import zzformats as zz
from hostile_frames import Entries, Hostile, malleated
from hostile_wire import EXTEND, ISSUE, LAPSE, ORDER, PREPARE, STATE, framed
from orders import check, outcomes, today

MESSAGES = 10000
FRONT, PUBLISH, SIGNER = (pwd.getpwnam(name).pw_uid for name in ("zz-front", "zz-publish", "zz-signer"))
INVALID = 1


class Proxy:
    """Between issuerd and the signer, frame by frame; `armed` is what happens before the honest one goes on."""

    def __init__(self, path, h):
        self.h, self.lock, self.armed, self.taken, self.faults = h, threading.Lock(), {}, [], []
        self.grown = 0  # entries that issuerd handed in
        self.server = wire.socket.socket(wire.socket.AF_UNIX)
        self.server.bind(path)
        os.chmod(path, 0o666)
        self.server.listen(64)

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=(self.server.accept()[0],), daemon=True).start()

    def serve(self, near):
        far = wire.connect(self.h.front)
        while (frame := wire.frame_read(near)) is not None:
            with self.lock:
                self.before(*frame)
                far.sendall(framed(*frame))
                answer = wire.frame_read(far)
                if answer is not None:
                    self.after(*frame, *answer)
            if answer is None:
                break
            near.sendall(framed(*answer))
        near.close()
        far.close()

    def before(self, kind, body):
        value = cbor2.loads(body)
        wants, attack = self.armed.get(kind, (None, None))
        if wants is None or wants not in body:
            return
        del self.armed[kind]
        try:
            attack(body, value)
        except Exception as fault:  # told at the end; issuerd gets its answer
            self.faults.append(f"{wire.KINDS[kind - 1][0]}: {fault!r}")

    def after(self, kind, body, how, answer):
        if how != wire.ANSWER:
            return
        value = zz.decode(answer)
        if kind == EXTEND:
            self.extended(cbor2.loads(body), value)
        if kind != LAPSE and kind != STATE:
            self.taken.append((kind, body, cbor2.loads(body), value, answer))

    def extended(self, asked, value):
        """The log grew by what issuerd handed in, and by nothing else since it was last seen."""
        first, rows = asked
        self.grown += max(0, first + len(rows) - self.h.head.size)
        if value[0] != max(first + len(rows), self.h.head.size) or self.h.head.size < first:
            self.faults.append(f"the log went from {self.h.head.size} to {value[0]}, asked {len(rows)} at {first}")
        self.h.judge.grown(value)
        self.h.head.size, self.h.head.root = value[:2]

    def newest(self, kind, wants):
        """The honest frame of that type that holds these bytes, with its answer."""
        return next(t for t in reversed(self.taken) if t[0] == kind and wants in t[1])


def digest_of(jws):
    return hashlib.sha256(jws.rpartition(b".")[0]).digest()


class Attack:
    def __init__(self, h, proxy, service):
        self.h, self.proxy, self.s, self.judge = h, proxy, service, h.judge
        self.keys = {**service.keys, "stranger": ec.generate_private_key(ec.SECP256R1())}
        self.twins = []

    def send(self, who, value, hooks=None):
        """Through issuerd, as a centre or an official; the hooks see its frames first."""
        jws = client.sign(self.keys[who], client.dump(value)).encode()
        wants = {ISSUE: jws, ORDER: jws}
        for kind, attack in (hooks or {}).items():
            self.proxy.armed[kind] = (wants.get(kind, digest_of(jws)), attack)
        return jws, self.s.named(self.s.call("POST", "/v1/requests", jws))[1]

    def approval(self, who, jws, **more):
        value = {"request": digest_of(jws).hex(), **client.times(86400), "decision": "approve", **more}
        return client.sign(self.keys[who], client.dump(value), "zz-approval+jwt").encode()

    # ---- a session ----

    def sessions(self):
        """As the centre might sign them, but for one thing."""
        now = int(time.time())
        good = client.session_request("330106-01", 2)

        def one(who="center", header=None, **more):
            value = {**good, **client.times(86400), **more}
            return client.sign(self.keys[who], client.dump(value), header=header).encode()

        for who in ("other", "wang", "stranger"):
            yield f"ISSUE: signed by {who}", one(who)
        yield "ISSUE: a stranger under the centre's kid", one("stranger", {"kid": client.kid_of(self.keys["center"])})
        yield "ISSUE: another centre's session", one("center", session={**good["session"], "center": "440305-02"})
        yield "ISSUE: of yesterday", one(iat=now - 86400 - self.h.rng.randrange(1, 9999), exp=now - 1)
        yield "ISSUE: valid for too long", one(exp=now + 86400 * 2)
        yield "ISSUE: of tomorrow", one(iat=now + 400, exp=now + 9999)
        seats = [{**client.seat(1)}, {**client.seat(1)}]
        yield "ISSUE: two people on one seat", one(results=seats)
        yield "ISSUE: of a type that is an order", one(type="revoke")

    def on_issue(self, payload):
        def attack(body, value):
            jws, grant = value[0], self.judge.issued(value[0], payload)
            self.h.spoil(ISSUE, body, 1500)
            self.h.lie(ISSUE, body, 120)
            for _ in range(150):
                self.h.ask("ISSUE: signature spoiled", ISSUE, [malleated(self.h.rng, jws, False), [], []])
            for _ in range(4):
                for label, other in self.sessions():
                    for _ in range(8):
                        self.h.ask(label, ISSUE, [other, [], []])
            # before it is in the log the signer answers anew, and the log takes one of the answers
            for again in [jws, malleated(self.h.rng, jws, True)] * 20:
                kind, answer = self.h.lines[0].ask(framed(ISSUE, cbor2.dumps([again, [], []])))[0]
                self.judge.judge("ISSUE: the honest one, or n - s, before it is logged", ISSUE, (kind, answer), grant)
                self.twins.append([row[3:6] + [row[2]] for row in cbor2.loads(answer)[2]])
        return attack

    def on_entries(self, kind):
        def attack(body, value):
            entries = Entries(self.h, kind, value, self.twins)
            self.h.spoil(kind, body, 600)
            entries.exchange(60)
        return attack

    def session(self):
        payload = client.session_request("330106-01", 4)
        jws, answer = self.send("center", payload, {
            ISSUE: self.on_issue(payload), PREPARE: self.on_entries(PREPARE), EXTEND: self.on_entries(EXTEND)})
        check("the session that was held is issued whole", ["issued"] * 4, outcomes(answer))
        _, issue, _, given, raw = self.proxy.newest(ISSUE, jws)
        self.judge.issued(jws, payload)(given)
        check("its records verify, and say what the centre signed", 4, len(given[2]))
        places = [self.places(row[2] for row in given[2])] * len(self.twins)
        check("what was answered before it was logged has the same places on the lists: it is revoked with it", places,
              [self.places(row[3] for row in twin) for twin in self.twins])
        return jws, answer, issue, raw

    def places(self, records):
        found = [zz.Record(record, self.judge.manifest.find("record")) for record in records]
        return [(record.list, record.idx) for record in found]

    def spent_session(self, jws, issue):
        """It is in the log: nothing more comes of it, by whichever road."""
        self.proxy.lock.acquire()
        _, prepare, _, _, _ = self.proxy.newest(PREPARE, digest_of(jws))
        _, extend, value, _, _ = self.proxy.newest(EXTEND, digest_of(jws))
        for _ in range(150):
            self.h.tell("ISSUE: again", ISSUE, framed(ISSUE, issue))
            self.h.ask("ISSUE: again, n - s", ISSUE, [malleated(self.h.rng, jws, True), [], []])
            self.h.tell("PREPARE: an old one", PREPARE, framed(PREPARE, prepare))
            self.h.tell("EXTEND: an old one", EXTEND, framed(EXTEND, extend), grant=self.judge.same_head)
        for kind in (PREPARE, EXTEND):
            entries = Entries(self.h, kind, value, self.twins)
            entries.spent("entries of the log", value[0], value[1], 100)
            for twin in self.twins:
                entries.spent("another answer to the same request", value[0], twin, 2)
                entries.told("the log's own entries, then another answer", value[0], entries.rows(value[1] + twin))
        self.proxy.lock.release()

    # ---- orders ----

    def on_order(self, record, other, serial):
        now = int(time.time())

        def attack(body, value):
            jws, _, (good,), _ = value
            h, rng = self.h, self.h.rng
            today_ = {"effective_at": today(), "ground": "R05"}
            elsewhere = client.sign(self.keys["wang"], client.dump(
                self.s.order("revoke", serials=[serial.hex()], **today_))).encode()
            bad = {"none": [], "for another order": [self.approval("li", elsewhere)],
                   "of the sender": [self.approval("wang", jws)], "of a centre": [self.approval("center", jws)],
                   "of a stranger": [self.approval("stranger", jws)], "that is a rejection": [
                       self.approval("li", jws, decision="reject")],
                   "that is old": [self.approval("li", jws, iat=now - 9 * 86400, exp=now - 86400)],
                   "twice": [good, good], "twice by one person": [good, self.approval("li", jws)],
                   "for another list": [self.approval("li", jws, list_sha256="00" * 32)],
                   "that is the order": [jws]}
            h.spoil(ORDER, body, 1000)
            h.lie(ORDER, body, 60)
            for _ in range(30):
                for what, approvals in bad.items():
                    h.ask(f"ORDER: approval {what}", ORDER, [jws, [], approvals, [record]])
                h.ask("ORDER: approved is another one", ORDER, [elsewhere, [], [good], [record]])
                h.ask("ORDER: another record", ORDER, [jws, [], [good], [other]])
                h.ask("ORDER: a list that nobody signed", ORDER, [jws, [serial], [good], [record]])
                h.ask("ORDER: signature spoiled", ORDER, [malleated(rng, jws, False), [], [good], [record]])
                h.ask("ORDER: approval spoiled", ORDER, [jws, [], [malleated(rng, good, False)], [record]])
                h.ask("ORDER: sent as ISSUE", ISSUE, [jws, [good], [record]])
            for who in ("center", "stranger"):
                value = self.s.order("revoke", serials=[serial.hex()], **today_)
                text = client.sign(self.keys[who], client.dump(value)).encode()
                h.ask(f"ORDER: signed by {who}", ORDER, [text, [], [self.approval("li", text)], [record]])
            grant = self.judge.ordered(jws, [serial], INVALID)
            for again in ([jws, [], [malleated(rng, good, True)], [record]],
                          [malleated(rng, jws, True), [], [good], [record]]):
                h.ask("ORDER: the honest one with n - s, before it is logged", ORDER, again, grant)
        return attack

    def approve(self, who, jws, hooks=None):
        for kind, attack in (hooks or {}).items():
            self.proxy.armed[kind] = (jws, attack)
        return self.s.approve(who, digest_of(jws).hex())[1]

    def order(self, kind, serial, who=None, hooks=None, **more):
        jws, answer = self.send("wang", self.s.order(kind, serials=[serial.hex()], **more))
        if who:
            answer = self.approve(who, jws, hooks)
        return jws, answer

    def spent_order(self, jws, times):
        """ORDER, and the entry that it gave, after the certificate has moved on."""
        self.proxy.lock.acquire()
        _, body, _, _, _ = self.proxy.newest(ORDER, jws)
        _, extend, (old, rows), _, _ = self.proxy.newest(EXTEND, digest_of(jws))
        for _ in range(times):
            self.h.tell("ORDER: again", ORDER, framed(ORDER, body))
            self.h.tell("EXTEND: an old one", EXTEND, framed(EXTEND, extend), grant=self.judge.same_head)
        for kind in (PREPARE, EXTEND):
            Entries(self.h, kind, None, None).spent("an order's entry", old, rows, times)
        self.proxy.lock.release()
        return old, rows

    def hold(self, serial):
        first, answer = self.order("suspend", serial, ground="S01", effective_at=today(), until=today(10))
        check("a hold begins", ["suspended"], outcomes(answer))
        second, answer = self.order("reinstate", serial, "li")
        check("a hold ends", ["reinstated"], outcomes(answer))
        (begun_at, begun), (_, ended) = self.spent_order(first, 60), self.spent_order(second, 60)
        with self.proxy.lock:
            for kind in (PREPARE, EXTEND):
                for rows in (ended + begun, begun + ended, begun + begun):
                    entries = Entries(self.h, kind, None, None)
                    entries.spent("a hold after its end", begun_at, rows, 20)

    def old_frames(self):
        """Whatever was honest once, spoiled. Of entries that the log has EXTEND does not look at the record again."""
        with self.proxy.lock:
            for kind, body, *_ in self.proxy.taken:
                self.h.spoil(kind, body, 30, self.judge.same_head if kind == EXTEND else None)


def knock(h, folder):
    """Who may enter where: [null] is STATE, which every socket answers to its own user."""
    entered = []
    for name in ("front", "publish", "admin"):
        for who, uid in {"front": FRONT, "publish": PUBLISH, "signer": SIGNER, "nobody": 65534, "root": 0}.items():
            with wire.user(uid):
                line = wire.Line(f"{folder}/run/{name}.sock")
                answers = line.ask(framed(STATE, cbor2.dumps([None])), True)
            if answers:
                entered.append(f"{who} at {name}.sock")
                h.head.size, h.head.root = cbor2.loads(answers[0][1])[:2]
    check("each socket takes its own user and closes on the four others",
          ["front at front.sock", "publish at publish.sock", "root at admin.sock"], entered)
    with wire.user(FRONT):  # for the log of the signer, which leaves out lines where there are too many a second
        h.tell("type of another socket", 0, framed(wire.KIND["INIT"], b"\x81\xf6"))
        h.tell("version unknown", 0, framed(STATE, b"\x81\xf6", version=7), True)


def crowd(h):
    """More connections than there are places; those that have one still work, and afterwards new ones do."""
    held, first = [], wire.Line(h.front)
    time.sleep(1.1)  # a new second for the signer's log, which writes so many lines in each
    ask = framed(STATE, cbor2.dumps([None]))
    check("a connection before the crowd is answered", 1, len(first.ask(ask)))
    for _ in range(70):
        held.append(wire.Line(h.front))
        try:
            held[-1].answers = held[-1].ask(ask)
        except OSError:
            held[-1].answers = []
    turned = sum(not line.answers for line in held)
    check("of 70 connections more than there are places are turned away", True, 20 <= turned < 70)
    check("the connection from before is answered still", 1, len(first.ask(ask)))
    for line in held:
        line.close()
    end = time.monotonic() + 10
    while not (new := wire.Line(h.front).ask(ask)) and time.monotonic() < end:
        time.sleep(0.05)
    check("and after the crowd a new one is", 1, len(new))


def controls(a, jws, payload_of, issue_raw):
    """The judge would see it: honest answers under a hostile label, and answers that were changed."""
    def complains(kind, raw, grant=None):
        judge = wire.Judge(a.judge.manifest, a.h.head)
        judge.judge("control", kind, (wire.ANSWER, raw), grant)
        return len(judge.complaints)

    extend = a.proxy.newest(EXTEND, b"")
    kept = {ISSUE: issue_raw, **{kind: a.proxy.newest(kind, b"")[4] for kind in (ORDER, EXTEND, PREPARE)}}
    check("control: an honest answer under a hostile label is complained of: ISSUE, ORDER, EXTEND, PREPARE", [1] * 4,
          [complains(kind, raw) for kind, raw in kept.items()])
    grant = a.judge.issued(jws, payload_of)
    check("control: the honest answer itself is none", 0, complains(ISSUE, issue_raw, grant))
    value = cbor2.loads(issue_raw)
    found = []
    for change in (lambda v: v[2][0].__setitem__(2, v[2][1][2]),  # another person's record
                   lambda v: v[2][0].__setitem__(2, v[2][0][2][:-1] + bytes([v[2][0][2][-1] ^ 1])),  # spoiled
                   lambda v: v[2][0].__setitem__(3, v[2][1][3]),  # another entry
                   lambda v: v[2].append(v[2][0])):  # a seat more
        other = cbor2.loads(cbor2.dumps(value))
        change(other)
        found.append(complains(ISSUE, cbor2.dumps(other), grant))
    other = {**payload_of, "results": [{**s, "name": "别人"} for s in payload_of["results"]]}
    found.append(complains(ISSUE, issue_raw, a.judge.issued(jws, other)))
    check("control: a record of someone else, a spoiled one, another entry, one more, another name are", [1] * 5, found)
    moved = cbor2.loads(extend[4])
    moved[0] += 1
    check("control: and a head that is not the log's", 1, complains(EXTEND, cbor2.dumps(moved), a.judge.same_head))


def wait_ready(url, process):
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            return urllib.request.urlopen(f"{url}/readyz", timeout=5).status == 200
        except OSError:
            time.sleep(0.1)
    return False


def attack_run(a):
    s = a.s
    _, answer = s.issue("center", "330106-01", 2)
    check("the honest front issues through the hostile one", ["issued"] * 2, outcomes(answer))
    hanging = [wire.connect(a.h.front) for _ in range(8)]
    for sock in hanging:
        sock.sendall(framed(EXTEND, b"\x82" * 100000, 30 << 20))  # the rest never comes
    jws, answer, issue, raw = a.session()
    a.spent_session(jws, issue)
    serials = [bytes.fromhex(row["serial"]) for row in answer["seats"]]
    records = [row[2] for row in cbor2.loads(raw)[2]]
    revoke = {"ground": "R05", "effective_at": today()}
    hooks = {ORDER: a.on_order(records[0], records[1], serials[0])}
    order, answer = a.order("revoke", serials[0], "li", hooks, **revoke)
    check("the order that was held is executed", ["revoked"], outcomes(answer))
    a.spent_order(order, 80)
    a.hold(serials[2])
    a.old_frames()
    for sock in hanging:
        sock.close()
    _, answer = s.issue("center", "330106-01", 3)
    check("the honest front issues still, on such a connection", ["issued"] * 3, outcomes(answer))
    return jws, raw


def main():
    folder, url, seed, *command = sys.argv[1:]
    print(f"# seed {seed}", flush=True)
    with open(f"{folder}/trust/root.pub", "rb") as root, open(f"{folder}/public/manifest.cose", "rb") as manifest:
        manifest = zz.Manifest(manifest.read(), zz.Key.pem(root.read()))
    head = wire.Head()
    h = Hostile(folder, int(seed), wire.Judge(manifest, head), head)
    knock(h, folder)
    size = head.size
    proxy = Proxy(f"{folder}/hostile/front.sock", h)
    a = Attack(h, proxy, orders.Service(folder, url))
    process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL)
    os.seteuid(FRONT)
    threading.Thread(target=proxy.run, daemon=True).start()
    try:
        check("an issuerd runs behind the hostile front", True, wait_ready(url, process))
        jws, raw = attack_run(a)
        check(f"the log grew by the {proxy.grown} entries of honest frames alone", proxy.grown, head.size - size)
        crowd(h)
        payload = zz.json.loads(zz.unb64url(jws.split(b".")[1].decode()))
        controls(a, jws, payload, raw)
    finally:
        os.seteuid(0)
        process.terminate()
        process.wait(30)
    for i, name in enumerate(("revoked", "good")):  # seats 1 and 2, kept back: what no log holds
        with open(f"{folder}/hostile/{name}.cose", "wb") as file:
            file.write(a.twins[0][i][3])
    told = a.judge.told
    for label in sorted(told):
        print(f"# {told[label]:5} {label}")
    print("# answers:", ", ".join(f"{word} {n}" for word, n in a.judge.answers.most_common()))
    check("no hostile hook failed, and each was called", ([], {}), (proxy.faults, proxy.armed))
    check(f"at least {MESSAGES} hostile messages were told", True, sum(told.values()) >= MESSAGES)
    check("nothing was signed but what honest requests ask for", [], a.judge.complaints[:10])
    orders.leave()


if __name__ == "__main__":
    main()
