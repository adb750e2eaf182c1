#!/usr/bin/python3
"""Prepares what the readers of status list tokens get: the key as the signed manifest gives it, and the tokens of a list,
as published and in versions that every reader must refuse.

  list_tokens.py PUBLIC ROOT.pub STATUS.pem OUT
      OUT/status.jwk, status.pem, status.pem.kid, uri; OUT/VERSION.cwt, OUT/VERSION.jwt with VERSION
        good       as published
        signature  a bit of the signature is flipped
        list       the last byte of the list has another bit, the signature stays
        key        signed by a stranger under the kid of the right key
        type, subject, expired   signed by the right key: of another type, of another list, past its exp
STATUS.pem is the signer's own key: nobody else could make the last three."""
import json
import os
import sys
import time

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from zzformats import Key, Manifest, b64url, unb64url


def signed(key, data):
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


class Cwt:
    def __init__(self, data):
        self.good = data
        self.head, _, payload, self.signature = cbor2.loads(data).value
        self.claims = cbor2.loads(payload)

    def made(self, key=None, signature=None, kind=None, **changes):
        head = {**cbor2.loads(self.head), **({16: kind} if kind else {})}
        claims = {**self.claims, **{{"sub": 2, "exp": 4, "iat": 6}[k]: v for k, v in changes.items() if k != "lst"}}
        if "lst" in changes:
            claims[65533] = {**claims[65533], "lst": changes["lst"](claims[65533]["lst"])}
        head, payload = cbor2.dumps(head), cbor2.dumps(claims)
        if key:
            signature = signed(key, cbor2.dumps(["Signature1", head, b"", payload]))
        return cbor2.dumps(cbor2.CBORTag(18, [head, {}, payload, signature or self.signature]))


class Jwt:
    def __init__(self, text):
        self.good = text
        head, payload, signature = text.decode().split(".")
        self.head, self.claims, self.signature = json.loads(unb64url(head)), json.loads(unb64url(payload)), \
            unb64url(signature)

    def made(self, key=None, signature=None, kind=None, **changes):
        head = {**self.head, **({"typ": kind} if kind else {})}
        claims = {**self.claims, **{k: v for k, v in changes.items() if k != "lst"}}
        if "lst" in changes:
            body = claims["status_list"]
            claims["status_list"] = {**body, "lst": b64url(changes["lst"](unb64url(body["lst"])))}
        text = ".".join(b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
        if key:
            signature = signed(key, text.encode())
        return f"{text}.{b64url(signature or self.signature)}".encode()


def versions(token, key, types):
    now = int(time.time())
    return {
        "good": token.good,
        "signature": token.made(signature=flipped(token.signature, 40)),
        "list": token.made(lst=lambda lst: flipped(lst, len(lst) - 1)),
        "key": token.made(ec.generate_private_key(ec.SECP256R1())),
        "type": token.made(key, kind=types),
        "subject": token.made(key, sub=(token.claims.get(2) or token.claims.get("sub"))[:-1] + "1"),
        "expired": token.made(key, iat=now - 7200, exp=now - 3600),
    }


def main(public, root, status, out):
    def read(*path):
        with open(os.path.join(*path), "rb") as file:
            return file.read()

    def write(name, data):
        with open(os.path.join(out, name), "wb") as file:
            file.write(data)

    manifest = Manifest(read(public, "manifest.cose"), Key.pem(read(root)))
    cwt, jwt = Cwt(read(public, "status", "0.cwt")), Jwt(read(public, "status", "0.jwt"))
    named = manifest.find("status")(cbor2.loads(cwt.head)[4])
    private = serialization.load_pem_private_key(read(status), None)
    numbers = named.public.public_numbers()
    assert private.public_key().public_numbers() == numbers, "the manifest names another key"
    x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
    write("status.jwk", json.dumps({"kty": "EC", "crv": "P-256", "x": b64url(x), "y": b64url(y)}).encode())
    write("status.pem", named.public.public_bytes(serialization.Encoding.PEM,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo))
    write("status.pem.kid", named.kid.hex().encode())
    write("uri", f"{manifest.status_prefix}0".encode())
    for name, data in versions(cwt, private, "application/zz-head+cwt").items():
        write(f"{name}.cwt", data)
    for name, data in versions(jwt, private, "JWT").items():
        write(f"{name}.jwt", data)
    print(*versions(jwt, private, "JWT"))


main(*sys.argv[1:])
