#!/usr/bin/python3
"""Reads what an instance published as a stranger would: manifest under the root key, log, status lists, CRLs,
records, bundles and QR texts, and that they agree with one another.

  reader.py instance BASE ROOT.pub OUT   BASE: address or folder of public/, OUT: folder of <session>/<serial>.cose
  reader.py vectors FOLDER               our published vectors
Exit 1 with the reason at the first fault. READER_LIST=FILE: names the published files that were read."""
import base64
import glob
import os
import sys
import urllib.request

from cryptography import x509

from zzformats import (Key, Manifest, Receipt, Record, Refused, StatusList, decode, leaf_hash, need, node_hash,
                       qr_decode, sha256)
import vectors


class Public:
    def __init__(self, base):
        self.base, self.seen = base, []

    def get(self, path):
        if "://" in self.base:
            with urllib.request.urlopen(f"{self.base.rstrip('/')}/{path}", timeout=10) as answer:
                return answer.read()
        with open(os.path.join(self.base, path), "rb") as file:
            data = file.read()
        self.seen.append(path)
        return data

    def first(self, *paths):
        for path in paths[:-1]:
            try:
                return self.get(path)
            except OSError:
                pass
        return self.get(paths[-1])


# ---- the log ----

def checkpoint(data, manifest):
    """Size and root of a signed note whose line by the log's key of the manifest verifies."""
    text, _, lines = data.decode().rpartition("\n\n")
    text += "\n"
    origin, size, root, end = text.split("\n")
    need(origin == manifest.origin and end == "", "checkpoint: body")
    name, key_id, key = manifest.vkey.split("+", 2)
    need(name == origin, "vkey is of another log")
    public = base64.b64decode(key)
    need(public[0] == 1 and sha256(f"{name}\n".encode() + public)[:4].hex() == key_id, "vkey")
    for line in lines.splitlines():
        dash, signer, signature = line.split(" ")
        blob = base64.b64decode(signature)
        if dash == "\u2014" and signer == name and blob[:4].hex() == key_id:
            Key.of_cose({1: 1, -1: 6, -2: public[1:]}).verify(blob[4:], text.encode())
            return int(size), base64.b64decode(root)
    raise Refused("checkpoint: no signature of the log")


def tile_path(n):
    path = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        path = f"x{n % 1000:03d}/{path}"
    return f"log/tile/entries/{path}"


def entries(public, size):
    out = []
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        partial = [f"{tile_path(n)}.p/{width}"] if width < 256 else []
        data = public.first(*partial, tile_path(n))
        for _ in range(width):
            end = 2 + int.from_bytes(data[:2], "big")
            need(len(data) >= end, f"bundle {n} is cut off")
            out.append(data[2:end])
            data = data[end:]
    return out


class Tree:
    """Roots of every size, from the leaves alone (RFC 9162 section 2.1.1)."""

    def __init__(self, leaves):
        self.leaves, self.known = leaves, {}

    def root(self, begin, end):
        if end - begin == 1:
            return self.leaves[begin]
        if (begin, end) not in self.known:
            k = 1 << (end - begin - 1).bit_length() - 1
            self.known[begin, end] = node_hash(self.root(begin, begin + k), self.root(begin + k, end))
        return self.known[begin, end]


def fold(log, size):
    """Raw lists and where each certificate stands, as the entries 2 below size say."""
    lists, places = {}, {}
    for kind, entry in log[:size]:
        if kind != 2:
            continue
        _, _, cti, number, idx, status, *_ = entry
        raw = lists.setdefault(number, bytearray(1 << 18))
        raw[idx // 4] = raw[idx // 4] & ~(3 << 2 * (idx % 4)) | status << 2 * (idx % 4)
        places[number, idx] = cti
    return lists, places


# ---- lists ----

def check_list(public, manifest, log, number):
    """CWT, JWT and CRL of a list, against the log."""
    status = StatusList(public.get(f"status/{number}.cwt"), public.get(f"status/{number}.jwt").decode(), manifest)
    need(status.uri == f"{manifest.status_prefix}{number}", f"list {number}: uri {status.uri}")
    said = [e for kind, e in log if kind == 3 and e[2] == number and e[3] == status.sequence]
    need(len(said) == 1, f"list {number}: version {status.sequence} is not in the log")
    need(said[0][4:7] == [sha256(status.raw), status.cwt_sha256, status.jwt_sha256], f"list {number}: not as logged")
    lists, places = fold(log, said[0][8])
    need(bytes(lists.get(number, bytes(1 << 18))) == status.raw, f"list {number}: not what the log folds to")
    versions = [e for kind, e in log if kind == 3 and e[2] == number]
    for before, after in zip(versions, versions[1:]):
        need(after[7] == before[5] and after[3] > before[3], f"list {number}: chain of versions is broken")
    check_crl(public, manifest, log, number, said[0][8])
    return status


def withdrawn(log, size, number):
    """Serials on the list that are INVALID or SUSPENDED, as the entries below size say."""
    lists, places = fold(log, size)
    return {int.from_bytes(cti, "big") for (where, idx), cti in places.items()
            if where == number and lists[number][idx // 4] >> 2 * (idx % 4) & 3 in (1, 2)}


def check_crl(public, manifest, log, number, covered):
    """The CRL is asked for after its list, so it may cover entries that the list does not cover yet."""
    ca = x509.load_der_x509_certificate(manifest.crl_ca)
    crl = x509.load_der_x509_crl(public.get(f"crl/{number}.crl"))
    need(crl.is_signature_valid(ca.public_key()), f"CRL {number}: signature")
    need(crl.issuer == ca.subject, f"CRL {number}: issuer")
    have = {row.serial_number for row in crl}
    moves = [size + 1 for size in range(covered, len(log)) if log[size][0] == 2]
    need(any(have == withdrawn(log, size, number) for size in [covered, *moves]),
         f"CRL {number}: its {len(have)} rows are not what the log says")


# ---- what holders have ----

def check_holder(path, manifest, find_log, log, tree):
    with open(path, "rb") as file:
        data = file.read()
    record = Record(data, manifest.find("record"))
    need(record.iss == manifest.iss and record.header == {}, f"{path}: issuer or header")
    need(record.cti.hex() == os.path.basename(path)[:-5], f"{path}: named otherwise than its serial")
    with open(path[:-5] + ".bundle", "rb") as file:
        bundle = Record(file.read(), manifest.find("record"))
    need(bundle.bare == data, f"{path}: the bundle holds another record")
    receipt = Receipt(bundle.header[394][0])
    root = receipt.verify(find_log, manifest.origin, record.entry())
    if receipt.size <= len(log):  # a newer one than the checkpoint that we read is fine
        need(root == tree.root(0, receipt.size), f"{path}: receipt for another tree")
        need(tree.leaves[receipt.index] == leaf_hash(record.entry()), f"{path}: not at its index")
    with open(path[:-5] + ".qr.txt") as file:
        need(qr_decode(file.read().rstrip("\n")) == data, f"{path}: QR text holds another record")
    return record


def instance(base, root_path, out):
    public = Public(base)
    with open(root_path, "rb") as file:
        manifest = Manifest(public.get("manifest.cose"), Key.pem(file.read()))
    size, root = checkpoint(public.get("log/checkpoint"), manifest)
    raw = entries(public, size)
    tree = Tree([leaf_hash(e) for e in raw])
    need(tree.root(0, size) == root, "the entries give another root than the checkpoint")
    log = [(e[1], e) for e in map(decode, raw)]
    need(log[0][0] == 0 and log[0][1][2] == manifest.origin, "entry 0 is not the genesis of this log")
    logged = [e[3] for kind, e in log if kind == 4 and e[2] == manifest.version]
    need(logged == [manifest.sha256], "the manifest is not as logged")
    lists = {n: check_list(public, manifest, log, n) for n in sorted({e[2] for kind, e in log if kind == 3})}
    counts = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(out), "*", "*.cose"))):
        record = check_holder(path, manifest, manifest.find("log"), log, tree)
        need(record.list in lists, f"{path}: its list is not published")
        status = ("valid", "invalid", "suspended", "superseded")[lists[record.list].get(record.idx)]
        counts[status] = counts.get(status, 0) + 1
    need(counts, f"no records in {out}")
    if os.environ.get("READER_LIST"):
        with open(os.environ["READER_LIST"], "w") as file:
            file.write("".join(f"{path}\n" for path in dict.fromkeys(public.seen)))
    said = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    print(f"reader: {size} log entries, {len(lists)} lists, records: {said}")


def main(args):
    try:
        if len(args) == 4 and args[0] == "instance":
            instance(*args[1:])
        elif len(args) == 2 and args[0] == "vectors":
            vectors.check(args[1])
        else:
            sys.exit(__doc__)
    except (Refused, OSError, ValueError, KeyError, TypeError, IndexError) as fault:
        print(f"reader: {type(fault).__name__}: {fault}")
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
