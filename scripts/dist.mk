# SPDX-License-Identifier: MIT
# What leaves the tree (the static program, the Debian package) and the checks that take a build of their
# own. Included by the Makefile.

DIST    ?= $(BUILD)/dist
# ARCH as the programs are called; the one that the compiler here makes
NAME    := $(ARCH:x86=x86_64)
NATIVE  := $(shell uname -m | sed 's/aarch64/arm64/')
# the time that a package's files carry: the commit's
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1)
export SOURCE_DATE_EPOCH

.PHONY: dist dist-x86_64 dist-arm64 dist-arm64-too dist-check static

# `make dist ARCH=arm64` makes that one only, and fails where it can't be made.
dist: dist-$(NAME) $(if $(filter command%,$(origin ARCH)),,$(if $(filter x86_64,$(NATIVE)),dist-arm64-too)) ## one static program that runs anywhere, for x86-64 and arm64: build/dist/copytax-ARCH

# Built by a make of its own: other flags, other objects, the same sources. By its whole path: what an object depends on
# is kept under the name that it was built by, and a change of names (build/dist, /srv/copytax/build/dist) would lose it.
dist-$(NATIVE):
	$(Q)$(MAKE) BUILD=$(abspath $(DIST))/$(NATIVE) OPT='-O2 -g0' static
	$(Q)cp $(DIST)/$(NATIVE)/copytax-static $(DIST)/copytax-$(NATIVE)
	$(say) DIST "$(DIST)/copytax-$(NATIVE) ($$(stat -c %s $(DIST)/copytax-$(NATIVE)) bytes)"

ifeq ($(NATIVE),x86_64)
dist-arm64: ## the one for arm64 alone, by a cross compiler and arm64's libraries, which it fetches
	$(Q)tests/vm/arm64.sh --dist $(DIST)/copytax-arm64

dist-arm64-too:
	$(Q)tests/vm/arm64.sh --dist $(DIST)/copytax-arm64 || \
		{ [ $$? -eq 77 ] && rm -f $(DIST)/copytax-arm64 && echo 'dist: none for arm64, for that reason'; }
endif

static: $(BUILD)/copytax-static

# hwloc's, libelf's and the C library's archives name each other: a group. No build id: it would differ
# between two linkers, and nothing asks for it.
$(BUILD)/copytax-static: $(OBJECTS) $(BUILD)/obj/bench/static/absent.o $(BUILD)/obj/bench/static/numeric.o
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -static -Wl,--gc-sections -Wl,--build-id=none -s \
		$(foreach f,dlopen dlsym dlerror dlclose getaddrinfo freeaddrinfo,-Wl,--wrap=$(f)) $^ \
		-Wl,--start-group $(filter-out -ludev,$(LDLIBS)) -Wl,--end-group -o $@

dist-check: ## two static builds in different places must be the same bytes, for each architecture
	$(Q)scripts/dist-check.sh $(BUILD)

.PHONY: deb
deb: all ## a Debian package: build/dist/copytax_VERSION_ARCH.deb
	$(Q)scripts/deb.sh $(BUILD) $(VERSION) $(DIST)

# ---- fuzzing: clang's libFuzzer with the address and undefined-behaviour sanitizers ----

FUZZ       := $(patsubst tests/fuzz/%_fuzz.c,%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
FUZZ_BUILD  = $(BUILD)/fuzz
FUZZ_TIME  ?= 600
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: fuzz fuzz-build fuzz-programs
fuzz: fuzz-build ## look for inputs that break the parsers, FUZZ_TIME=600 seconds each
	$(Q)scripts/fuzz.sh $(FUZZ_BUILD) $(FUZZ_TIME) $(FUZZ)

fuzz-build:
	$(Q)$(MAKE) BUILD=$(FUZZ_BUILD) CC=clang OPT='-O1 -g' \
		SANITIZE_FLAGS='$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -fno-omit-frame-pointer' fuzz-programs

fuzz-programs: $(FUZZ:%=$(BUILD)/%_fuzz)

$(BUILD)/%_fuzz: tests/fuzz/%_fuzz.c tests/fuzz/fuzz.h $(LIBRARY)
	$(say) FUZZ $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/fuzz -fsanitize=fuzzer $< $(LIBRARY) $(LDLIBS) -o $@

# ---- what finds faults without running, and what the tests reach ----

.PHONY: analyze coverage matrix
analyze: ## gcc -fanalyzer over everything (its findings are errors)
	$(Q)scripts/analyze.sh $(BUILD)

coverage: ## how much of bench/ the unit and command tests run: build/coverage/index.html
	$(Q)scripts/coverage.sh $(BUILD)

matrix: dist ## every kernel of both architectures, every hardship, in emulation: docs/matrix.md (about an hour)
	$(Q)tests/vm/matrix.sh --dist $(DIST) --rows $(BUILD)/matrix.rows
