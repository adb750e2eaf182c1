#!/usr/bin/python3
"""What a thief of the record key can make, also with the log key: certificates that only their signature makes look
real. Nothing of ours is used.

  forge.py RECORD.cose RECORD-KEY.pem LOG-KEY.pem CUT COUNT FOLDER BUNDLE

FOLDER gets COUNT certificates after the model of RECORD: bare ones as QR texts, ones that borrow the receipt of
BUNDLE, and ones with a receipt of a tree of the thief's own, signed by the stolen log key, at an index from CUT on.
"""
import hashlib
import io
import os
import sys

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

CHARS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def load(path):
    with open(path, "rb") as file:
        return file.read()


def pack(value):
    return cbor2.dumps(value, canonical=True)


def base45(data):
    out = ""
    for i in range(0, len(data), 2):
        part = data[i : i + 2]
        n = int.from_bytes(part, "big")
        for _ in range(len(part) + 1):
            n, digit = divmod(n, 45)
            out += CHARS[digit]
    return out


def sha(data):
    return hashlib.sha256(data).digest()


def node(left, right):
    return sha(b"\x01" + left + right)


def claims_of(data):
    return cbor2.loads(cbor2.loads(data).value[2])


class Thief:
    def __init__(self, model, record_key, log_key, cut, bundle):
        self.protected, _, self.claims, _ = cbor2.loads(load(model)).value
        self.record_key = serialization.load_pem_private_key(load(record_key), None)
        self.log_key = serialization.load_pem_private_key(load(log_key), None)
        self.cut = cut
        self.receipt = cbor2.loads(load(bundle)).value[1][394][0]

    def record(self, n):
        """Claims as they stand, but for serial and name: the order of the map stays."""
        claims = cbor2.loads(self.claims)
        claims[7] = claims[7][:10] + os.urandom(6)
        claims[-65537][2] = f"伪造者{n}"
        payload = pack(claims)
        to_sign = pack(["Signature1", self.protected, b"", payload])
        r, s = utils.decode_dss_signature(self.record_key.sign(to_sign, ec.ECDSA(hashes.SHA256())))
        return payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def write(self, payload, signature, unprotected):
        return pack(cbor2.CBORTag(18, [self.protected, unprotected, payload, signature]))

    def own_receipt(self, payload, signature, n):
        """A tree whose last leaf is the forged entry, above everything that the log had at the cut."""
        claims = cbor2.loads(payload)
        cert = claims[-65537]
        bare = self.write(payload, signature, {})
        entry = pack([1, 1, claims[7], sha(bare), claims[6], cert[11], cert[6], cert[7], cert[13]])
        index = self.cut + n
        root, path, at, last = sha(b"\x00" + entry), [], index, index
        while last > 0:  # RFC 9162 section 2.1.3.2, the newest leaf: only left neighbours
            if at & 1:
                path.append(os.urandom(32))
                root = node(path[-1], root)
            at, last = at >> 1, last >> 1
        old = cbor2.loads(self.receipt) if isinstance(self.receipt, bytes) else self.receipt
        head = cbor2.loads(old.value[0])
        head[-65541] = index + 1
        protected = pack(head)
        signed = self.log_key.sign(pack(["Signature1", protected, b"", root]))
        proof = pack([index + 1, index, path])
        receipt = cbor2.CBORTag(18, [protected, {396: {-1: [proof]}}, None, signed])
        return pack(receipt) if isinstance(self.receipt, bytes) else receipt


def main(model, record_key, log_key, cut, count, folder, bundle):
    thief = Thief(model, record_key, log_key, int(cut), bundle)
    for n in range(int(count)):
        payload, signature = thief.record(n)
        if n % 3 == 0:
            text = "ZZ1:" + base45(thief.write(payload, signature, {}))
            with open(f"{folder}/{n:05d}-bare.qr.txt", "w", encoding="ascii") as file:
                file.write(text)
            continue
        receipt = thief.receipt if n % 3 == 1 else thief.own_receipt(payload, signature, n)
        kind = "borrowed" if n % 3 == 1 else "after"
        with open(f"{folder}/{n:05d}-{kind}.bundle", "wb") as file:
            file.write(thief.write(payload, signature, {394: [receipt]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
