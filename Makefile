# SPDX-License-Identifier: MIT
# Every job of copytax by name. `make help` lists them; V=1 shows the commands.

BUILD   ?= build
# one name for one folder: objects made under another would not be seen to depend on headers
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
OPT     ?= -O2 -g
VERSION := 0.1.0
COMMIT  := $(shell git describe --always --abbrev=12 --exclude='*' --dirty=+changed 2>/dev/null || echo unknown)

# Conditions of `make bench`; unset ones leave the plan's own.
SIZE    ?=
CHUNKS  ?=
METHODS ?=
ROUNDS  ?=
OUT     ?= results/$(shell date +%Y%m%d-%H%M%S)
PLAN    ?= bench/plans/bench.plan
RESULT  ?= results/reference

LIBS     := jansson gsl hwloc libxxhash libbpf liburing libcap nettle
# "=", not ":=": in `make deps bench` these are asked for after deps has installed what answers
INCLUDES  = -Ibench -Ibpf -I$(BUILD)/bpf -I$(BUILD)/gen $(shell pkg-config --cflags $(LIBS))
WARN     := -Wall -Wextra -Wshadow -Wconversion -Werror
CFLAGS   ?= $(OPT)
# neither the tree's place nor the build folder's gets into a binary
REPRODUCIBLE = -ffile-prefix-map=$(CURDIR)/= -ffile-prefix-map=$(BUILD)/=build/
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(SANITIZE_FLAGS) $(REPRODUCIBLE) $(INCLUDES) -MMD -MP
LDLIBS    = $(shell pkg-config --libs $(LIBS)) -lcmark-gfm -lcmark-gfm-extensions -lpfm -lelf -lz -lm
ARCH     := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

SOURCES  := $(sort $(wildcard bench/*.c bench/*/*.c))
SOURCES  := $(filter-out bench/overhead/% bench/static/% bench/page/%,$(SOURCES))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/obj/%.o)
LIBRARY  := $(filter-out $(BUILD)/obj/bench/copytax.o $(BUILD)/obj/bench/cmd/%,$(OBJECTS))
SKELETONS := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.skel.h,$(sort $(wildcard bpf/*.bpf.c)))
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/*_test.c)))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
MAKEFLAGS += --no-print-directory
endif

# `make -j deps bench`: one after the other
ifneq ($(filter deps,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: lesson lesson-texts lesson-pages
.PHONY: help deps deps-peers peers filesystems all in-turns false-alarms bench bench-quick hyperfine plots overhead test test-unit test-cli test-sanitize product \
	tests-build skeletons print-cflags vmtest lint format install uninstall clean
.DEFAULT_GOAL := help
# the plots' sources, wherever BUILD is
export COPYTAX_SHARE := $(CURDIR)/scripts
.SECONDARY:

help: ## this list
	@printf 'copytax: what does a copy cost, and what does avoiding it really buy?\n\n'
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | \
		awk -F '\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'
	@printf '\nbench takes SIZE=320000K CHUNKS=4K,32K METHODS=sendfile,splice ROUNDS=15 OUT=results/today;\n'
	@printf 'plots takes RESULT=DIR; every target takes V=1, CC=clang, BUILD=DIR.\n'

deps: ## install what is missing (Debian, Ubuntu; names the packages elsewhere)
	$(Q)scripts/deps.sh

all: $(BUILD)/copytax $(BUILD)/bare $(BUILD)/overhead ## build

$(BUILD)/copytax: $(OBJECTS)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/bare: bench/overhead/bare.c
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 $(WARN) $(CFLAGS) $< -o $@

$(BUILD)/overhead: bench/overhead/overhead.c $(BUILD)/obj/bench/analysis/stats.o
	$(say) CC $@
	$(Q)$(CC) $(ALL_CFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/page: bench/page/page.c $(LIBRARY)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/obj/%.o: %.c | $(SKELETONS)
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(DEFINES) -c $< -o $@

# The commit is in few files only, so that a commit does not rebuild everything. Seen to while this file is read: with .SECONDARY nothing is
# remade for the sake of a FORCE, and the programs would keep the commit that they were first built from.
$(BUILD)/commit:
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(COMMIT)' > $@
ifneq ($(wildcard $(BUILD)/commit),)
ifneq ($(COMMIT),$(shell cat $(BUILD)/commit))
$(shell echo '$(COMMIT)' > $(BUILD)/commit)
endif
endif

$(BUILD)/obj/bench/cmd/version.o $(BUILD)/obj/bench/cmd/run.o: $(BUILD)/commit
$(BUILD)/obj/bench/cmd/version.o $(BUILD)/obj/bench/cmd/run.o: \
	DEFINES := -DCOPYTAX_VERSION='"$(VERSION)"' -DCOPYTAX_COMMIT='"$(COMMIT)"'
# both ends of a remote link tell each other which they are
$(BUILD)/obj/bench/cmd/serve.o $(BUILD)/obj/bench/cmd/peer.o: $(BUILD)/commit
$(BUILD)/obj/bench/cmd/serve.o $(BUILD)/obj/bench/cmd/peer.o: \
	DEFINES := -DCOPYTAX_VERSION='"$(VERSION)"' -DCOPYTAX_COMMIT='"$(COMMIT)"'

# The plans as C strings.
$(BUILD)/obj/bench/study/plan_builtin.o: $(BUILD)/gen/plans.h
$(BUILD)/gen/plans.h: $(sort $(wildcard bench/plans/*.plan))
	$(say) GEN $@
	$(Q)mkdir -p $(@D)
	$(Q){ echo 'static const struct { const char *name, *text; } plans[] = {' && \
		for f in $^; do printf '{ "%s",\n' "$$(basename "$$f" .plan)" && \
		sed 's/["\\]/\\&/g; s/.*/"&\\n"/' "$$f" && echo '},'; done && echo '};' && \
		printf '#define PLAN_NAMES "%s"\n' "$$(basename -s .plan $^ | paste -sd ' ' | sed 's/ /, /g')"; } > $@.new && \
		mv $@.new $@

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h)
	$(say) BPF $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -O2 -g -target bpf -D__TARGET_ARCH_$(ARCH) $(REPRODUCIBLE) -fdebug-compilation-dir=. -Ibpf -Wall -Werror -c $< -o $@

$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(say) SKEL $@
	$(Q){ echo '/* NOLINTBEGIN: generated by bpftool */' && $(BPFTOOL) gen skeleton $< && \
		echo '/* NOLINTEND */'; } > $@.new && mv $@.new $@

# ---- measuring ----

RUN_OPTIONS = $(if $(SIZE),--size $(SIZE)) $(if $(CHUNKS),--chunk $(CHUNKS)) \
	$(if $(METHODS),--methods $(METHODS)) $(if $(ROUNDS),--rounds $(ROUNDS))

bench: all ## the main job: 320 MB five ways, counted, compared, plotted, reported
	$(Q)scripts/bench.sh $(BUILD)/copytax $(OUT) --plan $(PLAN) --calibrate --profile $(RUN_OPTIONS)

bench-quick: all ## the same in under 20 seconds, with a smaller payload: to try it out
	$(Q)scripts/bench.sh $(BUILD)/copytax $(OUT) --plan bench/plans/quick.plan $(RUN_OPTIONS)

plots: all ## draw the plots of RESULT (the reference result) into plots/
	$(Q)$(BUILD)/copytax report $(RESULT) --plots-only --out plots

deps-peers: ## install what make peers compares with: nginx, curl, iperf3, socat, nc
	$(Q)scripts/deps.sh peers

peers: all ## nginx, iperf3, socat, nc beside copytax's methods, in turns over one file
	$(Q)scripts/peers.sh $(BUILD) $(OUT) $(if $(SIZE),$(SIZE),320000K) $(if $(ROUNDS),$(ROUNDS),9)

filesystems: all ## the same study on ext4, xfs, btrfs, tmpfs (loop devices, root); FS= for fewer
	$(Q)scripts/filesystems.sh $(BUILD) $(OUT) "$(if $(FS),$(FS),ext4 xfs btrfs tmpfs)" $(RUN_OPTIONS)

lesson: lesson-texts lesson-pages ## fill the lesson and the README's table from the reference result; render the lesson to HTML
	$(Q)printf 'lesson: %s %s\n' $(BUILD)/lesson.html $(BUILD)/lesson.zh.html

lesson-texts: all
	$(Q)for l in lesson lesson.zh; do \
		scripts/lesson.sh $(BUILD)/copytax $(RESULT)/result.json docs/lesson/$$l.in.md > $(BUILD)/$$l.md && \
		mv $(BUILD)/$$l.md docs/$$l.md || exit 1; done
	$(Q)scripts/readme-table.sh $(BUILD)/copytax $(RESULT) README.md

lesson-pages: $(BUILD)/page
	$(Q)$(BUILD)/page en Contents docs/lesson.md > $(BUILD)/lesson.html
	$(Q)$(BUILD)/page zh 目录 docs/lesson.zh.md > $(BUILD)/lesson.zh.html

overhead: all ## hold the harness against a bare loop
	$(Q)scripts/overhead.sh $(BUILD)

in-turns: all ## two builds of copytax in turns, and what tells them apart: BASE=PROGRAM NEW=PROGRAM PAIRS=24 FAIL_IF='sender_cpu>5%'
	$(Q)scripts/in-turns.sh "$(BASE)" "$(if $(NEW),$(NEW),$(BUILD)/copytax)" $(OUT) $(RUN_OPTIONS)

false-alarms: all ## are two runs of one build called different, and is a planted copy found? (15 minutes, quiet machine)
	$(Q)$(MAKE) BUILD=$(BUILD)/planted OPT='$(OPT) -DCOPYTAX_PLANT_COPY' all
	$(Q)scripts/false-alarms.sh $(BUILD)/copytax $(BUILD)/planted/copytax

# ---- checking ----

$(BUILD)/tests/%: tests/unit/%.c $(LIBRARY)
	$(say) TEST $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $< $(LIBRARY) $(LDLIBS) -lcmocka -o $@

test: ## unit, command and sanitizer tests, lint; ends with a line that counts them
	$(Q)tests/run.sh

test-unit: $(UNIT) ## unit tests only
	$(Q)for t in $(UNIT); do $$t || exit 1; done

# what command tests run beside the program
$(BUILD)/trial/%: tests/trial/%.c $(LIBRARY)
	$(say) TRIAL $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $< $(LIBRARY) $(LDLIBS) -o $@

tests-build: $(UNIT) $(BUILD)/trial/beside

skeletons: $(SKELETONS) $(BUILD)/gen/plans.h

print-cflags:
	@echo '$(ALL_CFLAGS)'

product: all ## every method × chunk × sink × link × connections arrives, by hash (minutes; root for all links)
	$(Q)tests/product/run.sh $(BUILD)/copytax $(BUILD)/product

vmtest: all ## the same build on other kernels, in emulation
	$(Q)tests/vm/run.sh

lint: ## clang-tidy, cppcheck, shellcheck, both compilers
	$(Q)scripts/lint.sh

format: ## clang-format in place
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')

include scripts/dist.mk

# ---- installing ----

install: all ## into DESTDIR/PREFIX
	$(Q)install -D -m 755 $(BUILD)/copytax $(DESTDIR)$(PREFIX)/bin/copytax
	$(Q)install -D -m 644 docs/copytax.1 $(DESTDIR)$(PREFIX)/share/man/man1/copytax.1
	$(Q)install -d $(DESTDIR)$(PREFIX)/share/copytax/plots $(DESTDIR)$(PREFIX)/share/copytax/plans
	$(Q)install -m 644 scripts/plots/*.gp $(DESTDIR)$(PREFIX)/share/copytax/plots/
	$(Q)install -m 644 bench/plans/*.plan $(DESTDIR)$(PREFIX)/share/copytax/plans/
	$(Q)install -D -m 644 scripts/completion/copytax.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/copytax
	$(Q)install -D -m 644 scripts/completion/_copytax $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_copytax
	$(Q)install -D -m 644 scripts/completion/copytax.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/copytax.fish

uninstall: ## undo install
	$(Q)rm -f $(DESTDIR)$(PREFIX)/bin/copytax $(DESTDIR)$(PREFIX)/share/man/man1/copytax.1
	$(Q)rm -rf $(DESTDIR)$(PREFIX)/share/copytax
	$(Q)rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/copytax \
		$(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_copytax \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/copytax.fish

clean: ## remove what was built (results stay)
	$(Q)rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(UNIT:%=%.d)
