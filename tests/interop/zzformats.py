"""Our formats (FORMATS of the README) read by code that shares nothing with ours: python3-cbor2 and
python3-cryptography. Every fault raises Refused with a reason."""
import base64
import hashlib
import io
import json
import zlib

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

RECORD, BUNDLE_HEADER = "application/zz-record+cwt", 394
STATUS, MANIFEST = "application/statuslist+cwt", "application/zz-manifest+cwt"
PURPOSES = ("record", "status", "log", "crl", "root", "request")
DAY, SHANGHAI = 86400, 8 * 3600


class Refused(Exception):
    pass


def need(condition, reason):
    if not condition:
        raise Refused(reason)


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- CBOR: one spelling only ----

def walk(value):
    """Keys of maps rise by their encodings; no float, no tag inside."""
    if isinstance(value, dict):
        keys = [cbor2.dumps(k) for k in value]
        need(keys == sorted(keys), "map keys are not in order")
        for item in value.values():
            walk(item)
    elif isinstance(value, list):
        for item in value:
            walk(item)
    else:
        need(value is None or isinstance(value, (int, bytes, str)), f"not allowed: {type(value)}")


def decode(data):
    stream = io.BytesIO(data)
    try:
        value = cbor2.load(stream)
    except Exception as fault:
        raise Refused(f"CBOR: {fault}")
    need(stream.tell() == len(data), "bytes after the end")
    need(cbor2.dumps(value) == data, "not the one spelling")
    walk(value.value if isinstance(value, cbor2.CBORTag) else value)
    return value


# ---- keys ----

class Key:
    def __init__(self, public):
        self.public = public
        if isinstance(public, ed25519.Ed25519PublicKey):
            self.alg, self.jose = -8, "EdDSA"
            raw = public.public_bytes_raw() if hasattr(public, "public_bytes_raw") else ed_raw(public)
            self.cose = {1: 1, -1: 6, -2: raw}
            jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64url(raw)}
        else:
            n = public.public_numbers()
            x, y = n.x.to_bytes(32, "big"), n.y.to_bytes(32, "big")
            self.alg, self.jose = -7, "ES256"
            self.cose = {1: 2, -1: 1, -2: x, -3: y}
            jwk = {"crv": "P-256", "kty": "EC", "x": b64url(x), "y": b64url(y)}
        self.kid = sha256(cbor2.dumps(self.cose))[:8]  # RFC 9679
        self.jwk_kid = b64url(sha256(json.dumps(jwk, separators=(",", ":")).encode()))  # RFC 7638

    @staticmethod
    def pem(data):
        return Key(load_pem_public_key(data))

    @staticmethod
    def of_cose(key):
        if key.get(1) == 1:
            need(set(key) == {1, -1, -2} and key[-1] == 6, "COSE_Key: not Ed25519")
            return Key(ed25519.Ed25519PublicKey.from_public_bytes(key[-2]))
        need(set(key) == {1, -1, -2, -3} and key[1] == 2 and key[-1] == 1, "COSE_Key: not P-256")
        point = b"\x04" + key[-2] + key[-3]
        return Key(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))

    @staticmethod
    def of_jwk(jwk):
        raw = {name: unb64url(jwk[name]) for name in ("x", "y") if name in jwk}
        if jwk["kty"] == "OKP":
            return Key.of_cose({1: 1, -1: 6, -2: raw["x"]})
        return Key.of_cose({1: 2, -1: 1, -2: raw["x"], -3: raw["y"]})

    def verify(self, signature, message):
        need(len(signature) == 64, "signature is not of 64 bytes")
        try:
            if self.alg == -8:
                self.public.verify(signature, message)
                return
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            self.public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise Refused("signature does not verify")


def ed_raw(public):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(b64url(data) == text, "base64url: not the one spelling")
    return data


# ---- COSE_Sign1 ----

def sign1(data, find, kind, unprotected=()):
    """Verifies a tagged COSE_Sign1 under the key that find(kid) gives; returns payload and unprotected map."""
    message = decode(data)
    need(isinstance(message, cbor2.CBORTag) and message.tag == 18, "not tag 18")
    need(isinstance(message.value, list) and len(message.value) == 4, "not four parts")
    protected, header, payload, signature = message.value
    head = decode(protected)
    need(isinstance(head, dict) and list(head) == [1, 4, 16], f"protected header {head}")
    need(set(header) <= set(unprotected), f"unprotected header {list(header)}")
    need(head[16] == kind, f"type {head[16]}, not {kind}")
    key = find(head[4])
    need(key is not None, f"unknown kid {head[4].hex()}")
    need(head[1] == key.alg, "algorithm is not that of the key")
    key.verify(signature, cbor2.dumps(["Signature1", protected, b"", payload]))
    return payload, header


def jws(text, find, typ):
    """Verifies a compact JWS; returns the payload's bytes and the hash of the signing input."""
    parts = text.split(".")
    need(len(parts) == 3, "JWS: not three parts")
    head = json.loads(unb64url(parts[0]))
    need(set(head) == {"alg", "kid", "typ"} and head["typ"] == typ, f"JWS header {head}")
    key = find(head["kid"])
    need(key is not None, f"unknown kid {head['kid']}")
    need(head["alg"] == key.jose, "algorithm is not that of the key")
    signed = f"{parts[0]}.{parts[1]}".encode()
    key.verify(unb64url(parts[2]), signed)
    return unb64url(parts[1]), sha256(signed)


# ---- manifest ----

class Manifest:
    def __init__(self, data, root):
        payload, _ = sign1(data, lambda kid: root if kid == root.kid else None, MANIFEST)
        claims = decode(payload)
        need(list(claims) == [1, 6, -65540], f"manifest claims {list(claims)}")
        body = claims[-65540]
        need(list(body) in [list(range(1, 11)) + more for more in ([], [11], [12], [11, 12])], f"manifest members {list(body)}")
        self.iss, self.version, self.sha256 = claims[1], body[1], sha256(data)
        self.origin, self.vkey, self.status_prefix, self.crl_ca = body[5], body[6], body[7], body[8]
        self.keys = {}
        for kid, cose, purpose, *_ in body[4]:
            key = Key.of_cose(cose)
            need(purpose in PURPOSES, f"purpose {purpose}")
            need(key.kid == kid, "kid is not the thumbprint of its key")
            need((kid, purpose) not in self.keys, "a kid twice")
            self.keys[kid, purpose] = key

    def find(self, purpose):
        return lambda kid: self.keys.get((kid, purpose))

    def find_jose(self, purpose):
        named = {k.jwk_kid: k for (_, p), k in self.keys.items() if p == purpose}
        return named.get


# ---- record, receipt, QR ----

CERT = {1: int, 2: str, 3: str, 4: str, 5: int, 6: str, 7: str, 8: int, 9: int, 10: str, 11: str, 12: bytes,
        13: bytes, 14: int, 15: str, 16: str, 17: bytes}
CERT_OPTIONAL = {5, 9, 12, 14, 15, 16, 17}
BYTES_LENGTH = {12: 16, 13: 32, 17: 16}


def shanghai_day(seconds):
    return (seconds + SHANGHAI) // DAY


class Record:
    def __init__(self, data, find):
        need(len(data) <= 1024 or BUNDLE_HEADER in decode(data).value[1], "longer than 1024 bytes")
        payload, self.header = sign1(data, find, RECORD, (BUNDLE_HEADER,))
        message = decode(data).value
        self.bare = cbor2.dumps(cbor2.CBORTag(18, [message[0], {}, message[2], message[3]]))
        self.sha256 = sha256(self.bare)
        claims = decode(payload)
        need(list(claims) == [1, 4, 5, 6, 7, 65535, -65537], f"claims {list(claims)}")
        self.iss, self.exp, self.nbf, self.iat, self.cti = (claims[k] for k in (1, 4, 5, 6, 7))
        place = claims[65535]
        need(list(place) == ["status_list"] and list(place["status_list"]) == ["idx", "uri"], "status claim")
        self.idx, uri = place["status_list"]["idx"], place["status_list"]["uri"]
        prefix = f"https://{self.iss}/status/"
        need(uri.startswith(prefix) and uri[len(prefix):].isdigit(), f"uri {uri}")
        self.list = int(uri[len(prefix):])
        self.cert = claims[-65537]
        self.check()

    def check(self):
        cert = self.cert
        need(set(CERT) - CERT_OPTIONAL <= set(cert) <= set(CERT), f"certificate members {list(cert)}")
        for key, value in cert.items():
            need(type(value) is CERT[key], f"certificate member {key}")
            need(len(value) == BYTES_LENGTH[key] if key in BYTES_LENGTH else True, f"length of {key}")
        need(cert[1] == 1, "version")
        need(len(self.cti) == 16 and self.cti[6] >> 4 == 7 and self.cti[8] >> 6 == 2, "cti is no UUIDv7")
        need(len(cert[6]) == 6 and cert[6].isdigit() and len(cert[10]) == 6, "item or region")
        need(self.nbf == shanghai_day(self.iat) * DAY - SHANGHAI, "nbf is not the first second of its day")
        need(shanghai_day(self.exp) * DAY - SHANGHAI == self.exp > self.nbf, "exp is not the end of a day")
        need(self.idx < 1 << 20, "index beyond the list")

    def entry(self):
        """The log entry that follows from the record."""
        cert = self.cert
        return cbor2.dumps([1, 1, self.cti, self.sha256, self.iat, cert[11], cert[6], cert[7], cert[13]])


def leaf_hash(entry):
    return sha256(b"\x00" + entry)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def inclusion_root(index, size, leaf, path):
    """RFC 9162 section 2.1.3.2."""
    need(index < size, "index beyond the tree")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        need(sn != 0, "path too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "path too short")
    return r


class Receipt:
    def __init__(self, data):
        message = decode(data)
        need(message.tag == 18 and len(message.value) == 4, "receipt: not a COSE_Sign1")
        self.protected, header, payload, self.signature = message.value
        need(payload is None and list(header) == [396] and list(header[396]) == [-1], "receipt: header")
        head = decode(self.protected)
        need(list(head) == [1, 4, 15, 395, -65541] and head[1] == -8 and head[395] == 1, f"receipt: {head}")
        need(list(head[15]) == [1, 2, 6] and head[15][2] == "checkpoint", "receipt: claims")
        self.kid, self.origin, self.time, self.size = head[4], head[15][1], head[15][6], head[-65541]
        need(len(header[396][-1]) == 1, "receipt: not one proof")
        size, self.index, self.path = decode(header[396][-1][0])
        need(size == self.size, "receipt: proof of another size than signed")

    def verify(self, find, origin, entry):
        need(self.origin == origin, "receipt: of another log")
        key = find(self.kid)
        need(key is not None, "receipt: unknown log key")
        root = inclusion_root(self.index, self.size, leaf_hash(entry), self.path)
        key.verify(self.signature, cbor2.dumps(["Signature1", self.protected, b"", root]))
        return root


BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def qr_decode(text):
    need(text.startswith("ZZ1:"), "QR text does not begin with ZZ1:")
    digits = [BASE45.find(c) for c in text[4:]]
    need(-1 not in digits, "QR: not base45")
    out = b""
    for at in range(0, len(digits), 3):
        group = digits[at:at + 3]
        need(len(group) > 1, "QR: one character left")
        value = sum(d * 45 ** i for i, d in enumerate(group))
        need(value < 1 << 8 * (len(group) - 1), "QR: group too large")
        out += value.to_bytes(len(group) - 1, "big")
    return out


# ---- status list ----

class StatusList:
    """The CWT and JWT of one list, which must say the same."""

    def __init__(self, cwt, jwt, manifest):
        claims = decode(sign1(cwt, manifest.find("status"), STATUS)[0])
        need(list(claims) == [2, 4, 6, 65533, 65534, -65538], f"status claims {list(claims)}")
        body = claims[65533]
        need(body["bits"] == 2 and set(body) == {"bits", "lst"}, "status_list claim")
        self.uri, self.sequence, self.previous = claims[2], *claims[-65538]
        self.raw = zlib.decompress(body["lst"])
        need(len(self.raw) == 1 << 18, "list is not of full size")
        self.cwt_sha256, self.jwt_sha256 = sha256(cwt), sha256(jwt.encode())
        other = json.loads(jws(jwt, manifest.find_jose("status"), "statuslist+jwt")[0])
        same = (other["sub"], other["exp"], other["iat"], other["ttl"], unb64url(other["status_list"]["lst"]))
        need(same == (claims[2], claims[4], claims[6], claims[65534], body["lst"]), "JWT differs from CWT")
        need(other["zz_version"][0] == self.sequence, "JWT has another version")

    def get(self, idx):
        return self.raw[idx // 4] >> 2 * (idx % 4) & 3
