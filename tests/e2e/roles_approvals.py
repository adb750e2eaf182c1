"""The second half of roles.py: whose approval and rejection counts, what is final, and the order of it all."""
import base64
import json
import os
import sys
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import client
from roles import CENTER, KEYS, OTHER, REFUSED, ROLE, SERVED, YOURS, World, queries, requests, routes, selections

ORDER_N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
PERSON, FINAL = "422 approval_same_person", "409 not_waiting"


def other_signature(jws):
    """The same ECDSA signature written otherwise (r, n - s): it verifies and is other bytes."""
    text, _, signature = jws.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    s = ORDER_N - int.from_bytes(raw[32:], "big")
    return f"{text}.{client.b64(raw[:32] + s.to_bytes(32, 'big'))}"


def whoever(w, name, request, sender):
    """Approving and rejecting by everyone who may not."""
    for decision in ("approve", "reject"):
        for by, want in [*REFUSED.items(), ("center", ROLE), ("other", ROLE)]:
            w.check(f"{decision} of {name} by {by}", want, w.approve(by, request, decision=decision))
        if sender:
            w.check(f"{decision} of {name} by its sender", PERSON, w.approve(sender, request, decision=decision))


def ends(w, name, request, state, sent):
    """Rejected and withdrawn requests are final."""
    for by in ("li", "zhang"):
        for decision in ("approve", "reject"):
            w.check(f"{decision} of a {name} by {by}", FINAL, w.approve(by, request, decision=decision))
    w.check(f"a {name} is not withdrawn again", FINAL, w.send("wang", withdrawal(request))[0])
    w.check(f"a {name}, sent once more, stays so", f"200 {state}", w.call("POST", "/v1/requests", sent))
    w.check(f"a {name}, signed otherwise, stays so", f"200 {state}",
            w.call("POST", "/v1/requests", other_signature(sent)))


def withdrawal(request):
    return {"type": "withdraw", **client.times(86400), "request": request}


def withdrawals(w, own, late):
    got, order = w.send("wang", w.order("revoke", own))
    sent = w.sent
    for by, want in [*REFUSED.items(), ("center", YOURS), ("other", YOURS), ("li", YOURS)]:
        w.check(f"withdrawal of an official's order by {by}", want, w.send(by, withdrawal(order))[0])
    w.check("withdrawal of nothing", "404 not_found", w.send("wang", withdrawal(w.nothing))[0])
    w.check("withdrawal by its sender", "201 executed", w.send("wang", withdrawal(order))[0])
    ends(w, "withdrawn order", order, "withdrawn", sent)
    for by, want in [*REFUSED.items(), ("other", YOURS), ("wang", YOURS)]:
        w.check(f"withdrawal of a centre's session by {by}", want, w.send(by, withdrawal(late))[0])
    w.check("withdrawal by its centre", "201 executed", w.send("center", withdrawal(late))[0])
    w.check("it is final", FINAL, w.approve("li", late))


def rejections(w, own):
    value = w.order("revoke", own)
    got, order = w.send("wang", value)
    sent = w.sent
    whoever(w, "a revocation", order, "wang")
    w.check("a rejection by another official", "200 rejected", w.approve("li", order, decision="reject", reason="不符"))
    ends(w, "rejected order", order, "rejected", sent)
    w.check("its jti is used up", "409 jti_conflict", w.send("wang", {**value, "decision_no": "2"})[0])
    w.check("another official may use the same jti", "202 waiting", w.send("li", {**value, "decision_no": "2"})[0])


def approvals(w, own, more):
    """A reinstatement, for which this roster asks three officials."""
    w.send("wang", w.order("suspend", own))
    got, order = w.send("wang", w.order("reinstate", own))
    got, second = w.send("wang", w.order("reinstate", more))
    now = int(time.time())
    for name, want, changes in [
            ("for another request", "422 approval_other_request", {"request": second}),
            ("sent to another address", "422 approval_other_request", {"path": second}),
            ("of a list that nobody froze", "422 approval_other_request", {"list_sha256": order}),
            ("that has expired", "422 request_expired", {"iat": now - 7200, "exp": now - 1}),
            ("of tomorrow", "422 iat_ahead", {"iat": now + 3600, "exp": now + 7200}),
            ("for eight days", "422 lifetime_too_long", {"exp": now + 8 * 86400}),
            ("that says perhaps", "400 field_invalid", {"decision": "perhaps"}),
            ("that says more", "400 field_unknown", {"person": "张伟"}),
            ("without a jti", "400 jti_invalid", {"jti": ""}),
            ("written as a request", "400 jws_invalid", {"typ": "zz-request+jwt"}),
            ("written as a query", "400 jws_invalid", {"typ": "zz-query+jwt"})]:
        changes = dict(changes)
        path = changes.pop("path", order)
        request = changes.pop("request", order)
        w.check(f"an approval {name}", want, w.approve("li", request, path=path, **changes))
    w.check("an approval of nothing", "404 not_found", w.approve("li", w.nothing))
    w.check("an approval at an address that is none", "404 not_found", w.approve("li", order, path="abc"))
    whoever(w, "a reinstatement", order, "wang")

    w.check("one official approves", "202 waiting", w.approve("li", order))
    first = w.sent
    w.check("it waits for a third", (3, 2), (w.answer["officials_needed"], w.answer["officials_signed"]))
    path = f"/v1/requests/{order}/approvals"
    w.check("the same approval again", "202 waiting", w.call("POST", path, first))
    w.check("signed otherwise it does not count twice", PERSON, w.call("POST", path, other_signature(first)))
    w.check("the same person again", PERSON, w.approve("li", order))
    w.check("the same person with another key", PERSON, w.approve("li again", order))
    w.check("who approved does not reject", PERSON, w.approve("li", order, decision="reject"))
    w.check("nor with another key", PERSON, w.approve("li again", order, decision="reject"))
    w.check("an approval is not used for another request", "422 approval_other_request",
            w.call("POST", f"/v1/requests/{second}/approvals", first))
    jti = json.loads(base64.urlsafe_b64decode(first.split(".")[1] + "=="))["jti"]
    for decision in ("approve", "reject"):
        w.check(f"nor its jti to {decision}", "409 jti_conflict", w.approve("li", second, jti=jti, decision=decision))
    for kind, serial in (("revoke", more), ("suspend", more), ("stop", OTHER)):
        w.check(f"nor its jti to {kind}", "409 jti_conflict", w.send("li", w.order(kind, serial, jti=jti))[0])
    value = w.order("revoke", more)
    got, mine = w.send("li", value)
    w.check("an approval does not use the jti of an order", "409 jti_conflict", w.approve("li", second, jti=value["jti"]))
    w.check("nor its jti to withdraw", "409 jti_conflict", w.send("li", {**withdrawal(mine), "jti": jti})[0])
    w.check("what was to be withdrawn still waits", "200 waiting", w.get("li", f"/v1/requests/{mine}"))
    w.check("no other approval is kept", [first], kept(w, order))
    w.check("a third official completes it", "200 executed", w.approve("zhang", order))
    w.check("the certificate is back", ["suspended", "valid"], w.history(own))
    w.check("the first approval again changes nothing", "200 executed", w.call("POST", path, first))
    w.check("an executed order is not rejected", FINAL, w.approve("zhang", order, decision="reject"))
    w.check("nor withdrawn", FINAL, w.send("wang", withdrawal(order))[0])
    w.check("nothing was done twice", ["suspended", "valid"], w.history(own))

    got, order = w.send("li", w.order("revoke", more))
    w.check("who sends with one key does not approve with another", PERSON, w.approve("li again", order))
    w.check("nor reject", PERSON, w.approve("li again", order, decision="reject"))


def kept(w, request):
    w.get("wang", f"/v1/requests/{request}")
    return w.answer["approvals"]


def expiring(w, own):
    """A request that has passed its exp is never executed, an approval that has does not count."""
    got, back = w.send("wang", w.order("reinstate", own))
    now = int(time.time())
    w.check("an approval for two seconds counts", "202 waiting", w.approve("li", back, exp=now + 2))
    w.check("as one", 2, w.answer["officials_signed"])
    got, order = w.send("wang", w.order("revoke", own, exp=now + 2))
    w.check("an order for two seconds waits", "202 waiting", got)
    w.check("one that is past is refused", "422 request_expired", w.send("wang", w.order("revoke", own, iat=now - 9, exp=now - 1))[0])
    time.sleep(max(0, now + 3 - time.time()))
    w.check("after them nobody approves it", "422 request_expired", w.approve("li", order))
    w.check("and the approval counts no more", "202 waiting", w.approve("zhang", back))
    w.check("so that one is still missing", (3, 2), (w.answer["officials_needed"], w.answer["officials_signed"]))
    w.check("nothing was done", [], w.history(own))


def replacements(w, own, foreign):
    """A centre's own certificate, once one official has said yes."""
    got, order = w.send("center", w.order("replace", own))
    w.check("a replacement by its centre waits", "202 waiting", got)
    whoever(w, "a replacement", order, None)
    w.check("it was not done", [], w.history(own))
    w.check("an official approves it", "200 executed", w.approve("li", order))
    w.check("then it is replaced", ["superseded"], w.history(own))
    w.check("a second official changes nothing", "200 executed", w.approve("zhang", order))
    w.check("it is replaced once", ["superseded"], w.history(own))
    got, order = w.send("center", w.order("replace", foreign))
    w.approve("li", order)
    w.check("a centre never replaces a foreign certificate", [], w.history(foreign))


def late_session(w):
    got, request, _, value = w.issue("center", CENTER, 1, days=70)
    w.check("a session of 70 days ago waits", "202 waiting", got)
    whoever(w, "a session", request, None)
    w.check("an official approves it", "200 executed", w.approve("li", request))
    serials = [row.get("serial") for row in w.answer["seats"]]
    w.check("then it is issued", 1, len(serials))
    w.check("its candidate has that one certificate", serials, holder(w, value))
    w.check("a second official changes nothing", "200 executed", w.approve("zhang", request))
    w.check("still that one", serials, holder(w, value))


def holder(w, value):
    w.get("wang", "/v1/holder", document=value["results"][0]["doc_number"], type="01")
    return [row["serial"] for row in w.answer["certificates"]]


def run(url, keys):
    w = World(url, keys)
    w.keys["zhang"] = client.load_key(f"{keys}/official-zhang.pem")
    got, session, own, value = w.issue("center", CENTER, 9)
    w.check("the centre issues", "201 executed", got)
    got, _, foreign, _ = w.issue("other", OTHER, 3)
    w.check("the other centre issues", "201 executed", got)
    got, late, _, _ = w.issue("center", CENTER, 1, days=70)
    got, order = w.send("wang", w.order("revoke", own[1]))
    while w.call("GET", "/crl/0.crl") != "200" or w.call("GET", "/status/0") != "200":
        time.sleep(0.1)
    names = {"session": session, "late": late, "order": order, "serial": own[0], "nothing": w.nothing}
    routes(w, names)
    queries(w, names, value["results"][0]["doc_number"])
    if SERVED:
        selections(w, own[0])
    requests(w, [own[2], own[7]], foreign)
    withdrawals(w, own[3], late)
    rejections(w, own[3])
    approvals(w, own[4], own[5])
    expiring(w, own[6])
    late_session(w)
    if SERVED:
        replacements(w, own[8], foreign[2])
    w.check("what only the wrong people asked for was not done", [[]] * 5, [w.history(own[i]) for i in (0, 1, 3, 5, 6)])
    w.check("what an official replaced is replaced once", [["superseded"] * SERVED] * 2,
            [w.history(own[7]), w.history(foreign[1])])
    w.check("what an official suspended is suspended once", [["suspended"]] * 2, [w.history(own[2]), w.history(foreign[0])])
    print(f"# {w.checked} checks")
    sys.exit(w.failed != 0)


def roster(keys, path, which):
    """`with`: the removed key is still on it; `without`: no more."""
    with open(path) as file:
        text = file.read().split(".")[1]
    value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    value["version"] += 1
    value["approvals"]["reinstate"] = 3
    now = int(time.time())
    like = {name: next(o for o in value["operators"] if o["kid"] == client.kid_of(client.load_key(f"{keys}/{name}.pem")))
            for name in (CENTER, "official-li")}
    for name in KEYS:
        if not os.path.exists(f"{keys}/{name}.pem"):
            key = ec.generate_private_key(ec.SECP256R1())
            with open(f"{keys}/{name}.pem", "wb") as file:
                file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.NoEncryption()))
    new = {"removed": (CENTER, "另一人", {}), "expired": (CENTER, "另一人", {"not_before": now - 7200, "not_after": now - 3600}),
           "future": (CENTER, "另一人", {"not_before": now + 3600}), "li-again": ("official-li", None, {}),
           "past-official": ("official-li", "另一人", {"not_before": now - 7200, "not_after": now - 3600})}
    kids = {name: client.kid_of(client.load_key(f"{keys}/{name}.pem")) for name in new}
    value["operators"] = [o for o in value["operators"] if o["kid"] not in kids.values()]
    for name, (whose, person, changes) in new.items():
        if name != "removed" or which == "with":
            key = client.load_key(f"{keys}/{name}.pem")
            value["operators"].append({**like[whose], "kid": kids[name], "jwk": client.jwk_of(key),
                                       **({"person": person} if person else {}), **changes})
    sys.stdout.write(client.roster_sign(value, f"{keys}/root.pem"))


def main(args):
    {"run": run, "roster": roster}[args[0]](*args[1:])
