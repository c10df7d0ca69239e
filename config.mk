# Settings that a packager may change, here or on the command line: make CC=clang PREFIX=/usr CFLAGS='-O3 -march=native'. `make help` shows lines
# that begin with "##".
VERSION = 0.1.0
## PREFIX=FOLDER         where to install (/usr/local), in the folder DESTDIR if given
PREFIX = /usr/local
## CC, CFLAGS, CPPFLAGS, LDFLAGS, BUILD=FOLDER, V=1 (shows the commands)
CC = gcc
AR = ar
PKG_CONFIG = pkg-config

# What senti can do without. Later builds in the same folder do as this one did, so that `make install` installs what was built.
## WITH_AMQP=no          without queues (rabbitmq-c)
## WITH_POSTGRESQL=no    with stores in SQLite only (libpq)
## WITH_REDIS=no         without caches in Redis (hiredis)
## WITH_SERVE=no         without senti-serve (Nettle)
PARTS = AMQP POSTGRESQL REDIS SERVE
before := $(shell cat $(BUILD)/with 2>/dev/null)
with = $(or $(patsubst $(1)=%,%,$(filter $(1)=%,$(before))),yes)
WITH_AMQP := $(call with,AMQP)
WITH_POSTGRESQL := $(call with,POSTGRESQL)
WITH_REDIS := $(call with,REDIS)
WITH_SERVE := $(call with,SERVE)
WITH = $(strip $(foreach part,$(PARTS),$(part)=$(WITH_$(part))))
$(foreach part,$(PARTS),$(if $(filter yes no,$(WITH_$(part))),,$(error WITH_$(part) is yes or no, not '$(WITH_$(part))')))

# The web pages of senti-serve, which are made with npm's packages. yes: the build fails without npm and its registry; no: it needs neither; auto: it has
# the pages if they can be made. They are the same for all builds, and so is this setting.
## WITH_WEB=yes|no       with web pages or without (npm); by default with them if they can be made
WITH_WEB := $(or $(shell cat build/web/with 2>/dev/null),auto)

# The user's own, from the environment or the command line; CPPFLAGS and LDFLAGS likewise. What the code depends on is added to them below.
CFLAGS ?= -O2 -g

WARN = -Wall -Wextra -Wmissing-prototypes -Wvla -Wwrite-strings -Wshadow
# -Werror is for CI (scripts/check): a newer compiler's new warning must not break a user's build.
WERROR =
# Sanitizers: make asan, make fuzz.
SAN =

# $(call try,FLAGS): the flags, if this compiler takes them for this processor.
try = $(shell printf '\043include <string.h>\n' | $(CC) $(CFLAGS) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
# Checked copies, stack canaries, checked jumps, position-independent code, read-only relocations.
HARDEN := $(or $(call try,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3),$(call try,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)) \
	$(call try,-fstack-protector-strong) $(call try,-fstack-clash-protection) $(call try,-fcf-protection) $(call try,-mbranch-protection=standard) -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now,-z,noexecstack

# Exact engines: each operation rounds once, as the reference's do, so no fused multiply-add and no fast mathematics, whatever the user's flags say.
USER_CFLAGS = $(patsubst -Ofast,-O3,$(filter-out -ffast-math -funsafe-math-optimizations,$(CFLAGS)))
ALL_CPPFLAGS = $(CPPFLAGS) -D_GNU_SOURCE -DSENTI_VERSION='"$(VERSION)"' -I. -I$(BUILD) \
	$(foreach part,$(PARTS),-DWITH_$(part)=$(if $(filter yes,$(WITH_$(part))),1,0))
ALL_CFLAGS = $(HARDEN) $(WARN) $(USER_CFLAGS) -std=c17 -ffp-contract=off $(WERROR) $(SAN)
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS) $(SAN)

# The replay program of the fuzz targets; empty where libFuzzer brings its own main.
FUZZ_MAIN = main
FUZZ_LD =
FUZZ_SECONDS = 60
