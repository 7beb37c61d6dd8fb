# Tocsin. `make help` says what there is; tests/README.md says what the tests are.
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# ---- what is built: one flavour, in a folder of its own ----
ifeq ($(origin CC),default)
CC := gcc
endif
SAN     ?=#                  nothing | address,undefined | thread
FUZZ    ?=#                  1: instrumented for libFuzzer
PREFIX  ?= /usr/local
BUILD   ?= build
IS_CLANG := $(findstring clang,$(CC))
FLAVOUR := $(if $(FUZZ),fuzz,$(if $(SAN),$(if $(findstring thread,$(SAN)),tsan,asan),release)$(if $(IS_CLANG),-clang))
OUT     := $(BUILD)/$(FLAVOUR)

LIBS    := rdkafka libpq libmicrohttpd jansson libcurl libcrypto
PKG_CONFIG ?= pkg-config
CPPFLAGS += -D_GNU_SOURCE -I. $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
LDLIBS  += $(shell $(PKG_CONFIG) --libs $(LIBS) 2>/dev/null) -lpthread -lm

WARN    := -Wall -Wextra -Wformat=2 -Wconversion
# The same arithmetic everywhere: a replay compares bits.
MATHS   := -ffp-contract=off -fno-fast-math
HARDEN  := -fstack-protector-strong -fstack-clash-protection -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing -fPIE
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifeq ($(shell uname -m),x86_64)
HARDEN  += -fcf-protection=full
endif
ifeq ($(IS_CLANG),)
HARDEN  += -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero# not for clang: 14 mis-fortifies, and hides the second behind a switch
endif
CFLAGS  += -std=c17 -O2 -g $(WARN) $(MATHS) -pthread
ifneq ($(SAN),)
# No fortify and no warnings as errors here: the first hides findings, the second sees ghosts in instrumented code.
CFLAGS  += -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=$(SAN)
ifneq ($(FUZZ),)
CFLAGS  += -fsanitize=fuzzer-no-link
endif
else
CFLAGS  += -Werror $(HARDEN)
LDFLAGS += $(HARDEN_LD)
endif

# ---- files ----
FOLDERS := core ingest analytics alerts store api app
# every C file below a folder, however deep
below = $(sort $(shell find $(1) -name '$(2)' -type f))
SRC   := $(call below,$(FOLDERS),*.c)
GEN   := $(OUT)/web_assets.c $(OUT)/schema_files.c $(OUT)/calendars.c $(OUT)/examples.c
OBJ   := $(SRC:%.c=$(OUT)/%.o) $(GEN:.c=.o)
LIB   := $(OUT)/libtocsin.a
UNIT  := $(patsubst %.c,$(OUT)/%,$(call below,tests/unit,test_*.c))
BENCH := $(patsubst %.c,$(OUT)/%,$(call below,tests/bench,*.c))
FUZZERS := $(patsubst %.c,$(OUT)/%,$(call below,tests/fuzz,fuzz_*.c))
MOCK  := $(OUT)/tests/system/mockbroker

.PHONY: all unit bench-programs fuzz-programs test-programs web help run demo test test-built test-long test-long-built test-sanitizers \
        check check-built bench bench-built fuzz kafka install clean distclean format generated venv list-tests
all: $(OUT)/tocsin
unit: $(UNIT)
bench-programs: $(BENCH)
fuzz-programs: $(FUZZERS)
test-programs: all unit fuzz-programs bench-programs $(MOCK)

$(OUT)/tocsin: $(OUT)/app/main.o $(LIB)
	@echo "  LD    $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(filter-out $(OUT)/app/main.o,$(OBJ))
	@echo "  AR    $@"
	@rm -f $@ && $(AR) rcs $@ $^

$(OUT)/%.o: %.c | $(OUT)/ready
	@echo "  CC    $<"
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/%.o: $(OUT)/%.c | $(OUT)/ready
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# A test, bench or fuzz program is one file and the library. Conversions are the product's concern, not the tests'.
$(OUT)/tests/%: tests/%.c $(LIB)
	@echo "  TEST  $<"
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-conversion $(EXTRA_CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LIB) $(EXTRA_LIBS) $(LDLIBS)
$(UNIT): EXTRA_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)
ifneq ($(FUZZ),)
$(FUZZERS): EXTRA_CFLAGS = -fsanitize=fuzzer
else
$(FUZZERS): tests/fuzz/corpus_main.c
endif

$(OUT)/ready:
	@$(PKG_CONFIG) --exists $(LIBS) 2> /dev/null || { echo "Libraries are missing: run tests/setup.sh run" >&2; exit 1; }
	@mkdir -p $(@D) && touch $@

# Generated sources are replaced only when their text changes, so that nothing is compiled again for nothing.
keep = if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(OUT)/schema_files.c: schema/embed.py schema $(wildcard schema/*.sql) | $(OUT)/ready # the folder: one that has gone is noticed too
	@python3 schema/embed.py schema > $@.new && $(keep)
$(OUT)/calendars.c: ingest/calendars/embed.py $(wildcard ingest/calendars/*.csv) | $(OUT)/ready
	@python3 ingest/calendars/embed.py ingest/calendars > $@.new && $(keep)
$(OUT)/examples.c: api/examples/embed.py $(wildcard api/examples/*) | $(OUT)/ready
	@python3 api/examples/embed.py api/examples > $@.new && $(keep)
$(OUT)/web_assets.c: api/embed.py $(wildcard api/web/* api/web/views/*) web | $(OUT)/ready
	@rm -rf $(OUT)/web && mkdir -p $(OUT)/web
	@cp -r $(filter-out %.json %.sh %.md,$(wildcard api/web/*)) $(BUILD)/web/* $(OUT)/web/
	@python3 api/embed.py $(OUT)/web > $@.new && $(keep)
# The chart library, by name from its registry: without it the page still works, and the next make tries again.
web:
	@mkdir -p $(BUILD) && sh api/web/fetch.sh $(BUILD)

-include $(OBJ:.o=.d) $(UNIT:=.d) $(BENCH:=.d) $(FUZZERS:=.d)

# What ThreadSanitizer needs to know of librdkafka's threads.
ifneq ($(findstring thread,$(SAN)),)
SHIM := $(OUT)/tests/tsan_threads.o
$(OUT)/tocsin $(UNIT) $(BENCH) $(FUZZERS) $(MOCK): $(SHIM)
endif

# What tests/check/unrun.py holds against the files.
list-tests:
	@printf '%s\n' $(UNIT) $(FUZZERS)

# ---- doing things; what is missing is installed first, then make starts anew to see it ----
help:
	@sed -n 's/^#? //p' Makefile

#? make                 builds build/release/tocsin (CC=clang, SAN=address,undefined and SAN=thread: flavours beside it)
#? make run             the demo: embedded Kafka, a PostgreSQL of its own, the page. DEMO_ARGS="--port 8080"
run:
	@tests/setup.sh run
	@+$(MAKE) --no-print-directory demo
demo: all
	@$(OUT)/tocsin demo $(DEMO_ARGS)

#? make test            unit tests plain and under ASan+UBSan, fuzz corpora, instructions a tick, system tests against real Kafka and PostgreSQL
test:
	@tests/setup.sh test
	@+$(MAKE) --no-print-directory test-built
test-built: test-programs venv
	@+$(MAKE) --no-print-directory SAN=address,undefined unit fuzz-programs
	@$(RUN_TESTS) unit:release unit:asan corpus:release corpus:asan bench:release system:release

#? make test-sanitizers unit tests under TSan, system tests under ASan+UBSan
test-sanitizers:
	@tests/setup.sh test
	@+$(MAKE) --no-print-directory SAN=thread unit
	@+$(MAKE) --no-print-directory SAN=address,undefined all $(BUILD)/asan/tests/system/mockbroker venv
	@$(RUN_TESTS) unit:tsan system:asan

#? make test-long       make test with many more kills and cases (TESTS="-k kill": some), the system tests under TSan, and half an hour of faults (SOAK_SECONDS)
test-long:
	@tests/setup.sh test
	@+$(MAKE) --no-print-directory test-long-built
test-long-built: test-programs venv
	@+$(MAKE) --no-print-directory SAN=address,undefined test-programs
	@+$(MAKE) --no-print-directory SAN=thread test-programs
	@TOCSIN_LONG=1 $(RUN_TESTS) unit:release unit:asan unit:tsan corpus:asan bench:release system:release system:asan system:tsan
	@TOCSIN_BUILD_DIR=$(BUILD) $(BUILD)/venv/bin/python tests/bench/soak.py $(SOAK_SECONDS)
SOAK_SECONDS ?= 1800
RUN_TESTS = $(BUILD)/venv/bin/python tests/run.py --build $(BUILD) $(if $(TESTS),--pytest '$(TESTS)')

#? make check           warnings of gcc and clang, include arrows, folder pages, strays in files, hardening, generated pages
check:
	@tests/setup.sh check
	@+$(MAKE) --no-print-directory check-built
check-built: all venv
	@$(BUILD)/venv/bin/python tests/check/all.py --build $(BUILD)

#? make generated       writes the generated parts of the pages anew
generated: all
	@tests/check/generated.sh --write $(OUT)/tocsin

#? make bench           the measurements of tests/bench
bench:
	@tests/setup.sh test
	@+$(MAKE) --no-print-directory bench-built
bench-built: all bench-programs venv
	@for b in $(BENCH); do echo "== $${b##*/}"; $$b || exit 1; done
	@[ ! -e tests/bench/run.sh ] || BUILD=$(BUILD) bash tests/bench/run.sh

#? make fuzz            each fuzzer for FUZZ_SECONDS (60); finds stay in build/fuzz/found
FUZZ_SECONDS ?= 60
fuzz:
	@tests/setup.sh test
	@+$(MAKE) --no-print-directory CC=clang SAN=address,undefined FUZZ=1 fuzz-programs
	@bash tests/fuzz/run.sh $(BUILD) $(FUZZ_SECONDS)

#? make kafka           a real broker by hand, in the foreground, data in build/kafka-data
kafka:
	@tests/setup.sh test
	@KAFKA_CACHE=$(BUILD)/kafka tests/system/kafka.sh run $(BUILD)/kafka-data 29092

#? make format          clang-format (of the one version in tests/requirements.txt) over all C files; make check holds the tree to it
format: venv
	@$(BUILD)/venv/bin/python tests/check/formatted.py --write

#? make install         to $(DESTDIR)$(PREFIX)/bin
install: all
	install -D -m 755 -s $(OUT)/tocsin $(DESTDIR)$(PREFIX)/bin/tocsin

venv: $(BUILD)/venv/ready
$(BUILD)/venv/ready: tests/requirements.txt
	@echo "  VENV  $(@D)"
	@rm -rf $(@D) && python3 -m venv $(@D)
	@$(@D)/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt
	@touch $@

#? make clean           what was built; make distclean: also what was fetched
clean:
	rm -rf $(addprefix $(BUILD)/,release release-clang asan asan-clang tsan tsan-clang fuzz results)
distclean:
	rm -rf $(BUILD)
