# senti: make, make check, make install. Targets: all check live asan fuzz bench demo install dist clean.
include config.mk

BUILD = build

# One list a layer, from the bottom up (HACKING.md); scripts/lint-layers holds the order.
BASE = base err buf arena log clock sig io map url
TEXT = utf8 unicode unicode_tables hash
JSON = scan write
FLOW = record counts stdio mem gather pump
SCORE = engine result vader
DATA =
NET = sqlite
INGEST =
STAGE = score store
TOOLS = senti-score senti-ingest senti-store
TESTS =

# What each tool links beyond the C library; nothing carries what it does not use.
LIBS_senti-ingest = -lcsv $(shell $(PKG_CONFIG) --libs libpcre2-8)
LIBS_senti-store = $(shell $(PKG_CONFIG) --libs sqlite3)

OBJ = $(BASE:%=$(BUILD)/lib/base/%.o) $(TEXT:%=$(BUILD)/lib/text/%.o) $(JSON:%=$(BUILD)/lib/json/%.o) \
	$(FLOW:%=$(BUILD)/lib/flow/%.o) $(SCORE:%=$(BUILD)/lib/score/%.o) $(DATA:%=$(BUILD)/lib/data/%.o) \
	$(NET:%=$(BUILD)/lib/net/%.o) $(INGEST:%=$(BUILD)/lib/ingest/%.o) $(STAGE:%=$(BUILD)/lib/stage/%.o)
LIB = $(BUILD)/libsenti.a

all: $(TOOLS:%=$(BUILD)/bin/%)

$(BUILD)/bin/%: $(BUILD)/cmd/%.o $(BUILD)/cmd/opt.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_$*) -lm -lpthread

$(LIB): $(OBJ)
	$(RM) $@
	$(AR) rcs $@ $(OBJ)

$(BUILD)/%.o: %.c Makefile config.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_tests) -lm -lpthread

clean:
	$(RM) -r $(BUILD)

.PHONY: all clean
.SECONDARY:
-include $(shell [ -d $(BUILD) ] && find $(BUILD) -name '*.d')
