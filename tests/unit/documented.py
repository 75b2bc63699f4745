#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The commands in a page print what the page says.

A command is an indented line that begins with "$ "; its output is what follows at
that indent, up to the next command or the end of the block. Only commands whose
program was given are run; the page must have some.

usage: documented.py PAGE NAME=PROGRAM...
"""
import re
import shlex
import subprocess
import sys


def blocks(path):
    """Yields (line number, command, expected output)."""
    command = None
    with open(path, encoding="utf-8") as page:
        lines = page.read().split("\n") + ["end"]
    for number, line in enumerate(lines, 1):
        start = re.match(r"(\s+)\$ (.*)", line)
        if command and (start or (line and not line.startswith(indent))):
            yield command[0], command[1], "\n".join(output).rstrip("\n") + "\n"
            command = None
        if start:
            indent, command, output = start[1], (number, start[2]), []
        elif command:
            output.append(line[len(indent):])


def main():
    path, programs = sys.argv[1], dict(arg.split("=", 1) for arg in sys.argv[2:])
    failed = ran = 0
    for number, command, expected in blocks(path):
        words = shlex.split(command)
        if words[0] not in programs:
            continue
        words[0] = programs[words[0]]
        result = subprocess.run(words, capture_output=True, text=True, timeout=60,
                                check=False)
        ran += 1
        if result.returncode or result.stdout != expected:
            failed += 1
            print(f"{path}:{number}: {command}: status {result.returncode}, "
                  f"and this instead of what the page says:\n{result.stdout}"
                  f"{result.stderr}")
    print(f"{ran} commands, {failed} failed")
    return 1 if failed or not ran else 0


sys.exit(main())
