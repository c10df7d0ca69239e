# senti: make, make check, make install. All targets: all check live system asan tsan fuzz fuzz-coverage bench soak demo lint format format-check
# completions install dist clean. `make V=1` shows the commands; WITH_WEB=yes|no: with web pages, which need npm, or without. HACKING.md explains the layers.
include config.mk

BUILD = build

# Every file below lib, at any depth, is part of the library; cmd/NAME.c is a tool where TOOLS names it, and shared by all tools where not.
# scripts/lint-layers holds the order of the layers.
LIB_C = $(sort $(shell find lib -name '*.c'))
TOOLS = senti-score senti-ingest senti-store senti-eval senti-train senti-window senti-worker senti-cache senti-serve
# tests/unit/NAME.c is one program; so is tests/fuzz/NAME.c, with its seeds in tests/fuzz/seeds/NAME.
# postgres only runs on a server; tests/live calls it.
TESTS = $(filter-out postgres,$(basename $(notdir $(sort $(wildcard tests/unit/*.c)))))
FUZZ = $(filter-out main,$(basename $(notdir $(sort $(wildcard tests/fuzz/*.c)))))

# What each tool links beyond the C library; nothing carries what it does not use.
LIBS_senti-ingest = -lcsv $(shell $(PKG_CONFIG) --libs libpcre2-8)
LIBS_senti-store = $(shell $(PKG_CONFIG) --libs sqlite3 libpq)
LIBS_senti-cache = -lhiredis $(shell $(PKG_CONFIG) --libs sqlite3 libpq)
LIBS_senti-train = -llinear
LIBS_senti-serve = -lhiredis $(shell $(PKG_CONFIG) --libs libmicrohttpd nettle zlib sqlite3 libpq)
# Every filter reads and writes queues.
LIBS_tests = -llinear -lcsv -lhiredis $(shell $(PKG_CONFIG) --libs libmicrohttpd libpcre2-8 nettle sqlite3 libpq jansson zlib)

OBJ = $(LIB_C:%.c=$(BUILD)/%.o) $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(TOOLS:%=cmd/%.c),$(sort $(wildcard cmd/*.c))))
LIB = $(BUILD)/libsenti.a
BIN = $(TOOLS:%=$(BUILD)/bin/%)
UNIT = $(TESTS:%=$(BUILD)/tests/unit/%)
UNIT_LIVE = $(BUILD)/tests/unit/postgres
REPLAY = $(FUZZ:%=$(BUILD)/tests/fuzz/%)
FUZZ_LIB = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/fuzz/lib/*.c)))
LIBS_fuzz-amqp = -lrabbitmq
RUN = SENTI_BUILD=$(abspath $(BUILD)) SENTI_BIN=$(abspath $(BUILD))/bin tests/run

Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

all: $(BIN)

$(BUILD)/bin/%: $(BUILD)/cmd/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$(@F))
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_$*) -lm -lpthread

$(LIB): $(OBJ)
	$(call say,AR,$(@F))
	$(Q)$(RM) $@
	$(Q)$(AR) rcs $@ $(OBJ)

$(BUILD)/%.o: %.c Makefile config.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What EMBED makes a part of the program (lib/base/embed.h).
LEXICONS = $(sort $(wildcard lexicons/*/*.tsv lexicons/*/*.senti))
SUMS = $(patsubst lexicons/%/,$(BUILD)/lexicons/%.sum,$(sort $(dir $(LEXICONS))))
$(filter $(BUILD)/lib/score/%,$(OBJ)): $(LEXICONS) $(SUMS)
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
check: lint test

test: $(BIN) $(UNIT) $(REPLAY)
	@TEST_JOBS=$${TEST_JOBS:-2} $(RUN) $(UNIT) $(REPLAY) $(sort $(filter-out tests/cli/lib.sh,$(wildcard tests/cli/*.sh)))

# Needs Python and the package index: each tool on real servers, each engine beside the package that it equals (scripts/fetch-vader gets them);
# and all tools together, from end to end.
live: DIR = tests/live
system: DIR = tests/system
live system: $(BIN) $(UNIT) $(UNIT_LIVE) $(BUILD)/tests/live/lib/reader $(BUILD)/tests/live/lib/graphql_documents
	@scripts/fetch-vader || [ "$$CI" != true ]
	@PYTHON=$(abspath build)/venv/bin/python TEST_SECONDS=1200 TEST_JOBS=2 $(RUN) $$(tests/live/run --longest-first $(DIR)/*.py)

# A report ends the program, with a status that is not 0; tests/cli/sanitizers.sh holds that.
SANITIZERS = address,undefined -fno-sanitize-recover=all
# The sanitizers' rewriting makes gcc see ghosts, so its warnings count only in the other builds.
SANITIZED = HARDEN= HARDEN_LD= WERROR=-Wno-format-truncation CFLAGS='-O1 -g -fno-omit-frame-pointer'
asan:
	@UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) BUILD=$(BUILD)-asan $(SANITIZED) SAN="-fsanitize=$(SANITIZERS)" test

# A data race ends a program with status 66. The senti-serve that this builds is loaded by tests/live/serve_threads.py.
tsan:
	@$(MAKE) BUILD=$(BUILD)-tsan $(SANITIZED) SAN=-fsanitize=thread unit-tests
unit-tests: $(UNIT) $(BUILD)/bin/senti-serve
	@TEST_JOBS=$${TEST_JOBS:-2} $(RUN) $(UNIT)

fuzz-programs: $(REPLAY)
FUZZING = BUILD=$(BUILD)-fuzz HARDEN= HARDEN_LD= CFLAGS='-O1 -g' CC=clang FUZZ_MAIN= FUZZ_LD=-fsanitize=fuzzer \
	SAN="-fsanitize=fuzzer-no-link,$(SANITIZERS)"
fuzz:
	@echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize=fuzzer,$(SANITIZERS) -x c -o /dev/null - || \
		{ echo "clang lacks libFuzzer or the sanitizers: Debian has them in libclang-rt-14-dev, for clang 14" >&2; exit 1; }
	@$(MAKE) $(FUZZING) fuzz-programs
	@for f in $(FUZZ); do mkdir -p $(BUILD)-fuzz/corpus/$$f && $(BUILD)-fuzz/tests/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) \
		-print_final_stats=1 -artifact_prefix=$(BUILD)-fuzz/$$f- $(BUILD)-fuzz/corpus/$$f tests/fuzz/seeds/$$f || exit 1; done

# How much of the code that each target links its seeds, and what `make fuzz` has found beside them, run through.
COVERING = BUILD=$(BUILD)-coverage HARDEN= HARDEN_LD= CFLAGS='-O1 -g' CC=clang SAN='-fprofile-instr-generate -fcoverage-mapping'
fuzz-coverage:
	@$(MAKE) $(COVERING) fuzz-programs
	@scripts/fuzz-coverage $(BUILD)-coverage $(BUILD)-fuzz/corpus $(FUZZ)

bench: $(BIN)
	@SENTI_BIN=$(abspath $(BUILD))/bin tests/bench/run

# Two million requests to one senti-serve.
soak: $(BIN)
	@SENTI_BIN=$(abspath $(BUILD))/bin tests/bench/soak

demo:
	@scripts/demo

# --- style ---
C_FILES = $(filter-out lib/text/unicode_tables.c,$(shell find lib cmd tests scripts -name '*.[ch]'))

lint: $(BIN) format-check
	@scripts/lint-layers; layers=$$?; scripts/lint-man $(BUILD)/bin $(TOOLS); man=$$?; scripts/lint-style && exit $$((layers + man))

format-check:
	@scripts/lint-format $(C_FILES)

format:
	$(Q)clang-format -i $(C_FILES)

completions: $(BIN)
	$(Q)scripts/build-completions $(BUILD)/bin contrib/completions $(TOOLS)

# --- shipping ---
SHARE = $(DESTDIR)$(PREFIX)/share
install: $(BIN)
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/man/man5 $(SHARE)/man/man7 $(SHARE)/man/man8 $(SHARE)/doc/senti \
		$(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	install $(BIN) $(DESTDIR)$(PREFIX)/bin
	for s in 1 5 7 8; do install -m 644 man/*.$$s $(SHARE)/man/man$$s || exit 1; done
	for t in $(TOOLS); do install -m 644 contrib/completions/senti.bash $(SHARE)/bash-completion/completions/$$t && \
		install -m 644 contrib/completions/senti.fish $(SHARE)/fish/vendor_completions.d/$$t.fish || exit 1; done
	install -m 644 contrib/completions/_senti $(SHARE)/zsh/site-functions/_senti
	install -m 644 README.md NEWS.md SECURITY.md LICENSE $(SHARE)/doc/senti
	[ ! -f $(WEB)/THIRD-PARTY.txt ] || install -m 644 $(WEB)/THIRD-PARTY.txt $(SHARE)/doc/senti
	for f in lexicons/*/SOURCE lexicons/*/LICENSE*; do install -D -m 644 $$f $(SHARE)/doc/senti/$$f || exit 1; done

dist:
	@mkdir -p $(BUILD)
	git archive --prefix=senti-$(VERSION)/ HEAD | gzip -n > $(BUILD)/senti-$(VERSION).tar.gz

clean:
	$(RM) -r $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz $(BUILD)-coverage $(BUILD)-clang

.PHONY: all check test live system asan tsan unit-tests fuzz fuzz-programs fuzz-coverage bench soak demo lint format format-check completions install dist clean force
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell [ -d $(BUILD) ] && find $(BUILD) -name '*.d')
