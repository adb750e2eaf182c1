"""What tests of orders share: a session of their own software with the service, and checks that say a sentence each."""
import base64
import http.client
import json
import sys
import time
import urllib.parse

import cbor2

import client

failures = 0


def check(name, want, got):
    global failures
    if want == got:
        print(f"ok {name}", flush=True)
        return
    failures += 1
    print(f"not ok {name}\n# wanted {want}\n# got    {got}", flush=True)


def today(days=0):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600 + days * 86400))


class Service:
    def __init__(self, folder, url):
        keys = {"center": "330106-01", "other": "440305-02", "wang": "official-wang", "li": "official-li",
                "zhang": "official-zhang"}
        self.keys = {who: client.load_key(f"{folder}/keys/{name}.pem") for who, name in keys.items()}
        self.url = urllib.parse.urlsplit(url)

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else {}

    def send(self, who, value):
        """The status, the answer; its error word or state stands in `word`."""
        return self.named(self.call("POST", "/v1/requests", client.sign(self.keys[who], client.dump(value))))

    def approve(self, who, request, **more):
        value = {"request": request, **client.times(86400), "decision": "approve", **more}
        text = client.sign(self.keys[who], client.dump(value), "zz-approval+jwt")
        return self.named(self.call("POST", f"/v1/requests/{request}/approvals", text))

    def token(self, who, path):
        now = int(time.time())
        value = client.dump({"aud": path, "iat": now, "exp": now + 300})
        return {"Authorization": "Bearer " + client.sign(self.keys[who], value, "zz-query+jwt")}

    def get(self, who, path):
        return self.named(self.call("GET", path, None, self.token(who, path)))

    def select(self, who, value):
        path = "/v1/selections"
        return self.named(self.call("POST", path, json.dumps(value), self.token(who, path)))

    @staticmethod
    def named(answer):
        status, value = answer
        value["word"] = value["type"].rpartition(":")[2] if "type" in value and "title" in value else value.get("state")
        return status, value

    def issue(self, who, center, seats=1, **session):
        value = client.session_request(center, seats)
        value["session"].update(session)
        return value, self.send(who, value)[1]

    def order(self, kind, **more):
        return {"type": kind, **client.times(86400), "decision_no": "应急〔2026〕7号", "decided_at": today(), **more}


def record_of(row):
    """The claims of a record in an answer, and its certificate map."""
    text = row["record"]
    claims = cbor2.loads(cbor2.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).value[2])
    return claims, claims[-65537]


def outcomes(answer):
    rows = answer.get("seats", answer.get("certificates"))
    return answer.get("word") if rows is None else [row["outcome"] for row in rows]


def leave():
    sys.exit(1 if failures else 0)
