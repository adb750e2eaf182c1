"""What someone who may write the public folder does to a file: one bit of it at five places, the file gone, a file more."""
import re

KINDS = [r"log/checkpoint", r"log/checkpoints/\d+", r"log/checkpoints/\d+\.cose", r"log/checkpoints/\d+\.head", r"log/landmarks",
         r"log/policy\.txt", r"log/tile/0/000", r"log/tile/1/000\.p/1", r"log/tile/entries/000", r"log/tile/0/\d+\.p/\d+",
         r"log/tile/entries/\d+\.p/\d+", r"manifest\.cose", r"status/0", r"status/0\.cwt", r"status/0\.jwt", r"status/head\.cwt",
         r"status/table/\d+\.cwt", r"status/delta/\S+", r"status/version/\S+\.cwt", r"status/version/\S+\.tlog-proof", r"crl/0\.crl"]
# what goes by itself when it is old, or is one of many
MAY_GO = ("log/checkpoints/", "log/tile/0/001", "log/tile/entries/001", "log/policy", "status/version", "status/delta")


def run(public, audited, say):
    names = sorted(str(p.relative_to(public)) for p in public.rglob("*") if p.is_file())
    unknown = [name for name in names if not any(re.fullmatch(kind, name) for kind in KINDS)]
    say(not unknown, "each file in the public folder is of a kind that is tried here", str(unknown))

    def judge(name):
        code, out = audited()
        say(code == 2 and "count public file " in out, name, f"exit {code}: {out[-800:]}")

    for kind in KINDS:
        found = [name for name in names if re.fullmatch(kind, name)]
        say(found, f"there is a file {kind}")
        if not found:
            continue
        path = public / found[-1]
        kept = path.read_bytes()
        for part in range(5) if kept else []:
            at = (len(kept) - 1) * part // 4
            path.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1:])
            judge(f"one bit of {found[-1]}, byte {at} of {len(kept)}, is named")
        path.write_bytes(kept + b"\n")
        judge(f"{kind} with one byte more is named")
        path.unlink()
        if not kind.startswith(MAY_GO) and ".p/" not in kind:
            judge(f"{kind} missing is named")
        path.write_bytes(kept)
    path = public / "log" / "landmarks"
    kept = path.read_bytes()
    path.write_text("1 1\n5\n0\n")
    judge("a landmark where no day begins is named")
    path.write_bytes(kept)
    path = public / "log" / "names.txt"
    path.write_text("x")
    judge("a file that the service does not write is named")
    path.unlink()
