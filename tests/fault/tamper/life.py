#!/usr/bin/python3
"""A life with something of everything, so that each table has rows of each kind: life.py FOLDER URL one|two|three.
One: sessions, holds, revocations, stops. Two, once that is published: what follows certificates, a selection, bans.
Three, under a roster that asks for three officials: what waits, with one signature of the two that it needs."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "e2e"))
import client  # noqa: E402
from orders import Service, check, leave, outcomes, today  # noqa: E402

CENTER, OTHER = "330106-01", "440305-02"
folder, url, part = sys.argv[1:]
s = Service(folder, url)


def serials_of(answer):
    return [row.get("serial") for row in answer["seats"]]


def sent(name, want, who, kind, **more):
    """An order by `who`; the answer must have this state, or this error."""
    _, answer = s.send(who, s.order(kind, **more))
    check(name, want, answer["word"])
    return answer.get("request")


def signed(name, want, who, request, **more):
    check(name, want, s.approve(who, request, **more)[1]["word"])


def revoke(serial, want="waiting", **more):
    return sent("a revocation", want, "wang", "revoke", ground="R05", effective_at=today(), serials=[serial], **more)


def suspend(serial):
    return sent("a hold", "executed", "wang", "suspend", ground="S01", effective_at=today(), until=today(20), serials=[serial])


def again(value, old, seats, **session):
    """The same people once more."""
    new = client.session_request(CENTER, len(seats))
    new["session"].update(item=value["session"]["item"], **session)
    for seat, i in zip(new["results"], seats):
        seat.update({name: value["results"][i][name] for name in ("name", "sex", "doc_type", "doc_number")})
        if session:
            seat["follows"] = old[i]
    return new


def one():
    _, big = s.issue("center", CENTER, 250)
    _, other = s.issue("other", OTHER, 3)
    serials = serials_of(big)
    check("many certificates", 250, len(set(serials)))
    hold = suspend(serials[0])
    signed("which a second official confirms", "executed", "li", hold)
    end = sent("and its end", "waiting", "wang", "reinstate", serials=[serials[0]])
    signed("which a second official approves", "executed", "li", end)
    suspend(serials[1])
    signed("which a second official approves", "executed", "li", revoke(serials[2]))
    signed("again, to no effect", "executed", "li", revoke(serials[2]))
    signed("one is rejected", "rejected", "li", revoke(serials[3]), decision="reject")
    wait = revoke(serials[4])
    status, ended = s.send("wang", {"type": "withdraw", **client.times(86400), "request": wait})
    check("one is withdrawn by its sender", "executed", ended["word"])
    sent("a centre is stopped", "executed", "wang", "stop", center=OTHER)
    check("which issues no more", "center_stopped", s.issue("other", OTHER)[1]["word"])
    sent("one that is stopped", "executed", "wang", "stop", center=OTHER)
    back = sent("a centre goes on", "waiting", "wang", "resume", center=OTHER)
    signed("which a second official approves", "executed", "li", back)
    check("a replacement by an official", (201, ["issued"]), (lambda a: (a[0], outcomes(a[1])))(
        s.send("wang", s.order("replace", ground="X02", serial=serials_of(other)[0], changes={}))))
    wait = sent("a replacement by a centre", "waiting", "center", "replace", ground="X02", serial=serials[5], changes={})
    signed("which an official approves", "executed", "li", wait)
    value = client.session_request(CENTER, 2)
    value["results"][1]["theory"] = 40
    check("a session of which one failed", ["issued", "score_below_pass"], outcomes(s.send("center", value)[1]))
    late = client.session_request(CENTER, 2, 90)
    late["results"][1]["theory"] = 40
    signed("a late session takes an official", "executed", "li", s.send("center", late)[1]["request"])
    late = client.session_request(CENTER, 1, 90)
    late["results"][0]["theory"] = 40
    signed("also where nobody passed", "executed", "li", s.send("center", late)[1]["request"])
    value = client.session_request(CENTER, 1, -2)
    check("an examination of tomorrow is refused", "exam_in_future", s.send("center", value)[1]["word"])
    check("a ground of another type is refused", "ground_invalid",
          s.send("wang", s.order("revoke", ground="S01", effective_at=today(), serials=serials[:1]))[1]["word"])


def two():
    value, first = s.issue("center", CENTER, 5)
    old = serials_of(first)
    check("one is renewed", ["issued"], outcomes(s.send("center", again(value, old, [0], basis="renewal"))[1]))
    check("one is replaced, with other data", ["issued"], outcomes(s.send("wang", s.order(
        "replace", ground="X03", serial=old[1], changes={"name": "艾力·新"}))[1]))
    _, asked = s.send("wang", s.order("revoke", ground="R05", effective_at=today(), select={"request": first["request"]}))
    _, done = s.approve("li", asked["request"], list_sha256=asked["list_sha256"])
    check("the session is revoked", ["move_not_allowed"] * 2 + ["revoked"] * 3, sorted(outcomes(done)))
    check("whoever is banned gets none, whoever has one neither", ["already_holds", "holder_banned"],
          outcomes(s.send("center", again(value, old, [0, 2]))[1]))
    _, gone = s.send("wang", s.order("revoke", ground="C03", effective_at=today(), serials=[old[3]]))
    signed("one is deregistered", "executed", "li", gone["request"])
    revoke(old[4], **client.times(2))
    time.sleep(2.1)


def three():
    _, few = s.issue("center", CENTER, 2)
    wait = revoke(serials_of(few)[0])
    signed("one of two signatures", "waiting", "li", wait)
    wait = revoke(serials_of(few)[1])
    signed("one of two signatures", "waiting", "li", wait)
    signed("and both", "executed", "zhang", wait)
    _, asked = s.send("wang", s.order("revoke", ground="R12", effective_at=today(), select={"request": few["request"]}))
    check("a selection that waits", "waiting", asked["word"])


{"one": one, "two": two, "three": three}[part]()
leave()
