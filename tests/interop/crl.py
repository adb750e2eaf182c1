#!/usr/bin/python3
"""Reads a CRL with python3-cryptography.

  crl.py CRL CA.der              verifies it; "serial reason invalidity revoked" for each row, sorted
  crl.py --ca MANIFEST ROOT OUT  writes the CA certificate that the signed manifest carries"""
import datetime
import sys

from cryptography import x509

from zzformats import Key, Manifest

REASONS = {x509.ReasonFlags.privilege_withdrawn: 9, x509.ReasonFlags.cessation_of_operation: 5,
           x509.ReasonFlags.certificate_hold: 6, x509.ReasonFlags.superseded: 4}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def seconds(naive):
    return int(naive.replace(tzinfo=datetime.timezone.utc).timestamp())


def rows(crl):
    for row in crl:
        reason = row.extensions.get_extension_for_class(x509.CRLReason).value.reason
        since = row.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date
        yield f"{row.serial_number:032x} {REASONS[reason]} {seconds(since)} {seconds(row.revocation_date)}"


def show(path, ca_path):
    crl, ca = x509.load_der_x509_crl(read(path)), x509.load_der_x509_certificate(read(ca_path))
    if not crl.is_signature_valid(ca.public_key()) or crl.issuer != ca.subject:
        sys.exit("refused: signature or issuer")
    print(*sorted(rows(crl)), sep="\n")


def ca_of(manifest, root, out):
    with open(out, "wb") as file:
        file.write(Manifest(read(manifest), Key.pem(read(root))).crl_ca)


if sys.argv[1] == "--ca":
    ca_of(*sys.argv[2:])
else:
    show(*sys.argv[1:])
