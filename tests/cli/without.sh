#!/bin/sh
# A build that leaves out all that senti can do without: it needs no header of those libraries, remembers its settings, and says what it does not know.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# Under sanitizers the same would be built again.
if sanitized; then
	finish
fi
need 'a build without parts' jq || finish
tools=$(cd "$root" && sed -n 's/^TOOLS = //p' Makefile)
less() { env -u MAKEFLAGS make -s -j2 -C "$root" BUILD="$T/less" CPPFLAGS="-I$T/absent" CFLAGS=-O0 "$@"; }
# Nothing may include the headers of those libraries.
without() {
	mkdir -p absent/nettle absent/hiredis
	for header in amqp.h libpq-fe.h hiredis.h hiredis/hiredis.h jansson.h nettle/sha2.h nettle/base16.h; do
		echo '#error absent' >"absent/$header"
	done
	less WITH_AMQP=no WITH_POSTGRESQL=no WITH_REDIS=no WITH_SERVE=no
}
ok 'make WITH_AMQP=no WITH_POSTGRESQL=no WITH_REDIS=no WITH_SERVE=no' without
t 'the settings are kept: what is installed is what was built' "less install DESTDIR='$T/small' PREFIX=/usr >/dev/null && ls small/usr/bin | wc -l; find small -name '*serve*'" 0 <<END
$(($(echo "$tools" | wc -w) - 1))
END
PATH=$T/less/bin:$PATH
t 'without queues' 'senti-score -i amqp:x' 2 <<'END'
--- stderr
senti-score: 'amqp:x' is not a source that this build knows; it takes -, PATH
try 'senti-score --help'
END
t 'without PostgreSQL' 'senti-store stats --store postgresql://h/d 2>&1 | sed "s/.*it takes //;q"' 0 <<'END'
PATH, sqlite:PATH
END
t 'without Redis' 'senti-cache stats --cache redis://h 2>&1 | sed "s/.*it takes //;q"' 0 <<'END'
memory:SIZE
END
t 'the rest works' 'senti-score -t -e "I love it" | senti-store put --store sqlite:less.db | jq .sentiment.score' 0 <<'END'
0.6369
END
ok 'a unit test of what is left is built' less "$T/less/tests/unit/store_rows"
t 'make check says what it needs' 'less check 2>&1 | grep -o "make unit-tests.*"' 0 <<'END'
make unit-tests runs what is left
END
ok 'a whole build has what they need' env -u MAKEFLAGS make -s -C "$root" BUILD="$T/none" whole
finish
