"""Reads VCD files, to compare them."""

import re


def changes(text):
    """Declarations by identifier, and the value of every variable after each time at which one changed."""
    header, _, body = text.partition("$enddefinitions $end")
    scopes, names = [], {}
    for line in header.splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"]:
            names.setdefault(words[3], []).append((*scopes, words[4], words[1], words[2]))
    found, values, time = {}, {}, 0
    for line in body.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif match := re.match(r"(?:[bs](\S*) |([01xz]))(\S+)$", line):
            key = tuple(sorted(names[match[3]]))
            values[key] = match[1] if match[1] is not None else match[2]
            found[time] = dict(values)
    return {tuple(sorted(each)) for each in names.values()}, found, time
