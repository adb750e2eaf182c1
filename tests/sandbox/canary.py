"""Looks for the private bytes of a PEM key: canary.py KEY.pem memory PID | file PATH..."""
import sys
from cryptography.hazmat.primitives import serialization as s

pem = open(sys.argv[1], "rb").read()
key = s.load_pem_private_key(pem, None)
try:
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
except AttributeError:
    scalar = key.private_bytes(s.Encoding.Raw, s.PrivateFormat.Raw, s.NoEncryption())
needles = {"scalar": scalar, "reversed": scalar[::-1], "hex": scalar.hex().encode(),
           "pem": pem.splitlines()[1][:40]}


def tell(where, data):
    for name, n in needles.items():
        if n in data:
            print(f"{name} in {where}")


if sys.argv[2] == "file":
    for path in sys.argv[3:]:
        tell(path, open(path, "rb").read())
else:  # a dump holds what /proc/PID/smaps does not mark dd
    pid = sys.argv[3]
    mem = open(f"/proc/{pid}/mem", "rb", 0)
    area, flags = None, {}
    for line in open(f"/proc/{pid}/smaps"):
        word = line.split()
        if "-" in word[0] and not word[0].endswith(":"):
            area = word
        elif word[0] == "VmFlags:":
            flags[tuple(area[:2] + area[5:6])] = word[1:]
    for (span, rights, *name), f in flags.items():
        if "r" not in rights or (name and name[0] in ("[vvar]", "[vsyscall]")):
            continue
        a, b = (int(x, 16) for x in span.split("-"))
        try:
            mem.seek(a)
            data = mem.read(b - a)
        except OSError:
            continue
        kind = "locked memory in no dump" if "dd" in f and "lo" in f else f"plain memory {name}"
        tell(kind, data)
