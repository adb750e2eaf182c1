"""Our published vectors (tests/vectors/record.json, request.json, receipt.json) under the strangers' reader: what
must verify verifies, and says what the vector says it does."""
import json
import os

from zzformats import Key, Receipt, Record, Refused, decode, jws, need, qr_decode


def key_of(value):
    """A public key as PEM, JWK, or hex of a COSE_Key."""
    if isinstance(value, dict):
        return Key.of_jwk(value)
    if value.startswith("-----"):
        return Key.pem(value.encode())
    return Key.of_cose(decode(bytes.fromhex(value)))


def refused(action):
    try:
        action()
    except Refused:
        return True
    return False


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def check_record(case):
    key, data = key_of(case["public_key"]), bytes.fromhex(case["record"])
    record = Record(data, lambda kid: key if kid == key.kid else None)
    need(qr_decode(case["qr"]) == data, "QR text holds another record")
    for at in range(len(data)):
        need(refused(lambda: Record(flipped(data, at), lambda kid: key)), f"a flip in byte {at} passes")
    if "entry" in case:
        need(record.entry().hex() == case["entry"], "log entry")
    return record


def check_request(case):
    key = key_of(case["public_key"])
    payload, request = jws(case["jws"], {key.jwk_kid: key}.get, "zz-request+jwt")
    need(request.hex() == case["request"], "request hash")
    json.loads(payload)


def check_receipt(case):
    key = key_of(case["public_key"])
    receipt = Receipt(bytes.fromhex(case["receipt"]))
    find = {key.kid: key}.get
    entry = bytes.fromhex(case["entry"])
    root = receipt.verify(find, case["origin"], entry)
    need(root.hex() == case["root"] and receipt.size == case["size"], "root or size")
    # the form without proof: the same header and signature, and nothing beside them
    need(decode(bytes.fromhex(case["checkpoint"])).value == [receipt.protected, {}, None, receipt.signature],
         "checkpoint without path")
    need(refused(lambda: receipt.verify(find, case["origin"], flipped(entry, 0))), "another entry passes")


KINDS = {"record.json": check_record, "request.json": check_request, "receipt.json": check_receipt}


def check(folder):
    """Prints a line for each file, as tools/check counts them."""
    bad = 0
    for name, check_one in KINDS.items():
        try:
            with open(os.path.join(folder, name)) as file:
                cases = json.load(file)
            cases = cases["vectors"] if isinstance(cases, dict) and "vectors" in cases else cases
            cases = cases if isinstance(cases, list) else [cases]
            need(cases, "no vectors")
            for case in cases:
                check_one(case)
            print(f"ok strangers read {name} ({len(cases)} vectors)")
        except (Refused, OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            bad += 1
            print(f"not ok strangers read {name}\n# {type(fault).__name__}: {fault}")
    if bad:
        raise Refused(f"{bad} of {len(KINDS)} files of vectors")
