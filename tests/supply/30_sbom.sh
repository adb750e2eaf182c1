#!/usr/bin/env bash
# The bill of materials is well-formed SPDX 2.3, names every library of every program, and comes out the same twice.
. "$(dirname "$0")/../e2e/lib.sh"

expect "the list is made" 0 bash -c "tools/sbom >$work/sbom.json"
expect "and once more, elsewhere" 0 bash -c "cd / && TZ=Asia/Shanghai LC_ALL=C $top/tools/sbom >$work/again.json"
expect "both are the same bytes" 0 cmp "$work/sbom.json" "$work/again.json"
SOURCE_DATE_EPOCH=0 tools/sbom build/bin/zz >"$work/epoch.json"
expect "SOURCE_DATE_EPOCH sets its date" 0 grep -q '"created": "1970-01-01T00:00:00Z"' "$work/epoch.json"

cat >"$work/check.py" <<'PYTHON'
import glob, hashlib, json, os, re, subprocess, sys

d = json.load(open(sys.argv[1]))
wrong = []
def need(true, why):
	if not true:
		wrong.append(why)
need(d["spdxVersion"] == "SPDX-2.3" and d["dataLicense"] == "CC0-1.0" and d["SPDXID"] == "SPDXRef-DOCUMENT", "head")
need(d["name"] and re.fullmatch(r"[a-z]+:[^#]+", d["documentNamespace"]), "name space")
need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", d["creationInfo"]["created"]), "created")
need(all(re.match(r"(Tool|Person|Organization): ", c) for c in d["creationInfo"]["creators"]), "creators")
packages = {p["SPDXID"]: p for p in d["packages"]}
need(len(packages) == len(d["packages"]), "an SPDXID twice")
for key, p in packages.items():
	need(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", key), "SPDXID " + key)
	need(p["name"] and p["versionInfo"] and p["downloadLocation"] and p["licenseDeclared"], "members of " + key)
	for ref in p.get("externalRefs", []):
		need(re.fullmatch(r"pkg:deb/debian/[a-z0-9.%+-]+@\S+\?arch=\w+", ref["referenceLocator"]), "purl of " + key)
	need("Package" not in key.split("-")[1] or p.get("externalRefs"), "no purl: " + key)
linked = {}
for r in d["relationships"]:
	need(r["relatedSpdxElement"] in packages, "relationship to nothing: " + r["relatedSpdxElement"])
	if r["relationshipType"] == "DYNAMIC_LINK":
		linked.setdefault(r["spdxElementId"], "")
		linked[r["spdxElementId"]] += r["comment"] + ", "
described = {r["relatedSpdxElement"] for r in d["relationships"] if r["relationshipType"] == "DESCRIBES"}
for path in glob.glob("build/bin/*"):
	key = "SPDXRef-Program-" + os.path.basename(path)
	need(key in described, "not described: " + key)
	digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
	need(key in packages and packages[key]["checksums"][0]["checksumValue"] == digest, "SHA-256 of " + key)
	dynamic = subprocess.run(["readelf", "-W", "-d", path], capture_output=True, text=True, check=True).stdout
	names = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
	need(names, "no library at all: " + path)
	for name in names:
		need(f"{name} (direct)" in linked.get(key, ""), f"{path} needs {name}")
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON
expect "it is SPDX 2.3 and has every library of every program" 0 /usr/bin/python3 "$work/check.py" "$work/sbom.json"

# Negative controls: a library taken out, a program that is another.
/usr/bin/python3 - "$work/sbom.json" "$work" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1]))
whole = d["relationships"]
d["relationships"] = [r for r in whole if "libjansson" not in r.get("comment", "")]
json.dump(d, open(sys.argv[2] + "/less.json", "w"))
d["relationships"] = whole
for p in d["packages"]:
	if p["name"] == "ca-signer":
		p["checksums"][0]["checksumValue"] = "0" * 64
json.dump(d, open(sys.argv[2] + "/other.json", "w"))
PYTHON
expect "a list without one library is refused" 1 /usr/bin/python3 "$work/check.py" "$work/less.json"
has "and the library is named" "needs libjansson"
expect "a list of another signer is refused" 1 /usr/bin/python3 "$work/check.py" "$work/other.json"
has "and the signer is named" "SHA-256 of SPDXRef-Program-ca-signer"
[ $failures = 0 ]
