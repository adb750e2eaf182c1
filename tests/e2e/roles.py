#!/usr/bin/python3
"""Who may do what: every role against every route and every type of request, in tables. Everything that no table allows is
tried too and must be refused. Nothing of ours is used but client.py, which is a stranger's.

  roles.py roster KEYS ROSTER.jws without|with
      the next roster: with the keys of people who come and go (made in KEYS where they are missing), or without the removed
  roles.py run URL KEYS        the tables; "ok ..." or "not ok ..." a line"""
import hashlib
import http.client
import json
import sys
import time
import urllib.parse

from cryptography.hazmat.primitives.asymmetric import ec

import client

CENTER, OTHER = "330106-01", "440305-02"
# What a key is, and what it is refused with wherever a signature is asked for; the last five may do something somewhere.
KEYS = {"stranger": "401 kid_unknown", "removed": "401 kid_unknown", "expired": "401 key_not_in_force",
        "future": "401 key_not_in_force", "past-official": "401 key_not_in_force",
        CENTER: None, OTHER: None, "official-wang": None, "official-li": None, "li-again": None}
FILES = {CENTER: "center", OTHER: "other", "official-wang": "wang", "official-li": "li", "li-again": "li again"}
REFUSED = {FILES.get(name, name): why for name, why in KEYS.items() if why}

ROLE, MISMATCH, YOURS = "403 role_not_allowed", "403 center_mismatch", "403 not_yours"
UNKNOWN = "401 kid_unknown"
DONE, WAITS, NO_TYPE = "201 executed", "202 waiting", "422 request_type_unknown"

# Are `replace` and POST /v1/selections served?
SERVED = True

# POST /v1/requests: type of request, answer to the centre, to another centre, to an official. Certificate, session and
# waiting request are the centre's own ("foreign": of the other centre).
REQUESTS = [
    ("issue", DONE, MISMATCH, ROLE),
    ("issue late", WAITS, MISMATCH, ROLE),
    ("revoke", ROLE, ROLE, WAITS),
    ("suspend", ROLE, ROLE, DONE),
    ("reinstate", ROLE, ROLE, WAITS),
    ("replace", *((WAITS, YOURS, DONE) if SERVED else (NO_TYPE,) * 3)),
    ("stop", ROLE, ROLE, DONE),
    ("resume", ROLE, ROLE, WAITS),
    ("revoke foreign", ROLE, ROLE, WAITS),
    ("suspend foreign", ROLE, ROLE, DONE),
    ("reinstate foreign", ROLE, ROLE, WAITS),
    ("replace foreign", *((YOURS, WAITS, DONE) if SERVED else (NO_TYPE,) * 3)),
    ("revoke nobody's", ROLE, ROLE, "422 serial_unknown" if SERVED else WAITS),
    ("suspend nobody's", ROLE, ROLE, "422 serial_unknown"),
    ("praise", NO_TYPE, NO_TYPE, NO_TYPE),
]

# GET with a query token of the key: answer to the centre, to another centre, to an official.
QUERIES = [
    ("/v1/requests", "200", "200", "200"),
    ("/v1/requests/{session}", "200 executed", YOURS, "200 executed"),
    ("/v1/requests/{late}", "200 waiting", YOURS, "200 waiting"),
    ("/v1/requests/{order}", YOURS, YOURS, "200 waiting"),
    ("/v1/requests/{nothing}", "404 not_found", "404 not_found", "404 not_found"),
    ("/v1/requests/short", "404 not_found", "404 not_found", "404 not_found"),
    ("/v1/certificates/{serial}", "200", YOURS, "200"),
    ("/v1/certificates/{nothing:.32}", "404 not_found", "404 not_found", "404 not_found"),
    ("/v1/holder", ROLE, ROLE, "200"),
]

# A route: the answers to GET, HEAD, POST without token or body, and what Allow says. Other methods are refused everywhere.
NO_TOKEN, NO_METHOD, NO_BODY = "401 authorization_missing", "405 method_not_allowed", "400 jws_invalid"
ROUTES = [
    ("/v1/requests", NO_TOKEN, NO_BODY, "GET, POST"),
    ("/v1/requests/{session}", NO_TOKEN, NO_METHOD, "GET, HEAD"),
    ("/v1/requests/{session}/approvals", NO_METHOD, NO_BODY, "POST"),
    ("/v1/certificates/{serial}", NO_TOKEN, NO_METHOD, "GET, HEAD"),
    ("/v1/holder", NO_TOKEN, NO_METHOD, "GET, HEAD"),
    ("/v1/selections", *((NO_METHOD, NO_TOKEN, "POST") if SERVED else ("404 not_found", "404 not_found", None))),
    ("/v1", "404 not_found", "404 not_found", None),
    ("/v1/requests/", "404 not_found", "404 not_found", None),
    ("/v1/requests/{session}/other", "404 not_found", "404 not_found", None),
    ("/v1/certificates", "404 not_found", "404 not_found", None),
    ("/v2/requests", "404 not_found", "404 not_found", None),
    ("/healthz", "200", NO_METHOD, "GET, HEAD"),
    ("/readyz", "200", NO_METHOD, "GET, HEAD"),
    ("/metrics", "200", NO_METHOD, "GET, HEAD"),
    ("/log/checkpoint", "200", NO_METHOD, "GET, HEAD"),
    ("/status/0", "200", NO_METHOD, "GET, HEAD"),
    ("/status/0.cwt", "200", NO_METHOD, "GET, HEAD"),
    ("/crl/0.crl", "200", NO_METHOD, "GET, HEAD"),
    ("/manifest.cose", "200", NO_METHOD, "GET, HEAD"),
    ("/signer/status.pem", "404 not_found", "404 not_found", None),
]
OTHER_METHODS = ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get")


def today(days=0):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600 + days * 86400))


class World:
    def __init__(self, url, keys):
        self.at = urllib.parse.urlsplit(url).netloc
        self.keys = {FILES.get(name, name): client.load_key(f"{keys}/{name}.pem") for name in KEYS}
        self.failed = self.checked = 0
        self.allow, self.body, self.answer = None, b"", {}
        self.nothing = "0" * 64

    def check(self, name, want, got):
        self.checked += 1
        if want == got:
            print(f"ok {name}: {want}")
            return
        self.failed += 1
        print(f"not ok {name}\n# wanted {want}\n# got    {got} {self.body[:200]!r}")

    def call(self, method, path, body=None, authorization=None):
        """ "STATUS WORD", the word being the error's or the state's."""
        connection = http.client.HTTPConnection(self.at, timeout=20)
        headers = {"Content-Type": "application/jose"} if body is not None else {}
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            self.body = answer.read()
        finally:
            connection.close()
        self.allow = answer.getheader("Allow")
        self.answer = {}
        if "json" in (answer.getheader("Content-Type") or "") and self.body:
            self.answer = json.loads(self.body)
        word = self.answer.get("type", "").removeprefix("urn:zz:error:") if answer.status >= 400 else ""
        return f"{answer.status} {word or self.answer.get('state', '')}".strip()

    def token(self, by, path, typ="zz-query+jwt", key=None, **changes):
        now = int(time.time())
        value = {"aud": path, "iat": now, "exp": now + 60, **changes}
        value = {k: v for k, v in value.items() if v is not None}
        return "Bearer " + client.sign(key or self.keys[by], client.dump(value), typ, {"kid": client.kid_of(self.keys[by])})

    def get(self, by, path, **changes):
        return self.call("GET", path, authorization=self.token(by, path, **changes))

    def send(self, by, value, typ="zz-request+jwt"):
        """The answer and the id of the request; its bytes stay in self.sent."""
        self.sent = client.sign(self.keys[by], client.dump(value), typ)
        got = self.call("POST", "/v1/requests", self.sent)
        return got, hashlib.sha256(self.sent.rsplit(".", 1)[0].encode()).hexdigest()

    def approve(self, by, request, path=None, typ="zz-approval+jwt", **changes):
        value = {"request": request, **client.times(86400), "decision": "approve", **changes}
        self.sent = client.sign(self.keys[by], client.dump(value), typ)
        return self.call("POST", f"/v1/requests/{path or request}/approvals", self.sent)

    def order(self, kind, serial=None, **changes):
        value = {"type": kind, **client.times(86400), "decision_no": "1", "decided_at": today()}
        if kind in ("revoke", "suspend"):
            value.update(ground="R05" if kind == "revoke" else "S01", effective_at=today())
        if kind == "suspend":
            value["until"] = today(20)
        if kind == "replace":
            value.update(ground="X02", serial=serial, changes={})
        elif kind in ("stop", "resume"):
            value["center"] = "330106-01-unused" if serial is None else serial
        elif serial:
            value["serials"] = [serial]
        return {**value, **changes}

    def issue(self, by, center, seats, **changes):
        value = client.session_request(center, seats, **changes)
        got, request = self.send(by, value)
        return got, request, [row.get("serial") for row in self.answer.get("seats", [])], value

    def history(self, serial):
        self.get("wang", f"/v1/certificates/{serial}")
        return [row["status"] for row in self.answer["history"]]


def routes(w, names):
    w.check("a path upwards", "400 http_refused", w.call("GET", "/log/../../zz.conf"))
    for path, get, post, allow in ROUTES:
        path = path.format(**names)
        w.check(f"GET {path[:40]} of nobody", get, w.call("GET", path))
        w.check(f"HEAD {path[:40]} of nobody", get.split()[0], w.call("HEAD", path))
        w.check("its body stays away", b"", w.body)
        w.check(f"POST {path[:40]} of nobody", post, w.call("POST", path, b""))
        if NO_METHOD in (get, post):
            w.call("POST" if post == NO_METHOD else "GET", path, b"" if post == NO_METHOD else None)
            w.check("Allow says what is", allow, w.allow)
        for method in OTHER_METHODS:
            w.check(f"{method} {path[:40]}", NO_METHOD, w.call(method, path, authorization=w.token("wang", path)))


def queries(w, names, document):
    for path, *wants in QUERIES:
        path = path.format(**names)
        more = {"document": document, "type": "01"} if path == "/v1/holder" else {}
        for by, want in [*zip(("center", "other", "wang"), wants), *REFUSED.items()]:
            w.check(f"GET {path[:40]} of {by}", want, w.get(by, path, **more))
        w.call("HEAD", path, authorization=w.token("wang", path, **more))
        w.check("HEAD of an official has no body", b"", w.body)
        faults(w, path)
    w.check("an official without a document", "400 field_missing", w.get("wang", "/v1/holder"))
    w.check("an official without the type of it", "400 field_invalid", w.get("wang", "/v1/holder", document=document))
    w.get("center", "/v1/requests")
    mine = [row["request"] for row in w.answer["waiting"]]
    w.check("the centre sees what it waits for, and no orders", (True, False),
            (names["late"] in mine, names["order"] in mine))
    w.get("other", "/v1/requests")
    w.check("the other centre sees nothing of both", [], w.answer["waiting"])
    w.get("wang", "/v1/requests")
    every = [row["request"] for row in w.answer["waiting"]]
    w.check("officials see both", (True, True), (names["late"] in every, names["order"] in every))


def selections(w, serial):
    """POST /v1/selections: a query token as with GET, and a body that nobody signs."""
    path, body = "/v1/selections", json.dumps({"serials": [serial]})

    def ask(by, text=body, **changes):
        return w.call("POST", path, text, w.token(by, path, **changes))

    for by, want in [*REFUSED.items(), ("center", ROLE), ("other", ROLE), ("wang", "200")]:
        w.check(f"POST {path} of {by}", want, ask(by))
    faults(w, path, "POST", body)
    for text in ("", "{}", "[]", "hello", json.dumps({"serials": [serial], "select": {"center": CENTER}})):
        w.check(f"a selection of {text[:30]!r}", "400", ask("wang", text)[:3])
    w.check("a selection of nobody's", "422", ask("wang", json.dumps({"serials": ["0" * 32]}))[:3])


def faults(w, path, method="GET", body=None):
    """An official's token that is not right: the same answer at every route, before anything is looked up."""
    now, forged = int(time.time()), ec.generate_private_key(ec.SECP256R1())
    good = w.token("wang", path)
    tokens = [
        ("no token", "401 authorization_missing", ""),
        ("a password", "401 authorization_missing", "Basic d2FuZzp3YW5n"),
        ("words", NO_BODY, "Bearer hello"),
        ("a token for another path", ROLE, w.token("wang", "/v1/other")),
        ("a token for the start of the path", ROLE, w.token("wang", path[:-1])),
        ("a token without a path", "400 field_missing", w.token("wang", None)),
        ("an expired token", "422 request_expired", w.token("wang", path, iat=now - 200, exp=now - 1)),
        ("a token of tomorrow", "422 iat_ahead", w.token("wang", path, iat=now + 3600, exp=now + 3660)),
        ("a token for an hour", "422 lifetime_too_long", w.token("wang", path, exp=now + 3600)),
        ("a token by another hand", "401 signature_invalid", w.token("wang", path, key=forged)),
        ("a token with a letter changed", "401 signature_invalid", good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:]),
        ("a request instead of a token", NO_BODY, w.token("wang", path, typ="zz-request+jwt")),
        ("an approval instead of a token", NO_BODY, w.token("wang", path, typ="zz-approval+jwt")),
        ("a token that says more", "400 field_unknown", w.token("wang", path, role="official")),
    ]
    for name, want, token in tokens:
        w.check(f"{path[:24]} with {name}", want, w.call(method, path, body, token or None))


def requests(w, own, foreign):
    """Each type by each role. `own` and `foreign`: serials nobody else touches, two for each order."""
    for name, *wants in REQUESTS:
        kind, _, which = name.partition(" ")
        for by, want in [*REFUSED.items(), *zip(("center", "other", "wang"), wants)]:
            if kind == "issue":
                got = w.issue(by, CENTER, 1, days=70 if which else 3)[0]
            elif kind in ("stop", "resume"):
                got = w.send(by, w.order(kind, OTHER))[0]
            else:
                at = int(kind == "replace")  # what is replaced is nothing else any more
                serial = {"": own[at], "foreign": foreign[at], "nobody's": "0" * 32}[which]
                got = w.send(by, w.order(kind, serial))[0]
            # form comes first: of a key that is on the roster, in force or not, a wrong form is told
            w.check(f"{name} by {by}", NO_TYPE if NO_TYPE in wants and want != UNKNOWN else want, got)
    w.check("a centre that is stopped", "403 center_stopped", w.issue("other", OTHER, 1)[0])
    w.check("may still ask", "200", w.get("other", "/v1/requests"))
    w.check("a session that says it is of the other centre", MISMATCH, w.issue("center", OTHER, 1)[0])
    for by, want in [*REFUSED.items(), ("center", NO_BODY), ("wang", NO_BODY)]:
        for typ in ("zz-query+jwt", "zz-approval+jwt", "zz-roster+jwt", "JWT"):
            got = w.send(by, w.order("revoke", own[0]), typ)[0]
            w.check(f"a request of type {typ} by {by}", NO_BODY, got)


if __name__ == "__main__":
    import roles_approvals
    roles_approvals.main(sys.argv[1:])
