# Settings that a packager may change, here or on the command line: make CC=clang PREFIX=/usr
VERSION = 0.1.0
PREFIX = /usr/local
CC = gcc
AR = ar
PKG_CONFIG = pkg-config

OPT = -O2
WARN = -Wall -Wextra -Wmissing-prototypes -Wvla -Wwrite-strings -Wshadow
# Checked copies, stack canaries, position-independent code, read-only relocations.
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now,-z,noexecstack
CPPFLAGS = -D_GNU_SOURCE -DSENTI_VERSION='"$(VERSION)"' -I. -I$(BUILD)
# -Werror is for CI (scripts/check): a newer compiler's new warning must not break a user's build.
WERROR =
# Sanitizers: make asan, make fuzz.
SAN =
# Exact engines: no fused multiply-add, which would round once where the reference rounds twice.
CFLAGS = -std=c17 -g $(OPT) -ffp-contract=off $(WARN) $(WERROR) $(HARDEN) $(SAN)
LDFLAGS = $(HARDEN_LD) $(SAN)

# The replay program of the fuzz targets; empty where libFuzzer brings its own main.
FUZZ_MAIN = main
FUZZ_LD =
FUZZ_SECONDS = 60
