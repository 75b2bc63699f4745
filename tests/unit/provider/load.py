# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The provider finds all its symbols in the libibverbs that is installed.

usage: load.py PABI MODULE    (77: no libibverbs of that private ABI is here)
"""
import ctypes
import os
import sys

pabi, module = sys.argv[1:]
try:
    verbs = ctypes.CDLL('libibverbs.so.1')
except OSError:
    print('libibverbs is not installed')
    sys.exit(77)
if not hasattr(verbs, f'verbs_register_driver_{pabi}'):
    print(f'the libibverbs that is installed has another private ABI than {pabi}')
    sys.exit(77)
ctypes.CDLL(module, os.RTLD_NOW)
