#!/usr/bin/python3
"""Reads a status list token in JWT form as the draft says, with a JOSE library of others.

  list_jwt.py pyjwt|jwcrypto TOKEN STATUS.jwk URI
Prints the SHA-256 of the list, then "place status" for each place that is not VALID. Exit 1 where it refuses."""
import base64
import hashlib
import json
import sys
import zlib

TYPE, ALGORITHMS = "statuslist+jwt", ["ES256"]


def pyjwt(text, jwk):
    import jwt
    key = jwt.PyJWK(jwk, "ES256").key
    claims = jwt.decode(text, key, ALGORITHMS, options={"require": ["sub", "iat", "exp"]})
    return jwt.get_unverified_header(text), claims


def jwcrypto(text, jwk):
    from jwcrypto import jwk as keys, jwt
    key = keys.JWK(**jwk)
    token = jwt.JWT(jwt=text, key=key, algs=ALGORITHMS, check_claims={"sub": None, "iat": None, "exp": None})
    header = json.loads(token.header)
    if header["kid"] != key.thumbprint():
        sys.exit("refused: kid is not the thumbprint of the key")
    return header, json.loads(token.claims)


def main(library, path, key, uri):
    with open(path) as token, open(key) as file:
        try:
            header, claims = {"pyjwt": pyjwt, "jwcrypto": jwcrypto}[library](token.read(), json.load(file))
        except Exception as fault:  # each library has a tree of its own
            sys.exit(f"refused: {type(fault).__name__}: {fault}")
    if header["typ"] != TYPE:
        sys.exit(f"refused: type {header['typ']}")
    if claims["sub"] != uri:
        sys.exit(f"refused: subject {claims['sub']}")
    body = claims["status_list"]
    if body["bits"] != 2:
        sys.exit(f"refused: {body['bits']} bits")
    raw = zlib.decompress(base64.urlsafe_b64decode(body["lst"] + "=" * (-len(body["lst"]) % 4)))
    print(hashlib.sha256(raw).hexdigest())
    for at, byte in enumerate(raw):
        for k in range(4 if byte else 0):
            if byte >> 2 * k & 3:
                print(4 * at + k, byte >> 2 * k & 3)


main(*sys.argv[1:])
