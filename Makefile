# SPDX-License-Identifier: BSD-2-Clause
# Ties the two builds together: Kbuild for driver/, Meson for everything else.
# `make help` says what there is.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
BUILD ?= build
# The kernel to build the modules for.
KDIR ?= /lib/modules/$(shell uname -r)/build
# The kernel that make shell boots: 6.1, 6.12 or debug.
KERNEL ?= 6.1

export BUILD

.PHONY: all help user driver setup quick demo shell check check-quick bench debug-kernel clean
.PHONY: install install-driver deb check-full bench-verbs

all: user ## build everything that this machine can build

user: $(BUILD)/build.ninja ## build the library, the tools and the tests
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

driver: ## build the kernel modules for KDIR (default: the running kernel)
	@packaging/build-modules.sh $(KDIR) $(BUILD)

install: user ## install the library and the tools (PREFIX=, DESTDIR=)
	@packaging/install.sh $(BUILD) $(PREFIX)

install-driver: ## install the kernel modules for KDIR (INSTALL_MOD_PATH=)
	@packaging/install-modules.sh $(KDIR) $(BUILD)

deb: ## build the Debian packages, into $(BUILD)/deb
	@packaging/setup.sh packages
	@packaging/build-deb.sh $(BUILD)

setup: ## install what building and testing needs, from Debian packages
	packaging/setup.sh check

demo: ## a SuperPod in a guest: allreduce, a pulled link, a killed rank
	@packaging/setup.sh user vm
	@$(MAKE) --no-print-directory user
	@tests/vm/demo $(KERNEL)

shell: ## boot a guest with the pod up and get a shell in it (KERNEL=6.1)
	@packaging/setup.sh vm
	@tests/vm/shell $(KERNEL)

check-quick: ## build, unit tests, kselftests on 6.1; under 5 minutes
	@packaging/setup.sh user vm
	@tests/check quick

check: ## the same on all kernels, sanitizers, lint; what CI runs
	@packaging/setup.sh check
	@tests/check all

bench: ## allreduce beside Open MPI, a reference and memcpy; BENCH=--short for few sizes
	@packaging/setup.sh user bench
	@test -x $(BUILD)/bench/allreduce || \
		meson setup $$(test ! -e $(BUILD)/build.ninja || echo --reconfigure) \
			-Dbench=enabled $(BUILD)
	@$(MAKE) --no-print-directory user
	@bench/run $(BENCH)

bench-verbs: ## perftest on ub beside soft-RoCE, in a guest; VERBS=--short or --reference
	@packaging/setup.sh user vm bench-verbs
	@$(MAKE) --no-print-directory user
	@ninja -C $(BUILD) -t query bench/verbs-cost >/dev/null 2>&1 || \
		meson setup --reconfigure $(BUILD)
	@ninja -C $(BUILD) bench/verbs-cost
	@bench/verbs/run $(VERBS)

check-full: ## check, and the packages in a guest with a whole Debian
	@packaging/setup.sh check
	@tests/check full

debug-kernel: ## build the kernel with KASAN and lockdep (cached; 10 minutes)
	@packaging/setup.sh debug-kernel
	@tests/vm/debug-kernel

quick: ## eight processes over shared memory: no root, no guest, no module; under a minute
	tests/quick.sh $(BUILD)-quick

clean: ## remove what the build made
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-quick

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | sort | column -t -s '|'
