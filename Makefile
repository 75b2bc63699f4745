# SPDX-License-Identifier: BSD-2-Clause
# Ties the two builds together: Kbuild for driver/, Meson for everything else.
# `make help` says what there is.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
BUILD ?= build

.PHONY: all help user setup quick check check-quick clean

all: user ## build everything that this machine can build

user: $(BUILD)/build.ninja ## build the library, the tools and the tests
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

quick: ## eight processes over shared memory: no root, no guest, no module; under a minute
	tests/quick.sh $(BUILD)-quick

clean: ## remove what the build made
	rm -rf $(BUILD) $(BUILD)-quick

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | sort | column -t -s '|'
