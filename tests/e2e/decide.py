#!/usr/bin/python3
"""What officials sign, made by hand: good and bad orders and approvals that `zz` itself would not send.

  decide.py order KEY.pem TYPE [--set NAME=JSON]          a signed order; a missing member is added by --set
  decide.py approval KEY.pem REQUEST [--set NAME=JSON]    a signed approval
  decide.py kid KEY.pem                                   its kid
  decide.py roster ROSTER.jws ROOT.pem NEEDED.json [OFFICIAL.pem SECOND.pem]
                                     the next version: approvals changed as NEEDED says, and a second key of an official
"""
import base64
import json
import sys

import client


def changed(value, words):
    for word in words:
        if word != "--set":
            name, _, text = word.partition("=")
            value[name] = json.loads(text)
    return value


def order(key, kind, *words):
    return client.sign(client.load_key(key), client.dump(changed({"type": kind, **client.times(86400)}, words)))


def approval(key, request, *words):
    value = {"request": request, **client.times(86400), "decision": "approve"}
    return client.sign(client.load_key(key), client.dump(changed(value, words)), "zz-approval+jwt")


def kid(key):
    return client.kid_of(client.load_key(key))


def roster(path, root, needed, official=None, second=None):
    with open(path) as file:
        text = file.read().split(".")[1]
    value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    value["version"] += 1
    value["approvals"].update(json.loads(needed))
    if official:
        like = next(o for o in value["operators"] if o["kid"] == kid(official))
        key = client.load_key(second)
        value["operators"].append({**like, "kid": client.kid_of(key), "jwk": client.jwk_of(key)})
    return client.roster_sign(value, root)


sys.stdout.write({"order": order, "approval": approval, "kid": kid, "roster": roster}[sys.argv[1]](*sys.argv[2:]))
