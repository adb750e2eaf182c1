"""Which system calls does a unit of systemd leave, and does the program it starts need one more?
units.py UNIT PROFILE FILE: what `systemd-analyze syscall-filter` prints"""
import re
import sys

groups, name = {}, None
for line in open(sys.argv[3]).read().split("\n"):
    word = line.strip()
    if line.startswith("@"):
        name = word
        groups[name] = set()
    elif name and word and not word.startswith("#"):
        groups[name].add(word)


def calls(word):
    if not word.startswith("@"):
        return {word}
    return set().union(*(calls(w) for w in groups[word]))


allowed = calls("@default")
for line in open(sys.argv[1]):
    if line.startswith("SystemCallFilter="):
        words = line.strip().split("=", 1)[1]
        for word in words.lstrip("~").split():
            allowed = allowed - calls(word) if words.startswith("~") else allowed | calls(word)
table = re.findall(r'\{"(\w+)", (?:NULL|"\w+"), ([A-Z| ]+)\}', open("ca/sandbox.c").read())
needed = {call for call, who in table if "ALL" in who or sys.argv[2] in who}
needed |= {"seccomp", "prctl", "capset", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "mlock"}
if len(needed) < 20:
    sys.exit("the table of ca/sandbox.c was not found")
missing = sorted(needed - allowed)
print("missing:", *missing)
sys.exit(1 if missing else 0)
