# SPDX-License-Identifier: MIT
# What leaves the tree (the static program, the Debian package) and the checks that take a build of their
# own. Included by the Makefile.

DIST    ?= $(BUILD)/dist
PROGRAM := $(DIST)/copytax-$(ARCH:x86=x86_64)
# the time that a package's files carry: the commit's
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1)
export SOURCE_DATE_EPOCH

.PHONY: dist dist-arm64 dist-check static

# Built by a make of its own: other flags, other objects, the same sources.
dist: ## one static program that runs anywhere: build/dist/copytax-ARCH
	$(Q)$(MAKE) BUILD=$(DIST)/$(ARCH) OPT='-O2 -g0' static
	$(Q)cp $(DIST)/$(ARCH)/copytax-static $(PROGRAM)
	$(say) DIST "$(PROGRAM) ($$(stat -c %s $(PROGRAM)) bytes)"

dist-arm64: ## the same for arm64, by a cross compiler: build/dist/copytax-arm64
	$(Q)tests/vm/arm64.sh --dist $(DIST)/copytax-arm64

static: $(BUILD)/copytax-static

# hwloc's, libelf's and the C library's archives name each other: a group. No build id: it would differ
# between two linkers, and nothing asks for it.
$(BUILD)/copytax-static: $(OBJECTS) $(BUILD)/obj/bench/static/absent.o $(BUILD)/obj/bench/static/numeric.o
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -static -Wl,--gc-sections -Wl,--build-id=none -s \
		$(foreach f,dlopen dlsym dlerror dlclose getaddrinfo freeaddrinfo,-Wl,--wrap=$(f)) $^ \
		-Wl,--start-group $(filter-out -ludev,$(LDLIBS)) -Wl,--end-group -o $@

dist-check: ## two static builds in different places must be the same bytes
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

matrix: dist ## every kernel, every hardship, in emulation: docs/matrix.md (about half an hour)
	$(Q)tests/vm/matrix.sh --program $(PROGRAM)
