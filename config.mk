# Settings that a packager may change, here or on the command line: make CC=clang PREFIX=/usr CFLAGS='-O3 -march=native'
VERSION = 0.1.0
PREFIX = /usr/local
CC = gcc
AR = ar
PKG_CONFIG = pkg-config

# The web pages of senti-serve, which are made with npm's packages. yes: the build fails without npm and its registry; no: it needs neither; auto: it has
# the pages if they can be made. Later builds do as this one did, so that `make install` installs what was built.
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
ALL_CPPFLAGS = $(CPPFLAGS) -D_GNU_SOURCE -DSENTI_VERSION='"$(VERSION)"' -I. -I$(BUILD)
ALL_CFLAGS = $(HARDEN) $(WARN) $(USER_CFLAGS) -std=c17 -ffp-contract=off $(WERROR) $(SAN)
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS) $(SAN)

# The replay program of the fuzz targets; empty where libFuzzer brings its own main.
FUZZ_MAIN = main
FUZZ_LD =
FUZZ_SECONDS = 60
