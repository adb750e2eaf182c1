#!/usr/bin/python3
"""Makes tests/vectors/record.json and request.json with python3-cbor2 and python3-cryptography only, so that they
test the C code and not themselves. The Ed25519 ones come out the same each time; ES256 signatures are random, so
those in the files were made once: run this only to add cases, and read the difference before you keep it.

  make_vectors.py FOLDER"""
import datetime
import json
import os
import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from zzformats import BASE45, DAY, RECORD, SHANGHAI, Key, b64url, sha256, shanghai_day

HOST = "zz.example.gov.cn"


class Signer:
    """A key that everybody knows: secret bytes first, first + 1, ..."""

    def __init__(self, suite, first):
        secret = bytes((first + i) % 256 for i in range(32))
        self.suite = suite
        if suite == "ed25519":
            self.private = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        else:
            self.private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
        self.key = Key(self.private.public_key())

    def sign(self, message):
        if self.suite == "ed25519":
            return self.private.sign(message)
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def named(self):
        return {"suite": self.suite, "private_key": self.private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "public_key": self.private.public_key().public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()}


def base45(data):
    out = ""
    for at in range(0, len(data), 2):
        group = data[at:at + 2]
        value = int.from_bytes(group, "big")
        for _ in range(len(group) + 1):
            out += BASE45[value % 45]
            value //= 45
    return out


# ---- records ----

def day(text):
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


def start(text):
    return day(text) * DAY - SHANGHAI


USUAL = {"iss": HOST, "iat": start("2026-10-18") + 36000, "first_day": "2026-10-18", "last_day": "2032-10-17",
         "cti": "0199f3a0b1c27d4e8f90a1b2c3d4e5f6", "list": 0, "idx": 77, "name": "买买提·艾力",
         "doc_type": "01", "doc_number": "330000199608213897", "sex": 1, "item": "030102", "policy": "SP-19",
         "first_issued": "2026-10-18", "review_due": "2029-10-17", "region": "330000", "center": "330106-01",
         "photo": "00112233445566778899aabbccddeeff", "request": "a5" * 32, "item_name": "低压电工作业"}
CASES = {
    "usual": USUAL,
    "nothing that may be left out": {k: v for k, v in USUAL.items()
                                     if k not in ("sex", "review_due", "photo", "item_name")},
    "everything": {**USUAL, "sex": 2, "sequence": 0, "authority": "某省应急管理厅",
                   "follows": "0199f3a0b1c27d4e8f90000000000001"},
    "from 29 February, six years": {**USUAL, "iat": start("2028-02-29"), "first_day": "2028-02-29",
                                    "last_day": "2034-02-28", "first_issued": "2028-02-29",
                                    "review_due": "2031-02-28"},
    "to 29 February, in the last second of a day": {
        **USUAL, "iat": start("2026-03-01") - 1 + DAY, "first_day": "2026-03-01", "last_day": "2032-02-29",
        "first_issued": "2020-03-01", "review_due": "2029-02-28"},
    "management, the last place of the last list": {
        **{k: v for k, v in USUAL.items() if k not in ("review_due", "item_name")}, "item": "020602",
        "policy": "MG-44", "last_day": "2029-10-17", "list": 4294967295, "idx": (1 << 20) - 1},
    "a name and a number of full length": {**USUAL, "name": "\U00020000" * 64, "doc_type": "08",
                                           "doc_number": "ABCDEFGHIJ0123456789"},
}


def certificate(c):
    members = {1: 1, 2: c["name"], 3: c["doc_type"], 4: c["doc_number"], 5: c.get("sex"), 6: c["item"], 7: c["policy"],
               8: day(c["first_issued"]), 9: day(c["review_due"]) if "review_due" in c else None, 10: c["region"],
               11: c["center"], 12: bytes.fromhex(c["photo"]) if "photo" in c else None,
               13: bytes.fromhex(c["request"]), 14: c.get("sequence"), 15: c.get("item_name"), 16: c.get("authority"),
               17: bytes.fromhex(c["follows"]) if "follows" in c else None}
    return {k: v for k, v in members.items() if v is not None}


def claims(c):
    return cbor2.dumps({1: c["iss"], 4: start(c["last_day"]) + DAY, 5: start(c["first_day"]), 6: c["iat"],
                        7: bytes.fromhex(c["cti"]),
                        65535: {"status_list": {"idx": c["idx"], "uri": f"https://{c['iss']}/status/{c['list']}"}},
                        -65537: certificate(c)})


def record(name, c, signer):
    assert shanghai_day(c["iat"]) == day(c["first_day"])
    payload = claims(c)
    protected = cbor2.dumps({1: signer.key.alg, 4: signer.key.kid, 16: RECORD})
    signature = signer.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    data = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))
    entry = cbor2.dumps([1, 1, bytes.fromhex(c["cti"]), sha256(data), c["iat"], c["center"], c["item"], c["policy"],
                         bytes.fromhex(c["request"])])
    return {"name": name, **signer.named(), "kid": signer.key.kid.hex(), "claims": c, "payload": payload.hex(),
            "record": data.hex(), "qr": "ZZ1:" + base45(data), "entry": entry.hex()}


def records():
    signers = [Signer("es256", 1), Signer("ed25519", 0)]
    return [record(name, c, s) for name, c in CASES.items() for s in signers]


# ---- requests ----

def jws(signer, typ, payload):
    head = {"alg": signer.key.jose, "kid": signer.key.jwk_kid, "typ": typ}
    text = ".".join(b64url(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode())
                    for part in (head, payload))
    return f"{text}.{b64url(signer.sign(text.encode()))}", sha256(text.encode()).hex()


IAT = 1792310400
ISSUE = {"type": "issue", "jti": "AAAAAAAAAAAAAAAAAAAAAA", "iat": IAT, "exp": IAT + 86400,
         "session": {"id": "330106-2026-10-0042", "center": "330106-01", "region": "330000", "item": "030102",
                     "basis": "initial", "theory_at": "2026-10-17T09:00:00+08:00",
                     "practical_at": "2026-10-17T14:00:00+08:00", "paper_sha256": "11" * 32,
                     "recording_sha256": "22" * 32, "examiners": ["E33-0069", "E33-0692"]},
         "results": [{"seat": 1, "name": "买买提·艾力", "sex": "M", "doc_type": "01",
                      "doc_number": "330000199608213897", "theory": 95.8, "practical": 81.9,
                      "photo_sha256": "33" * 32, "evidence_sha256": "44" * 32}]}
REVOKE = {"type": "revoke", "jti": "BBBBBBBBBBBBBBBBBBBBBB", "iat": IAT, "exp": IAT + 7 * 86400, "ground": "R05",
          "decision_no": "浙应急撤〔2026〕1号", "decided_at": "2026-10-18", "effective_at": "2026-10-17",
          "serials": ["0199f3a0b1c27d4e8f90a1b2c3d4e5f6"]}


def request(name, signer, payload, approvers):
    text, request_hash = jws(signer, "zz-request+jwt", payload)
    approvals = []
    for i, by in enumerate(approvers):
        approval = {"request": request_hash, "jti": chr(ord("C") + i) * 22, "iat": IAT + 60, "exp": IAT + 86460,
                    "decision": "approve", "reason": "同意"}
        approvals.append({**by.named(), "kid": by.key.jwk_kid, "payload": json.dumps(
            approval, ensure_ascii=False, separators=(",", ":")), "jws": jws(by, "zz-approval+jwt", approval)[0]})
    return {"name": name, **signer.named(), "kid": signer.key.jwk_kid, "payload": json.dumps(
        payload, ensure_ascii=False, separators=(",", ":")), "jws": text, "request": request_hash,
        "approvals": approvals}


def requests():
    center, wang, li = (Signer("ed25519", first) for first in (0x40, 0x60, 0x80))
    return [request("a centre hands in a session of one seat", center, ISSUE, []),
            request("an official revokes, another approves", wang, REVOKE, [li])]


def main(folder):
    for name, cases in (("record.json", records()), ("request.json", requests())):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(cases, file, ensure_ascii=False, indent=1)
            file.write("\n")
    for case in records()[::2]:
        print(len(case["record"]) // 2, case["name"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
