# senti: make, make check, make install; `make help` lists all targets and settings. HACKING.md explains the layers.
BUILD = build
include config.mk

# What WITH_NAME=no leaves out: of the sources, of what is installed, and the unit tests that include such a source.
OUT_AMQP = lib/net/amqp%
OUT_POSTGRESQL = lib/net/pg%
OUT_REDIS = lib/net/redis% lib/net/tls%
OUT_SERVE = lib/serve/% $(patsubst %.c,%.%,$(filter-out lib/http/guard.c,$(wildcard lib/http/*.c))) lib/graphql/% cmd/serve% cmd/senti-serve.c man/senti-serve.8 man/senti-graphql.7 contrib/systemd/senti-serve.%
OUT = $(strip $(foreach part,$(PARTS),$(if $(filter no,$(WITH_$(part))),$(OUT_$(part)))))

# Every file below lib, at any depth, is part of the library; cmd/NAME.c is a tool where TOOLS names it, and shared by all tools where not.
# scripts/lint-layers holds the order of the layers.
LIB_C = $(filter-out $(OUT),$(sort $(shell find lib -name '*.c')))
TOOLS = senti-score senti-ingest senti-store senti-eval senti-train senti-window senti-worker senti-cache senti-serve
BUILT = $(patsubst cmd/%.c,%,$(filter-out $(OUT),$(TOOLS:%=cmd/%.c)))
# tests/unit/NAME.c is one program; so is tests/fuzz/NAME.c, with its seeds in tests/fuzz/seeds/NAME.
# postgres only runs on a server; tests/live calls it.
TESTS = $(filter-out postgres $(UNTESTED),$(basename $(notdir $(sort $(wildcard tests/unit/*.c)))))
UNTESTED = $(if $(OUT),$(basename $(notdir $(shell grep -l $(foreach part,$(OUT),-e 'include "$(subst %,,$(part))') tests/unit/*.c))))
FUZZ = $(filter-out main,$(basename $(notdir $(sort $(wildcard tests/fuzz/*.c)))))

if = $(if $(filter yes,$(WITH_$(1))),$(2),$(3))
# What each tool links beyond the C library; nothing carries what it does not use.
LIBS_senti-ingest = -lcsv $(shell $(PKG_CONFIG) --libs libpcre2-8)
LIBS_stores = $(shell $(PKG_CONFIG) --libs sqlite3 $(call if,POSTGRESQL,libpq))
LIBS_senti-store = -lcsv $(LIBS_stores)
LIBS_senti-cache = $(call if,REDIS,-lhiredis) $(LIBS_stores)
LIBS_senti-train = -llinear
LIBS_senti-serve = $(LIBS_senti-cache) $(shell $(PKG_CONFIG) --libs libmicrohttpd nettle zlib)
# Every filter reads and writes queues.
LIBS_tests = $(LIBS_senti-train) $(LIBS_senti-ingest) $(call if,SERVE,$(LIBS_senti-serve) $(shell $(PKG_CONFIG) --libs jansson),$(LIBS_senti-cache))

OBJ = $(LIB_C:%.c=$(BUILD)/%.o) $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(OUT) $(TOOLS:%=cmd/%.c),$(sort $(wildcard cmd/*.c))))
LIB = $(BUILD)/libsenti.a
BIN = $(BUILT:%=$(BUILD)/bin/%)
UNIT = $(TESTS:%=$(BUILD)/tests/unit/%)
UNIT_LIVE = $(BUILD)/tests/unit/postgres
REPLAY = $(FUZZ:%=$(BUILD)/tests/fuzz/%)
FUZZ_LIB = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/fuzz/lib/*.c)))
LIBS_fuzz-amqp = -lrabbitmq
RUN = SENTI_BUILD=$(abspath $(BUILD)) SENTI_BIN=$(abspath $(BUILD))/bin tests/run

Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

all: $(BIN) ## all tools (the default)

$(BUILD)/bin/%: $(BUILD)/cmd/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$(@F))
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_$*) -lm -lpthread

$(LIB): $(OBJ) $(BUILD)/with
	$(call say,AR,$(@F))
	$(Q)$(RM) $@
	$(Q)$(AR) rcs $@ $(OBJ)

$(BUILD)/with: force
	@mkdir -p $(@D)
	@echo '$(WITH)' | cmp -s - $@ || echo '$(WITH)' >$@

# What asks for WITH_NAME; all else is the same with and without.
$(patsubst %.c,$(BUILD)/%.o,$(shell grep -lr '^.if WITH_' cmd lib)) $(UNIT:%=%.o): $(BUILD)/with

$(BUILD)/%.o: %.c Makefile config.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What EMBED makes a part of the program (lib/base/embed.h).
LEXICONS = $(sort $(wildcard lexicons/*/*.tsv lexicons/*/*.senti))
SUMS = $(patsubst lexicons/%/,$(BUILD)/lexicons/%.sum,$(sort $(dir $(LEXICONS))))
$(filter $(BUILD)/lib/score/%,$(OBJ)): $(LEXICONS) $(SUMS)
$(BUILD)/lib/ingest/entities.o: lib/ingest/entities.tsv
$(BUILD)/lib/net/pg_schema.o: $(wildcard lib/net/pg_schema_*.sql)
$(BUILD)/lib/graphql/schema.o: lib/graphql/introspection.graphql
$(BUILD)/lib/serve/routes/graphql.o: lib/serve/schema.graphql
$(BUILD)/lib/serve/routes/docs.o: lib/serve/openapi.json lib/serve/docs.html

# The web pages, made of web/ and npm's packages, are the same for all builds; the settings that they were made with are in `with`.
WEB = build/web
$(WEB)/with: force
	@mkdir -p $(@D)
	@echo '$(WITH_WEB)' | cmp -s - $@ || echo '$(WITH_WEB)' >$@
$(WEB)/assets.h: $(WEB)/with scripts/build-web LICENSE $(shell find web -type f)
	$(call say,WEB,$(WITH_WEB))
	$(Q)scripts/build-web $(WITH_WEB)
$(BUILD)/lib/serve/routes/assets.o: ALL_CPPFLAGS += -I$(WEB)
$(BUILD)/lib/serve/routes/assets.o: $(WEB)/assets.h

# The names of models are made of these: hashing the lexicons themselves would take longer than all the rest of a start.
$(SUMS): $(BUILD)/lexicons/%.sum: $(LEXICONS)
	@mkdir -p $(@D)
	$(Q)cd lexicons/$* && LC_ALL=C sh -c 'cat *.senti 2>/dev/null || sha256sum *.tsv' | sha256sum | cut -c 1-64 | tr -d '\n' >$(abspath $@)

# Debian keeps libpq's header in a folder of its own.
$(BUILD)/lib/net/p%.o $(BUILD)/tests/unit/p%.o: ALL_CPPFLAGS += $(shell $(PKG_CONFIG) --cflags libpq)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIB)
	$(call say,LD,$(@F))
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_tests) -lm -lpthread

# Programs of the live tests.
$(BUILD)/tests/live/%: $(BUILD)/tests/live/%.o $(LIB)
	$(call say,LD,$(@F))
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_tests) -lm -lpthread

# What fuzz targets share.
$(BUILD)/tests/fuzz/lib.a: $(FUZZ_LIB)
	$(Q)$(AR) rcs $@ $^

# Without libFuzzer: main.c replays the seeds that are its arguments.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(FUZZ_MAIN:%=$(BUILD)/tests/fuzz/%.o) $(BUILD)/tests/fuzz/lib.a $(LIB)
	$(call say,LD,fuzz/$(@F))
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(FUZZ_LD) -o $@ $^ $(LIBS_tests) $(LIBS_fuzz-$*) -lm -lpthread

# --- tests: everything that needs neither network nor Python, and quick ---
check: lint test ## lint, and make test

whole:
	@$(if $(OUT),echo 'this build leaves out what tests need ($(WITH)); make unit-tests runs what is left' >&2; exit 2,:)

test: whole $(BIN) $(UNIT) $(REPLAY) ## unit tests, seeds of the fuzz targets, CLI tests
	@TEST_JOBS=$${TEST_JOBS:-2} $(RUN) $(UNIT) $(REPLAY) $(sort $(filter-out tests/cli/lib.sh,$(wildcard tests/cli/*.sh)))

# Needs Python and the package index: each tool on real servers, each engine beside the package that it equals (scripts/fetch-vader gets them);
# and all tools together, from end to end.
live: DIR = tests/live
system: DIR = tests/system
live: ## tests on real servers, and against the packages that engines equal
system: ## tests of the whole system from end to end
live system: whole $(BIN) $(UNIT) $(UNIT_LIVE) $(BUILD)/tests/live/lib/reader $(BUILD)/tests/live/lib/graphql_documents
	@scripts/fetch-vader || [ "$$CI" != true ]
	@PYTHON=$(abspath build)/venv/bin/python TEST_SECONDS=1200 TEST_JOBS=2 $(RUN) $$(tests/live/run --longest-first $(wildcard $(DIR)/*.py $(DIR)/*.sh))

# The DAGs under each version of Airflow that they are for; make system takes the newest.
airflow-versions: $(BIN) ## the DAGs under each version of Airflow
	@scripts/fetch-vader
	@for v in $(basename $(notdir $(wildcard tests/system/airflow/*.txt))); do scripts/fetch-airflow $$v && \
		AIRFLOW_VERSION=$$v PYTHON=$(abspath build)/venv/bin/python TEST_SECONDS=1200 $(RUN) tests/system/airflow.py || exit 1; done

# JVMs take minutes on a small machine, so this is not one of make system. SENTI_SPARK_RECORDS=1000000 is the whole campaign, with limits of time.
spark: $(BIN) ## contrib/spark on a real master with two workers
	@scripts/fetch-vader && scripts/fetch-spark && PYTHON=$(abspath build)/venv/bin/python TEST_SECONDS=3600 $(RUN) tests/scale/spark.py

# PostgreSQL with a standby, three nodes of RabbitMQ: too much for make live. SENTI_CAMPAIGN_SECONDS=120 SENTI_CAMPAIGN_OPERATIONS=0 is a trial.
campaign: $(BIN) ## an hour of faults and failovers under writers and readers
	@scripts/fetch-vader && PYTHON=$(abspath build)/venv/bin/python SENTI_BUILD=$(abspath $(BUILD)) PATH=$(abspath $(BUILD))/bin:$$PATH \
		tests/live/run tests/scale/campaign.py

# A report ends the program, with a status that is not 0; tests/cli/sanitizers.sh holds that.
SANITIZERS = address,undefined -fno-sanitize-recover=all
# The sanitizers' rewriting makes gcc see ghosts, so its warnings count only in the other builds.
SANITIZED = HARDEN= HARDEN_LD= WERROR=-Wno-format-truncation CFLAGS='-O1 -g -fno-omit-frame-pointer'
asan: ## make test under the address and undefined-behaviour sanitizers
	@UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) BUILD=$(BUILD)-asan $(SANITIZED) SAN="-fsanitize=$(SANITIZERS)" test

# A data race ends a program with status 66. The senti-serve that this builds is loaded by tests/live/serve_threads.py.
tsan: ## the unit tests under the thread sanitizer
	@$(MAKE) BUILD=$(BUILD)-tsan $(SANITIZED) SAN=-fsanitize=thread unit-tests
unit-programs: $(UNIT)
unit-tests: $(UNIT) $(filter %/senti-serve,$(BIN)) ## the unit tests of what is built
	@TEST_JOBS=$${TEST_JOBS:-2} $(RUN) $(UNIT)

fuzz-programs: $(REPLAY)
FUZZING = BUILD=$(BUILD)-fuzz HARDEN= HARDEN_LD= CFLAGS='-O1 -g' CC=clang FUZZ_MAIN= FUZZ_LD=-fsanitize=fuzzer \
	SAN="-fsanitize=fuzzer-no-link,$(SANITIZERS)"
fuzz: ## each fuzz target for FUZZ_SECONDS (60)
	@echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize=fuzzer,$(SANITIZERS) -x c -o /dev/null - || \
		{ echo "clang lacks libFuzzer or the sanitizers: Debian has them in libclang-rt-14-dev, for clang 14" >&2; exit 1; }
	@$(MAKE) $(FUZZING) fuzz-programs
	@for f in $(FUZZ); do mkdir -p $(BUILD)-fuzz/corpus/$$f && $(BUILD)-fuzz/tests/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) \
		-print_final_stats=1 -artifact_prefix=$(BUILD)-fuzz/$$f- $(BUILD)-fuzz/corpus/$$f tests/fuzz/seeds/$$f || exit 1; done

# How much of the code that each target links its seeds, and what `make fuzz` has found beside them, run through.
COVERING = BUILD=$(BUILD)-coverage HARDEN= HARDEN_LD= CFLAGS='-O1 -g' CC=clang SAN='-fprofile-instr-generate -fcoverage-mapping'
fuzz-coverage: ## what the seeds and the corpus run through
	@$(MAKE) $(COVERING) fuzz-programs
	@scripts/fuzz-coverage $(BUILD)-coverage $(BUILD)-fuzz/corpus $(FUZZ)

bench: $(BIN) ## comparisons with other programs
	@SENTI_BIN=$(abspath $(BUILD))/bin tests/bench/run

soak: $(BIN) ## two million requests to one senti-serve
	@SENTI_BIN=$(abspath $(BUILD))/bin tests/bench/soak

demo: ## the whole job on 23,703 texts, on a fresh machine
	@scripts/demo

# --- style ---
C_FILES = $(filter-out lib/text/unicode_tables.c,$(shell find lib cmd tests scripts -name '*.[ch]'))

lint: $(BIN) format-check ## layers, manual pages, style, format
	@scripts/lint-layers; layers=$$?; scripts/lint-man $(BUILD)/bin $(TOOLS); man=$$?; scripts/lint-style && exit $$((layers + man))

format-check:
	@scripts/lint-format $(C_FILES)

format: ## formats the sources
	$(Q)clang-format -i $(C_FILES)

completions: $(BIN) ## writes the completions of shells anew
	$(Q)scripts/build-completions $(BUILD)/bin contrib/completions $(TOOLS)

# --- shipping ---
DOC = share/doc/senti
# $(call into,FOLDER,FILES): FILE:FOLDER/NAME for each that this build has.
into = $(foreach f,$(filter-out $(OUT),$(2)),$f:$(1)/$(notdir $f))
# All that is installed, as SOURCE:TARGET below PREFIX.
SHIPPED = $(call into,bin,$(BIN)) $(foreach s,1 5 7 8,$(call into,share/man/man$s,$(wildcard man/*.$s))) \
	$(BUILT:%=contrib/completions/senti.bash:share/bash-completion/completions/%) \
	$(BUILT:%=contrib/completions/senti.fish:share/fish/vendor_completions.d/%.fish) \
	$(call into,share/zsh/site-functions,contrib/completions/_senti) \
	$(call into,$(DOC),README.md NEWS.md SECURITY.md LICENSE $(call if,SERVE,$(wildcard $(WEB)/THIRD-PARTY.txt))) \
	$(foreach f,$(wildcard lexicons/*/SOURCE lexicons/*/LICENSE*),$f:$(DOC)/$f) \
	$(foreach f,$(EXAMPLES),$f:$(DOC)/examples/$(f:contrib/%=%)) \
	$(call into,lib/systemd/system,$(wildcard contrib/systemd/*.service contrib/systemd/*.socket contrib/systemd/*.timer)) \
	$(call into,lib/systemd/system/senti-.service.d,contrib/systemd/senti-.service.d/10-senti.conf) \
	contrib/systemd/senti.sysusers:lib/sysusers.d/senti.conf contrib/systemd/senti.tmpfiles:lib/tmpfiles.d/senti.conf contrib/batch:libexec/senti/batch \
	contrib/kafka/kafka-batch.sh:libexec/senti/kafka-batch.sh
EXAMPLES = $(filter-out contrib/completions/% contrib/debian/% contrib/kafka/% contrib/systemd/%,$(wildcard contrib/*/* airflow/dags/*.py))
# The files of services and crontabs say where the tools are.
PREFIXED = s|/usr/bin|$(PREFIX)/bin|; s|/usr/libexec|$(PREFIX)/libexec|

install: $(BIN) ## installs below PREFIX, in the folder DESTDIR if given
	@for pair in $(SHIPPED); do from=$${pair%%:*} to="$(DESTDIR)$(PREFIX)/$${pair#*:}"; mode=644; [ ! -x $$from ] || mode=755; \
		install -D -m $$mode $$from "$$to" || exit 1; \
		case $$to in *.service | *.conf | *.crontab) sed -i '$(PREFIXED)' "$$to" || exit 1 ;; esac; done
	$(call say,INST,"$(words $(SHIPPED)) files below $(DESTDIR)$(PREFIX)")

uninstall: ## removes what install has put there
	@for pair in $(SHIPPED); do rm -f "$(DESTDIR)$(PREFIX)/$${pair#*:}" || exit 1; done
	@for own in $(DOC) libexec/senti lib/systemd/system/senti-.service.d; do [ ! -d "$(DESTDIR)$(PREFIX)/$$own" ] || find "$(DESTDIR)$(PREFIX)/$$own" -depth -type d -empty -delete; done

deb: $(WEB)/assets.h ## packages for Debian, in build/deb
	@scripts/build-deb

cross: ## all tools for arm64, in build-cross, and their unit tests under qemu-user
	@scripts/cross

# With the kernel's and the libraries' headers of this system; none of the libraries is linked. The stack of a thread is as large as glibc's.
MUSL = BUILD=$(BUILD)-musl CC='musl-gcc -idirafter /usr/include -idirafter /usr/include/$(shell gcc -print-multiarch)' $(PARTS:%=WITH_%=no) \
	HARDEN_LD='-static -Wl,-z,relro,-z,noexecstack,-z,stack-size=8388608'
musl: ## senti-score, -window and -eval without shared libraries, in build-musl
	@command -v musl-gcc >/dev/null || { echo 'musl-gcc is not installed: Debian has it in musl-tools' >&2; exit 1; }
	@$(MAKE) $(MUSL) $(patsubst %,$(BUILD)-musl/bin/senti-%,score window eval)

dist: ## the source as an archive
	@mkdir -p $(BUILD)
	git archive --prefix=senti-$(VERSION)/ HEAD | gzip -n > $(BUILD)/senti-$(VERSION).tar.gz

clean: ## removes all builds
	$(RM) -r $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz $(BUILD)-coverage $(BUILD)-clang $(BUILD)-cross $(BUILD)-musl

help: ## this list
	@echo 'make [TARGET...] [SETTING=VALUE...]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' Makefile | while read -r target what; do printf '  %-14s %s\n' "$$target" "$$what"; done
	@echo 'Settings:' && sed -n 's/^## /  /p' config.mk

.PHONY: all check whole test live system airflow-versions spark campaign asan tsan unit-programs unit-tests fuzz fuzz-programs fuzz-coverage bench soak demo lint format format-check completions \
	install uninstall deb cross musl dist clean help force
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell [ -d $(BUILD) ] && find $(BUILD) -type f -name '*.d' ! -path '*/site-packages/*')
