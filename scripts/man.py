#!/usr/bin/env python3
"""Writes a manual page from what a program says of itself with --experimental-dump-help.

Usage: man.py SECTION VERSION < dump > page
"""

import json
import re
import sys

ENVIRONMENT = {
    "NO_COLOR": "Not empty: nothing is coloured.",
    "TERM": "dumb: no colour, no progress line that is rewritten.",
}


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def bold(text):
    return f"\\fB{escape(text)}\\fR"


def italic(text):
    return f"\\fI{escape(text)}\\fR"


def paragraphs(text):
    """Running text as paragraphs; lines that are indented as they are."""
    out, is_literal = [], False
    for line in text.splitlines():
        indented = line.startswith("  ")
        if indented != is_literal:
            out += [".sp", ".nf", ".RS 4"] if indented else [".RE", ".fi"]
            is_literal = indented
        if not line.strip():
            out.append("" if is_literal else ".PP")
        else:
            out.append(escape(line.strip() if not is_literal else line[2:]))
    if is_literal:
        out += [".RE", ".fi"]
    return out


def names(argument):
    return [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument.get("names", [])]


def shown(command):
    return [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]


def term(argument):
    if argument["kind"] == "positional":
        return italic(argument["valueName"])
    value = f" {italic(argument['valueName'])}" if argument["kind"] == "option" else ""
    return ", ".join(bold(name) for name in sorted(names(argument), key=len)) + value


def synopsis(command):
    parts = [bold(" ".join(command.get("superCommands", []) + [command["commandName"]]))]
    for argument in shown(command):
        if argument["kind"] == "positional":
            text = italic(argument["valueName"]) + ("..." if argument["isRepeating"] else "")
            parts.append(f"[{text}]" if argument["isOptional"] else text)
        elif not argument["isOptional"]:
            parts.append(term(argument))
    if any(argument["kind"] != "positional" for argument in shown(command)):
        parts.insert(1, f"[{italic('options')}]")
    return " ".join(parts)


def description(argument):
    text = argument.get("abstract", "").rstrip()
    if argument.get("discussion"):
        text += "\n\n" + argument["discussion"]
    if argument.get("allValues") and argument["kind"] != "flag":
        text += f" One of {', '.join(argument['allValues'])}."
    default = argument.get("defaultValue")
    if default and argument["kind"] == "option":
        text += f" Default: {default}."
    return paragraphs(text.strip())


def arguments(command, without=()):
    out = []
    for argument in shown(command):
        if argument in without:
            continue
        out += [".TP", term(argument), *description(argument)]
    return out


def split_exit_codes(text):
    """The table under "Exit codes:", and the text without it."""
    match = re.search(r"(?m)^Exit codes:\n((?:[ ]+-?\d+ .*\n?)+)", text + "\n")
    if not match:
        return text, []
    rows = [line.split(None, 1) for line in match[1].splitlines()]
    return (text[:match.start()] + text[match.end():]).strip(), rows


def variables(command):
    """Every WSM_… that the text of an option or verb names, with that text."""
    found = {}

    def look(command):
        for argument in shown(command):
            text = argument.get("abstract", "") + " " + argument.get("discussion", "")
            option = max(names(argument), key=len, default=argument.get("valueName", ""))
            for name in re.findall(r"\bWSM_[A-Z_]*[A-Z]\b", text):
                found.setdefault(name, f"As {option}, where that is not given.")
        for inner in command.get("subcommands", []):
            look(inner)
        for name in re.findall(r"\bWSM_[A-Z_]*[A-Z]\b", command.get("discussion", "")):
            found.setdefault(name, "See the description.")

    look(command)
    return found


def page(command, section, version):
    name = command["commandName"]
    discussion, codes = split_exit_codes(command.get("discussion", ""))
    verbs = [verb for verb in command.get("subcommands", [])
             if verb["shouldDisplay"] and verb["commandName"] != "help"]
    common = [argument for argument in (shown(verbs[0]) if verbs else [])
              if all(argument in shown(verb) for verb in verbs)]
    out = [f'.TH {name.upper()} {section} "" "wsm {version}" "wsm"', ".nh", ".ad l",
           ".SH NAME", f"{escape(name)} \\- {escape(command.get('abstract', '').rstrip('.'))}",
           ".SH SYNOPSIS"]
    for entry in verbs or [command]:
        out += [synopsis(entry), ".br"]
    out += [".SH DESCRIPTION", *paragraphs(discussion)]
    if verbs:
        out += [".SH VERBS"]
        for verb in verbs:
            out += verb_pages(verb, common)
        out += [".SH OPTIONS OF EVERY VERB"]
        for argument in common:
            out += [".TP", term(argument), *description(argument)]
    else:
        out += [".SH OPTIONS", *arguments(command)]
    if codes:
        out += [".SH EXIT STATUS"]
        for code, meaning in codes:
            out += [".TP", bold(code), escape(meaning)]
    known = variables(command) | (ENVIRONMENT if verbs else {})
    if known:
        out += [".SH ENVIRONMENT"]
        for variable, text in sorted(known.items()):
            out += [".TP", bold(variable), escape(text)]
    others = [("wsm-apply", 1), ("wsm-feed", 1), ("wsm-server", 8)]
    links = [f"{bold(other)}({number})" for other, number in others if other != name]
    return out + [".SH SEE ALSO", ", ".join(links)]


def verb_pages(verb, common):
    out = [f'.SS "{escape(" ".join(verb.get("superCommands", [])[1:] + [verb["commandName"]]))}"',
           escape(verb.get("abstract", ""))]
    if verb.get("discussion"):
        out += [".PP", *paragraphs(verb["discussion"])]
    out += arguments(verb, without=common)
    for inner in verb.get("subcommands", []):
        if inner["shouldDisplay"] and inner["commandName"] != "help":
            out += verb_pages(inner, common)
    return out


if __name__ == "__main__":
    print("\n".join(page(json.load(sys.stdin)["command"], sys.argv[1], sys.argv[2])))
