#!/usr/bin/python3
"""An exam centre's or official's own software, as a stranger would write it: signs requests (good and bad ones) and
loads a service. Nothing of ours is used.

  client.py request KEY.pem CENTER [--seats N] [--days D] [--set PATH=JSON] [--header NAME=VALUE] [--payload FILE]
            [--bad-signature]        one signed request on standard output; D: examination so many days ago;
                                     PATH as session.item, results.0.seat, type; --payload: these bytes instead
  client.py order KEY.pem SERIAL     a revocation of it
  client.py roster ROSTER.jws ROOT.pem [--expired KEY.pem CENTER] [--capped KEY.pem CENTER CAP]
            [--official KEY.pem] [--remove KEY.pem] [--plain]
                                     the next version of it with another key, with the approvals of official-wang
                                     and official-li beside the root, signed by it; --plain: its payload alone
  client.py csv SEATS                results of new people, as zz submit takes them
  client.py seats ANSWER.json        "seat,outcome", a line each
  client.py load KEY.pem CENTER SECONDS FOLDER URL [URL ...]
                                     four connections hand in small sessions; every failure is retried with the same
                                     bytes until it is answered; FOLDER gets <request>.jws and acknowledged.txt
                                     (serial index request SHA-256 of the record, a line each)
  client.py again FOLDER URL         sends all of them once more: the answers must name the same serials
"""
import argparse
import base64
import hashlib
import http.client
import itertools
import json
import os
import secrets
import sys
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

CHECK, WEIGHTS = "10X98765432", (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65".split()
ITEM = {"330106-01": "030102", "440305-02": "030301"}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def load_key(path):
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def jwk_of(key):
    n = key.public_key().public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": b64(n.x.to_bytes(32, "big")), "y": b64(n.y.to_bytes(32, "big"))}


def kid_of(key):
    text = json.dumps(jwk_of(key), separators=(",", ":"), sort_keys=True)
    return b64(hashlib.sha256(text.encode()).digest())


def sign(key, payload, typ="zz-request+jwt", header=None):
    head = {"alg": "ES256", "kid": kid_of(key), "typ": typ, **(header or {})}
    text = f"{b64(json.dumps(head).encode())}.{b64(payload)}"
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


# People who do not exist, each once: twenty a millisecond, so that no two runs of hours name the same.
people = itertools.count(int(time.time() * 1000) * 20)


def person():
    n = next(people) % (len(PROVINCES) * 9000 * 999)
    n, order = divmod(n, 999)
    province, day = divmod(n, 9000)
    born = time.strftime("%Y%m%d", time.gmtime(day * 86400))
    text = f"{PROVINCES[province]}0000{born}{order + 1:03d}"
    return text + CHECK[sum(int(d) * w for d, w in zip(text, WEIGHTS)) % 11], "F" if order % 2 else "M"


def seat(number):
    document, sex = person()
    return {"seat": number, "name": "测试员", "sex": sex, "doc_type": "01", "doc_number": document, "theory": 90.5,
            "practical": 88.0, "photo_sha256": secrets.token_hex(32), "evidence_sha256": secrets.token_hex(32)}


def times(lifetime):
    now = int(time.time())
    return {"jti": secrets.token_urlsafe(24), "iat": now, "exp": now + lifetime}


def session_request(center, seats=1, days=3):
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600 - days * 86400))
    return {"type": "issue", **times(86400), "session": {
        "id": f"{center}-{secrets.token_hex(4)}", "center": center, "region": center[:2] + "0000",
        "item": ITEM.get(center, "030102"), "basis": "initial", "theory_at": f"{day}T00:00:01+08:00",
        "practical_at": f"{day}T00:00:02+08:00", "paper_sha256": secrets.token_hex(32),
        "recording_sha256": secrets.token_hex(32), "examiners": ["E1", "E2"]},
        "results": [seat(i + 1) for i in range(seats)]}


def put(value, path, new):
    *parents, last = path.split(".")
    for name in parents:
        value = value[int(name) if isinstance(value, list) else name]
    value[int(last) if isinstance(value, list) else last] = new


def request(args):
    key = load_key(args.key)
    value = session_request(args.center, args.seats, args.days)
    for change in args.set:
        path, _, text = change.partition("=")
        put(value, path, json.loads(text))
    payload = dump(value)
    if args.payload:
        with open(args.payload, "rb") as file:
            payload = file.read()
    text = sign(key, payload, header=dict(h.split("=", 1) for h in args.header))
    if args.bad_signature:
        text = sign(ec.generate_private_key(ec.SECP256R1()), payload, header={"kid": kid_of(key)})
    sys.stdout.write(text)


def order(args):
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))
    sys.stdout.write(sign(load_key(args.key), dump(
        {"type": "revoke", **times(86400), "ground": "R05", "decision_no": "1", "decided_at": today,
         "effective_at": today, "serials": [args.serial]})))


def roster_sign(value, root):
    """By the root, with the approvals of official-wang and official-li, whose keys lie beside it, in front."""
    value.pop("enrolled_by", None)
    text, now = dump(value), int(time.time())
    digest, folder = hashlib.sha256(text).hexdigest(), os.path.dirname(root)
    two = [sign(load_key(f"{folder}/official-{name}.pem"), dump(
        {"request": digest, "jti": b64(secrets.token_bytes(16)), "iat": now, "exp": now + 86400,
         "decision": "approve"}), "zz-approval+jwt") for name in ("wang", "li")]
    whole = b'{"enrolled_by":["%s","%s"],' % tuple(t.encode() for t in two) + text[1:]
    return sign(load_key(root), whole, "zz-roster+jwt")


def roster(args):
    with open(args.roster) as file:
        text = file.read().split(".")[1]
    value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    value["version"] += 1
    now = int(time.time())

    def add(path, code, **changes):
        like = next(o for o in value["operators"] if o.get("center", {}).get("code") == code)
        key = load_key(path)
        new = {**like, "kid": kid_of(key), "jwk": jwk_of(key), "person": "另一人"}
        new["center"] = {**like["center"], **changes.pop("center", {})}
        value["operators"].append({**new, **changes})

    if args.expired:
        add(*args.expired, not_before=now - 7200, not_after=now - 3600)
    if args.capped:
        path, center, cap = args.capped
        add(path, center, center={"code": f"{center}-capped", "daily_cap": int(cap)})
    value.pop("enrolled_by", None) # of the version before
    for kid in args.remove or ():
        value["operators"] = [o for o in value["operators"] if o["kid"] != kid_of(load_key(kid))]
    if args.official:
        key = load_key(args.official)
        like = next(o for o in value["operators"] if o["role"] == "official")
        value["operators"].append({**like, "kid": kid_of(key), "jwk": jwk_of(key), "person": "新来的人"})
    if args.plain:
        sys.stdout.buffer.write(dump(value))
        return
    sys.stdout.write(roster_sign(value, args.root))


def csv(args):
    rows = [seat(i + 1) for i in range(args.count)]
    print(",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows), sep="\n")


def seats(args):
    with open(args.answer) as file:
        rows = json.load(file)["seats"]
    print("seat,outcome", *(f"{row['seat']},{row['outcome']}" for row in rows), sep="\n")


class Client:
    """One connection, made again after each failure."""

    def __init__(self, urls):
        self.urls, self.turn, self.connection = urls, secrets.randbelow(len(urls)), None

    def post(self, body):
        if self.connection is None:
            url = urllib.parse.urlsplit(self.urls[self.turn % len(self.urls)])
            self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=15)
        try:
            self.connection.request("POST", "/v1/requests", body, {"Content-Type": "application/jose"})
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.connection.close()
            self.connection, self.turn = None, self.turn + 1
            return 0, {}

    def post_until_answered(self, body, give_up):
        """A retry is the same bytes; another front may get it."""
        while time.monotonic() < give_up:
            status, answer = self.post(body)
            if status in (200, 201):
                return answer
            if status and status != 429 and status < 500:
                sys.exit(f"client: refused: {status} {answer}")
            time.sleep(0.1)
        sys.exit("client: no answer at all")


def certificates(answer):
    for row in answer["seats"]:
        if row["outcome"] != "issued":
            sys.exit(f"client: seat {row['seat']}: {row['outcome']}")
        record = base64.urlsafe_b64decode(row["record"] + "=" * (-len(row["record"]) % 4))
        yield row["serial"], row["index"], hashlib.sha256(record).hexdigest()


def work(args, key, end, lines, failures):
    client = Client(args.url)
    try:
        while time.monotonic() < end:
            body = sign(key, dump(session_request(args.center, 5))).encode()
            name = hashlib.sha256(body.rsplit(b".", 1)[0]).hexdigest()
            with open(os.path.join(args.folder, f"{name}.jws"), "wb") as file:
                file.write(body)
            answer = client.post_until_answered(body, end + 60)
            if answer["request"] != name or answer["state"] != "executed":
                sys.exit(f"client: answer to another request, or {answer['state']}")
            lines.extend(f"{serial} {index} {name} {digest}\n" for serial, index, digest in certificates(answer))
    except (SystemExit, KeyError) as fault:
        failures.append(str(fault))


def load(args):
    key, lines, failures = load_key(args.key), [], []
    end = time.monotonic() + args.seconds
    threads = [threading.Thread(target=work, args=(args, key, end, lines, failures)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(os.path.join(args.folder, "acknowledged.txt"), "w") as file:
        file.writelines(sorted(lines))
    print(f"client: {len(lines)} certificates acknowledged")
    if failures:
        sys.exit("\n".join(failures))


def again(args):
    client, lines = Client([args.url]), []
    for name in sorted(n for n in os.listdir(args.folder) if n.endswith(".jws")):
        with open(os.path.join(args.folder, name), "rb") as file:
            answer = client.post_until_answered(file.read(), time.monotonic() + 60)
        lines.extend(f"{serial} {index} {name[:-4]} {digest}\n" for serial, index, digest in certificates(answer))
    with open(os.path.join(args.folder, "acknowledged.txt")) as file:
        first = file.readlines()
    if sorted(lines) != first:
        sys.exit(f"client: other answers: {sorted(set(first) ^ set(lines))[:4]}")
    print(f"client: {len(lines)} certificates, the same answers")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(run, *names):
        sub = commands.add_parser(run.__name__)
        sub.set_defaults(run=run)
        for name in names:
            sub.add_argument(name)
        return sub

    sub = command(request, "key", "center")
    sub.add_argument("--seats", type=int, default=1)
    sub.add_argument("--days", type=int, default=3)
    sub.add_argument("--set", action="append", default=[])
    sub.add_argument("--header", action="append", default=[])
    sub.add_argument("--payload")
    sub.add_argument("--bad-signature", action="store_true")
    command(order, "key", "serial")
    sub = command(roster, "roster", "root")
    sub.add_argument("--expired", nargs=2)
    sub.add_argument("--capped", nargs=3)
    sub.add_argument("--official")
    sub.add_argument("--remove", action="append")
    sub.add_argument("--plain", action="store_true")
    command(seats, "answer")
    command(csv).add_argument("count", type=int)
    sub = command(load, "key", "center")
    sub.add_argument("seconds", type=float)
    sub.add_argument("folder")
    sub.add_argument("url", nargs="+")
    command(again, "folder", "url")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
