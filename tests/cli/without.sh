#!/bin/sh
# Builds that leave out what senti can do without, all of it and each part alone: they need no header of the libraries that they leave out, remember
# their settings, and say what they do not know.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# Under sanitizers the same would be built again.
if sanitized; then
	finish
fi
need 'a build without parts' jq || finish
tools=$(cd "$root" && sed -n 's/^TOOLS = //p' Makefile)
# In one folder, so that each build compiles only what differs from the one before.
less() { env -u MAKEFLAGS make -s -j2 -C "$root" BUILD="$T/less" CPPFLAGS="-I$T/absent" CFLAGS=-O0 "$@"; }
# with PART=yes|no...: what was not yet compiled may not include these headers.
with() {
	settings=
	for part; do
		settings="$settings WITH_$part"
	done
	# shellcheck disable=SC2086
	less $settings
}
absent() {
	rm -rf absent
	mkdir -p absent/nettle absent/hiredis
	for header; do
		echo '#error absent' >"absent/$header"
	done
}
# What a build takes as a source, as a store and as a cache, and whether it has a server.
takes() {
	for ask in 'senti-score -i sqlite:x' 'senti-store stats --store memory:x' 'senti-cache stats --cache sqlite:x'; do
		$ask 2>&1 | sed -n 's/.*it takes //p'
	done
	[ ! -x "$T/less/bin/senti-serve" ] || senti-serve --version | cut -d ' ' -f 1
}
# Builds a unit test and runs it.
unit() {
	less "$T/less/tests/unit/$1" && "$T/less/tests/unit/$1"
}
# alone PART [<<END]: the build without this part takes these.
alone() {
	ok "make WITH_$1=no" with AMQP=yes POSTGRESQL=yes REDIS=yes SERVE=yes "$1=no"
	t "WITH_$1=no: what it takes" takes 0
	ok "WITH_$1=no: the rest works" sh -c 'senti-score -t -e "I love it" | senti-store put --store sqlite:less.db | senti-cache put --cache memory:1M |
		jq -e ".sentiment.score == 0.6369"'
	ok "WITH_$1=no: a unit test" unit store_rows
}
absent amqp.h libpq-fe.h hiredis.h hiredis/hiredis.h jansson.h nettle/sha2.h nettle/base16.h
ok 'make WITH_AMQP=no WITH_POSTGRESQL=no WITH_REDIS=no WITH_SERVE=no' with AMQP=no POSTGRESQL=no REDIS=no SERVE=no
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
ok 'a unit test' unit store_rows
t 'make check says what it needs' 'less check 2>&1 | grep -o "make unit-tests.*"' 0 <<'END'
make unit-tests runs what is left
END
ok 'a whole build has what they need' env -u MAKEFLAGS make -s -C "$root" BUILD="$T/none" whole
absent jansson.h nettle/sha2.h nettle/base16.h
alone SERVE <<'END'
-, PATH, amqp:QUEUE
PATH, sqlite:PATH, postgresql://USER@HOST/DATABASE
redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME, unix:PATH, memory:SIZE
END
# What the server is made of needs none of the others' headers.
absent amqp.h libpq-fe.h hiredis.h hiredis/hiredis.h
alone AMQP <<'END'
-, PATH
PATH, sqlite:PATH, postgresql://USER@HOST/DATABASE
redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME, unix:PATH, memory:SIZE
senti-serve
END
alone POSTGRESQL <<'END'
-, PATH, amqp:QUEUE
PATH, sqlite:PATH
redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME, unix:PATH, memory:SIZE
senti-serve
END
alone REDIS <<'END'
-, PATH, amqp:QUEUE
PATH, sqlite:PATH, postgresql://USER@HOST/DATABASE
memory:SIZE
senti-serve
END
finish
