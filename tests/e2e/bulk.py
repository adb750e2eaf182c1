#!/usr/bin/python3
"""Selectors, files of serials and orders above a thousand against a running service: bulk.py FOLDER URL"""
import base64
import hashlib
import sys
import time

import client
from orders import Service, check, leave, outcomes, today

s = Service(sys.argv[1], sys.argv[2])
CENTER, OTHER = "330106-01", "440305-02"


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def list_of(answer):
    text = answer["list"]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def serials_of(answer):
    return [row["serial"] for row in answer["seats"]]


def until_done(request):
    for _ in range(600):
        status, answer = s.get("wang", f"/v1/requests/{request}")
        if answer["word"] not in ("approved", "waiting"):
            return answer
        time.sleep(0.2)
    return answer


def revoke(**more):
    return s.order("revoke", ground="R12", effective_at=today(), **more)


begin = int(time.time())
_, first = s.issue("center", CENTER, 60)
_, foreign = s.issue("other", OTHER, 5)
time.sleep(1.1)
middle = int(time.time())
_, later = s.issue("center", CENTER, 7)
window = {"center": CENTER, "from": stamp(begin), "to": stamp(middle)}

# ---- what a selector names ----

status, seen = s.select("wang", {"select": window})
want = b"".join(sorted(bytes.fromhex(x) for x in serials_of(first)))
check("a selector names a centre's certificates of that time", (200, 60, want), (status, seen["count"], list_of(seen)))
check("and gives their hash", hashlib.sha256(want).hexdigest(), seen["list_sha256"])
check("and their counts", [(CENTER, "valid", 60)], [(g["center"], g["status"], g["count"]) for g in seen["groups"]])
status, seen = s.select("wang", {"serials": serials_of(later) + ["00" * 16]})
check("a list of serials is counted too, with what is unknown", (200, 7, 1), (status, seen["count"], seen["unknown"]))
check("a session can be named by its request", 7, s.select("wang", {"select": {"request": later["request"]}})[1]["count"])
check("time alone names nothing", "field_invalid", s.select("wang", {"select": {"from": stamp(begin)}})[1]["word"])
check("what fits nothing is said", "selection_empty", s.select("wang", {"select": {"center": "999999-99"}})[1]["word"])
check("a centre selects nothing", "role_not_allowed", s.select("center", {"select": window})[1]["word"])

# ---- the list is frozen, and approvals sign it ----

status, asked = s.send("wang", revoke(select=window))
check("a revocation by selector waits", (202, 60), (status, asked["count"]))
check("the list is frozen", hashlib.sha256(want).hexdigest(), asked["list_sha256"])
_, shown = s.get("li", f"/v1/requests/{asked['request']}")
check("whoever approves gets the list itself", want, list_of(shown))
check("an approval without the list's hash does not count", "approval_other_request",
      s.approve("li", asked["request"])[1]["word"])
check("nor one of another list", "approval_other_request",
      s.approve("li", asked["request"], list_sha256="00" * 32)[1]["word"])
status, done = s.approve("li", asked["request"], list_sha256=asked["list_sha256"])
check("with it, all that the list names are revoked", (200, {"revoked"}, 60),
      (status, set(outcomes(done)), len(done["certificates"])))
check("the answer is kept", done["certificates"], s.get("wang", f"/v1/requests/{asked['request']}")[1]["certificates"])
check("the session after it is not touched", {"valid"},
      {s.get("wang", f"/v1/certificates/{x}")[1]["status"] for x in serials_of(later)})
status, named = s.send("wang", revoke(serials=[serials_of(later)[0], "00" * 16]))
check("an order that names an unknown serial is refused at once", "serial_unknown", named["word"])
_, named = s.send("wang", revoke(serials=serials_of(later)[:1]))
check("where serials are named, nobody signs a list", "approval_other_request",
      s.approve("li", named["request"], list_sha256=hashlib.sha256(bytes.fromhex(serials_of(later)[0])).hexdigest())[1]["word"])

# ---- more than a thousand ----

_, big = s.issue("center", CENTER, 2500)
serials = serials_of(big)
check("2,500 certificates are there", 2500, len(serials))
select = {"request": big["request"]}
status, hold = s.send("wang", s.order("suspend", ground="S01", effective_at=today(), until=today(10), select=select))
check("so many are not held by one, nor by two", (202, 3), (status, hold["officials_needed"]))
_, ask = s.send("wang", revoke(select=select))
check("a revocation of so many takes three", 3, ask["officials_needed"])
status, second = s.approve("li", ask["request"], list_sha256=ask["list_sha256"])
check("two are not enough", (202, "waiting"), (status, second["word"]))
check("nobody signs twice", "approval_same_person", s.approve("li", ask["request"], list_sha256=ask["list_sha256"])[1]["word"])
one = s.send("zhang", revoke(serials=serials[:1]))[1]
s.approve("li", one["request"])
status, third = s.approve("zhang", ask["request"], list_sha256=ask["list_sha256"])
check("with the third it is under way", (202, "approved", 2500), (status, third["word"], third["count"]))
check("under way it is not withdrawn", "not_waiting",
      s.send("wang", {"type": "withdraw", **client.times(86400), "request": ask["request"]})[1]["word"])
end = until_done(ask["request"])
check("it is executed, and counted", ("executed", 2500, [("revoked", 2499), ("already", 1)]),
      (end["word"], end["count"], [(o["outcome"], o["count"]) for o in end["outcomes"]]))
check("what it did not change is named", [(serials[0], "already")],
      [(r["serial"], r["outcome"]) for r in end["certificates"]])
check("the same approval again is answered with the end", "executed",
      s.approve("zhang", ask["request"], list_sha256=ask["list_sha256"])[1]["word"])

# ---- a day counts together ----

_, more = s.issue("other", OTHER, 3)
_, small = s.send("wang", revoke(serials=serials_of(more)[:1]))
status, two = s.approve("li", small["request"])
check("who ordered more than a thousand today needs a third for one more", (202, "waiting", 3),
      (status, two["word"], two["officials_needed"]))
check("who comes third decides it", (200, ["revoked"]), (lambda a: (a[0], outcomes(a[1])))(s.approve("zhang", small["request"])))
_, free = s.send("li", revoke(serials=serials_of(more)[1:2]))
check("another sender's order takes two", ["revoked"], outcomes(s.approve("wang", free["request"])[1]))
check("what waits is listed, oldest first", True, hold["request"] in
      [r["request"] for r in s.get("zhang", "/v1/requests")[1]["waiting"]])
_, started = s.send("li", s.order("suspend", ground="S01", effective_at=today(), until=today(10),
                                  serials=serials_of(more)[2:3]))
rows = {r["request"]: r["state"] for r in s.get("zhang", "/v1/requests")[1]["waiting"]}
check("a hold waits there for its second signature", "executed", rows.get(started["request"]))
s.approve("zhang", started["request"])
rows = {r["request"]: r["state"] for r in s.get("zhang", "/v1/requests")[1]["waiting"]}
check("and no more when it has it", None, rows.get(started["request"]))
leave()
