#!/usr/bin/python3
"""Certificates that follow others, a selection, a ban, and who is refused for it: life.py FOLDER URL"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "e2e"))
import client  # noqa: E402
from orders import Service, check, leave, outcomes, today  # noqa: E402

s = Service(sys.argv[1], sys.argv[2])
value, first = s.issue("center", "330106-01", 4)
old = [row["serial"] for row in first["seats"]]


def again(seats, **session):
    """The same people once more."""
    new = client.session_request("330106-01", len(seats))
    new["session"].update(item=value["session"]["item"], **session)
    for seat, i in zip(new["results"], seats):
        seat.update({name: value["results"][i][name] for name in ("name", "sex", "doc_type", "doc_number")})
        if session:
            seat["follows"] = old[i]
    return new


check("one is renewed", ["issued"], outcomes(s.send("center", again([0], basis="renewal"))[1]))
status, new = s.send("wang", s.order("replace", ground="X03", serial=old[1], changes={"name": "艾力·新"}))
check("one is replaced", (201, ["issued"]), (status, outcomes(new)))
_, asked = s.send("wang", s.order("revoke", ground="R05", effective_at=today(), select={"request": first["request"]}))
_, done = s.approve("li", asked["request"], list_sha256=asked["list_sha256"])
check("the session is revoked", ["move_not_allowed"] * 2 + ["revoked"] * 2, sorted(outcomes(done)))
check("whoever is banned gets none, whoever has one neither", ["already_holds", "holder_banned"],
      outcomes(s.send("center", again([0, 2]))[1]))
leave()
