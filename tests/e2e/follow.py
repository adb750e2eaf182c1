#!/usr/bin/python3
"""Renewal, review, replacement, bans and deregistration against a running service: follow.py FOLDER URL"""
import sys

import client
from orders import Service, check, leave, outcomes, record_of, today

s = Service(sys.argv[1], sys.argv[2])
CENTER, OTHER = "330106-01", "440305-02"


def again(value, basis, serials, center=CENTER):
    """The same people in a session of that basis."""
    new = client.session_request(center, len(value["results"]))
    new["session"]["basis"] = basis
    new["session"]["item"] = value["session"]["item"]
    for seat, old, serial in zip(new["results"], value["results"], serials):
        seat.update({name: old[name] for name in ("name", "sex", "doc_type", "doc_number")}, follows=serial)
    return new


def serials_of(answer):
    return [row.get("serial") for row in answer["seats"]]


def history(serial):
    return [row["status"] for row in s.get("wang", f"/v1/certificates/{serial}")[1]["history"]]


def revoked(serial, ground, **more):
    status, answer = s.send("wang", s.order("revoke", ground=ground, effective_at=today(), serials=[serial], **more))
    return s.approve("li", answer["request"])


# ---- renewal and review ----

value, first = s.issue("center", CENTER, 3)
old = serials_of(first)
status, second = s.send("center", again(value, "renewal", old))
check("three certificates are renewed", (201, ["issued"] * 3), (status, outcomes(second)))
new = serials_of(second)
claims, cert = record_of(second["seats"][0])
before, cert_before = record_of(first["seats"][0])
check("the new one names the old one", old[0], cert[17].hex())
check("it is the second of its chain", 2, cert[14])
check("the day of the first certificate stays", cert_before[8], cert[8])
check("renewal gives a full term", before[4] - before[5], claims[4] - claims[5])
check("the old one is superseded", ["superseded"], history(old[0]))
check("the end of the old one is logged directly after the new one", second["seats"][0]["index"] + 1,
      s.get("wang", f"/v1/certificates/{old[0]}")[1]["history"][0]["index"])
check("what was superseded is not renewed again", ["move_not_allowed"] * 3,
      outcomes(s.send("center", again(value, "renewal", old))[1]))
review = s.send("center", again(value, "review", new))
check("the new ones are reviewed", (201, ["issued"] * 3), (review[0], outcomes(review[1])))
reviewed, cert_reviewed = record_of(review[1]["seats"][1])
check("a review leaves the end as it was", claims[4], reviewed[4])
check("it is the third of its chain", 3, cert_reviewed[14])
check("it has a day for the next review, before the end", True,
      cert_reviewed[8] < cert_reviewed[9] <= (reviewed[4] + 8 * 3600) // 86400)
newest = serials_of(review[1])

other = again(value, "renewal", newest)
other["results"][0]["doc_number"] = client.person()[0]
other["results"][1]["follows"] = newest[0]
other["results"][2]["follows"] = "00" * 16
check("another holder, another's certificate and an unknown one are refused, seat by seat", ["not_same_holder"] * 3,
      outcomes(s.send("center", other)[1]))
check("a seat of a renewal that follows nothing refuses the session", "basis_invalid", s.send("center", {
    **(wrong := client.session_request(CENTER)), "session": {**wrong["session"], "basis": "renewal"}})[1]["word"])
wrong = client.session_request(CENTER)
wrong["results"][0]["follows"] = newest[0]
check("so does a first certificate that follows one", "basis_invalid", s.send("center", wrong)[1]["word"])
check("nothing was superseded by what was refused", [], history(newest[0]))

# ---- replacement ----


def replace(serial, ground="X03", **changes):
    return s.order("replace", serial=serial, ground=ground, changes=changes)


status, lost = s.send("wang", replace(newest[0], "X02"))
check("an official replaces what was lost, at once", (201, ["issued"]), (status, outcomes(lost)))
lost_claims, lost_cert = record_of(lost["seats"][0])
_, lost_before = record_of(review[1]["seats"][0])
check("with the same data and the same end", [reviewed[4]] + [lost_before.get(k) for k in (2, 3, 4, 5, 6, 8, 9, 11, 12)],
      [lost_claims[4]] + [lost_cert.get(k) for k in (2, 3, 4, 5, 6, 8, 9, 11, 12)])
check("the lost one is superseded", ["superseded"], history(newest[0]))
check("it is not replaced twice", ["move_not_allowed"], outcomes(s.send("wang", replace(newest[0], "X02"))[1]))
check("loss changes no data", "changes_invalid", s.send("wang", replace(newest[1], "X02", name="王五"))[1]["word"])
check("renewal is no ground to replace", "ground_invalid", s.send("wang", replace(newest[1], "X01"))[1]["word"])
check("nor is a ground of revocation", "ground_invalid", s.send("wang", replace(newest[1], "R05"))[1]["word"])
check("an unknown certificate is not replaced", "serial_unknown", s.send("wang", replace("00" * 16, "X02"))[1]["word"])
check("a name that is none is refused", ["name_invalid"], outcomes(s.send("wang", replace(newest[1], name=""))[1]))
number = client.person()[0]
status, changed = s.send("wang", replace(newest[1], name="王 五", doc_type="01", doc_number=number))
check("an official corrects name and number", (201, ["issued"]), (status, outcomes(changed)))
check("as he said", ("王 五", number), tuple(record_of(changed["seats"][0])[1][k] for k in (2, 4)))
status, asked = s.send("center", replace(newest[2], name="赵六"))
check("a centre asks for a replacement and waits for an official", (202, "waiting"), (status, asked["word"]))
check("nothing has happened", [], history(newest[2]))
status, done = s.approve("wang", asked["request"])
check("who approves it", (200, ["issued"]), (status, outcomes(done)))
check("the same again is the same answer", done["seats"][0]["serial"],
      s.get("center", f"/v1/requests/{asked['request']}")[1]["seats"][0]["serial"])
check("another centre's wish is refused", "not_yours", s.send("other", replace(done["seats"][0]["serial"]))[1]["word"])
holder, held = s.issue("center", CENTER, 1)
status, taken = s.send("wang", replace(done["seats"][0]["serial"], doc_type="01",
                                       doc_number=holder["results"][0]["doc_number"]))
check("nobody gets the number of someone who has that certificate", ["already_holds"], outcomes(taken))

# ---- holds, revocations and who comes first ----

serial = held["seats"][0]["serial"]
check("another one is suspended", ["suspended"], outcomes(s.send("wang", s.order(
    "suspend", ground="S01", effective_at=today(), until=today(10), serials=[serial]))[1]))
check("what is on hold is not renewed", ["move_not_allowed"],
      outcomes(s.send("center", again(holder, "renewal", [serial]))[1]))
check("nor replaced by one official alone", ["move_not_allowed"], outcomes(s.send("li", replace(serial))[1]))
check("deregistration does not come before revocation", ["move_not_allowed"], outcomes(revoked(serial, "C03")[1]))
check("it is revoked", ["revoked"], outcomes(revoked(serial, "R05")[1]))
check("what is revoked is not renewed", ["move_not_allowed"],
      outcomes(s.send("center", again(holder, "renewal", [serial]))[1]))
status, twice = revoked(serial, "R02")
check("a second revocation is told of the first, by its date", ("already", True),
      (outcomes(twice)[0], twice["certificates"][0]["decided"] > 0))
check("also when it is asked for again", twice["certificates"],
      s.get("wang", f"/v1/requests/{twice['request']}")[1]["certificates"])
check("it is deregistered after its revocation", ["deregistered"], outcomes(revoked(serial, "C03")[1]))
check("once", ["already"], outcomes(revoked(serial, "C03")[1]))
check("the history says both", ["suspended", "invalid", "invalid"], history(serial))


def first_again(item=None):
    new = client.session_request(CENTER)
    new["results"][0].update({k: holder["results"][0][k] for k in ("name", "sex", "doc_type", "doc_number")})
    if item:
        new["session"]["item"] = item
    return new


check("who was revoked for deceit may not apply again", ["holder_banned"], outcomes(s.send("center", first_again())[1]))
check("for no item", ["holder_banned"], outcomes(s.send("center", first_again("030101"))[1]))
_, free = s.issue("center", CENTER, 1)
holder = _
check("another one is revoked for his health", ["revoked"], outcomes(revoked(free["seats"][0]["serial"], "R02")[1]))
check("and may apply again", ["issued"], outcomes(s.send("center", first_again())[1]))
leave()
