#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every file in sysfs is documented, and nothing else is.

usage: sysfs_abi.py TOP_OF_THE_SOURCE
"""
import re
import sys


def read(path):
    with open(f'{sys.argv[1]}/{path}', encoding='utf-8') as file:
        return file.read()


def main():
    source = read('driver/core/sysfs.c')
    page = read('Documentation/ABI/testing/sysfs-class-ub')
    code = {f'ubN/{name}' for name in re.findall(r'DEVICE_ATTR_RO\((\w+)\)', source)}
    code |= {f'ubN/portP/{name}' for name in
             re.findall(r'\[UB_PORT_\w+\] = "(\w+)"', source)}
    documented = set(re.findall(r'^What:\s+/sys/class/ub/(ubN/\S+)$', page, re.M))
    for name in sorted(code - documented):
        print(f'/sys/class/ub/{name} is not documented')
    for name in sorted(documented - code):
        print(f'/sys/class/ub/{name} is documented and does not exist')
    return 0 if code == documented and len(code) > 10 else 1


if __name__ == '__main__':
    sys.exit(main())
