#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The YNL specification of the netlink family says what the code does.

Compares Documentation/netlink/specs/ub.yaml with uapi/ub/netlink.h (names,
numbers and types) and with the table of operations in driver/core/netlink.c
(what is a dump, what needs privilege). Says every difference.

usage: netlink_spec.py TOP_OF_THE_SOURCE
"""
import re
import sys

import yaml

# The first word of an attribute's comment in the header.
TYPES = {'string': 'string', 'u32': 'u32', 'u64': 'u64', 's32': 's32',
         'flag': 'flag', 'nest': 'nest', '16': 'binary'}


def c_enum(text, name):
    """[(constant, first word of its comment)] of an enum, numbered from 0."""
    body = re.search(r'enum %s \{(.*?)\n\t__' % name, text, re.S).group(1)
    assert '=' not in body, 'this test numbers from 0'
    return re.findall(r'^\t(\w+),[ \t]*(?:/\* (\w+))?', body, re.M)


def c_ops(text):
    """{command: (kind, privileged)} of the table of operations."""
    table = re.search(r'ub_genl_ops\[\] = \{(.*?)\n\};', text, re.S).group(1)
    return {cmd: (kind, 'GENL_ADMIN_PERM' in rest) for cmd, kind, rest in
            re.findall(r'\.cmd = (\w+), \.(doit|dumpit) =(.*)', table)}


def c_name(prefix, name):
    return (prefix + name).upper().replace('-', '_')


def compare(what, code, spec):
    for key in sorted(set(code) | set(spec)):
        if code.get(key) != spec.get(key):
            yield f'{what} {key}: the code says {code.get(key)}, ' \
                  f'the specification {spec.get(key)}'


def numbered(items, prefix):
    number, result = 0, {}
    for item in items:
        number = item.get('value', number)
        result[c_name(prefix, item['name'])] = number
        number += 1
    return result


def attributes(header, spec):
    attrs = spec['attribute-sets'][0]
    prefix = attrs['name-prefix']
    code = c_enum(header, 'ub_attr')
    yield from compare('attribute', {n: i for i, (n, _) in enumerate(code)},
                       numbered(attrs['attributes'], prefix))
    yield from compare('type of', {n: TYPES.get(word) for n, word in code if word},
                       {c_name(prefix, a['name']): a['type']
                        for a in attrs['attributes']
                        if a['type'] not in ('unused', 'pad')})
    known = {a['name'] for a in attrs['attributes']}
    for op in spec['operations']['list']:
        for kind in ('do', 'dump', 'event'):
            part = op.get(kind, {})
            for message in (part, part.get('request', {}), part.get('reply', {})):
                for name in set(message.get('attributes', [])) - known:
                    yield f"{op['name']}: there is no attribute {name}"


def operations(header, source, spec):
    ops = spec['operations']
    code = {n: i for i, (n, _) in enumerate(c_enum(header, 'ub_cmd')) if i}
    yield from compare('command', code, numbered(ops['list'], ops['name-prefix']))
    yield from compare('operation', c_ops(source), {
        c_name(ops['name-prefix'], op['name']):
        ('doit' if 'do' in op else 'dumpit', 'admin-perm' in op.get('flags', []))
        for op in ops['list'] if 'event' not in op})


def constants(header, ioctl, spec):
    def defines(text, prefix):
        return {n: int(v) for n, v in
                re.findall(r'#define (%s\w+)\s+(\d+)\b' % prefix, text)}
    for enum in spec['definitions']:
        prefix = c_name(enum['name-prefix'], '')
        text = ioctl if 'header' in enum else header
        yield from compare('constant', defines(text, prefix), {
            c_name(prefix, n): enum['value-start'] + i
            for i, n in enumerate(enum['entries'])})
    names = dict(re.findall(r'#define (UB_GENL_\w+)\s+"?(\w+)"?', header))
    yield from compare('name', names, {
        'UB_GENL_NAME': spec['name'], 'UB_GENL_VERSION': str(spec['version']),
        'UB_GENL_MCGRP_EVENTS': spec['mcast-groups']['list'][0]['name']})


def read(path):
    with open(f'{sys.argv[1]}/{path}', encoding='utf-8') as file:
        return file.read()


def main():
    header = read('uapi/ub/netlink.h')
    spec = yaml.safe_load(read('Documentation/netlink/specs/ub.yaml'))
    wrong = [*attributes(header, spec),
             *operations(header, read('driver/core/netlink.c'), spec),
             *constants(header, read('uapi/ub/ioctl.h'), spec)]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
