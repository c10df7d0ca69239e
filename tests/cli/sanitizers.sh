#!/bin/sh
# The flags of `make asan` and `make fuzz` end a program at its first finding, with a status that is not 0.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

cat >wrong.c <<'END'
#include <limits.h>

int main(int argc, char **argv)
{
	volatile int most = INT_MAX;
	static char bytes[1];
	char *volatile one = bytes;
	(void)argv;
	return argc > 1 ? one[argc] == 'x' : most + argc == 1;
}
END
flags=-fsanitize=$(sed -n 's/^SANITIZERS = //p' "$root/Makefile")

ends() { # ends CC: neither finding leaves status 0
	# shellcheck disable=SC2086
	"$1" -std=c17 -g $flags -o "wrong-$1" wrong.c || return 1
	! "./wrong-$1" 2>said && grep 'signed integer overflow' said &&
		! "./wrong-$1" beyond 2>said && grep 'global-buffer-overflow' said
}
for target in asan fuzz; do
	# shellcheck disable=SC2016
	ok "make $target has these flags" grep -q "SAN=\"-fsanitize=.*\$(SANITIZERS)\"$([ $target = fuzz ] || echo ' test')" "$root/Makefile"
done
for cc in gcc clang; do
	if command -v $cc >/dev/null; then
		ok "a finding ends a program of $cc" ends $cc
	else
		skip "a finding ends a program of $cc" "no $cc"
	fi
done
finish
