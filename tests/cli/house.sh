#!/bin/sh
# What all tools have in common: --help, --version, usage errors; completions; and the lint of layers, shown to fail.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

tools=$(cd "$root" && sed -n 's/^TOOLS = //p' Makefile)
version=$(sed -n 's/^VERSION = //p' "$root/config.mk")

options() { # options TOOL: the long ones that --help names, a line each
	"$1" --help | sed -n 's/^  *\(-[^-], *\)\{0,1\}\(--[a-z0-9-]*\).*/\2/p'
}

# An option is taken if nothing but its value is found wrong: with one where --help shows an argument, without one elsewhere.
taken() {
	"$1" --help | sed -n 's/^  *\(-[^-], *\)\{0,1\}\(--[a-z0-9-]*\)\( [A-Z+][^ ]*\)\{0,1\} .*/\2\3/p' >known
	[ -s known ] && while read -r option argument; do
		"$1" "$option" ${argument:+100} --help >said 2>&1
		status=$?
		if [ "$status" -ne 0 ] && { [ "$status" -ne 2 ] || ! grep -q "not '100'$" said; }; then
			echo "$1 $option ${argument:+100}: status $status"
			cat said
			return 1
		fi
	done <known
}

complete_in() { # complete_in FILE TOOL: its lines for the tool have all options
	case $1 in
	*.fish) grep "^complete -c $2 " "$1" | sed -n 's/.* -l \([a-z0-9-]*\).*/--\1/p' ;;
	*) sed -n "/^$2)/,/;;/p" "$1" | sed -n "s/^[^[]*\(--[a-z0-9-]*\)[^[]*\[.*/\1/p" ;;
	esac >got
	options "$2" | diff - got
}

offered() { # offered WORD...: what bash offers for the last word
	bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _senti; printf "%s\n" "${COMPREPLY[@]}"' \
		"$root/contrib/completions/senti.bash" "$@"
}

# guessed TOOL PREFIX WORDS: each word with a letter too many is a usage error that names the right one
guessed() {
	[ -n "$3" ] && for word in $3; do
		word=${word#"$2"}
		"$1" "$2$word~" >said 2>&1
		status=$?
		if [ "$status" -ne 2 ] || ! grep -q "did you mean '$2$word'?$" said; then
			echo "$1 $2$word~: status $status"
			cat said
			return 1
		fi
	done
}

for tool in $tools; do
	t "$tool --version" "$tool --version" 0 <<-END
		$tool $version
	END
	t "$tool -V is the same" "$tool -V" 0 <<-END
		$tool $version
	END
	ok "$tool --help" sh -c "$tool --help >help && head -n 1 help | grep -q '^usage: $tool '"
	ok "$tool -h is the same" sh -c "$tool -h | cmp - help"
	t "$tool: help into a full disk is status 3" "$tool --help >/dev/full" 3
	t "$tool: an unknown option" "$tool --no-such-option" 2 <<-END
		--- stderr
		$tool: unknown option '--no-such-option'
		try '$tool --help'
	END
	t "$tool: an unknown letter" "$tool -?" 2 <<-END
		--- stderr
		$tool: unknown option '-?'
		try '$tool --help'
	END
	t "$tool: a missing argument" "$tool --log-format" 2 <<-END
		--- stderr
		$tool: option '--log-format' takes an argument
		try '$tool --help'
	END
	t "$tool: an argument too many" "$tool --verbose=very" 2 <<-END
		--- stderr
		$tool: option '--verbose=very' takes no argument
		try '$tool --help'
	END
	t "$tool: a value that cannot be" "$tool --log-format xml" 2 <<-END
		--- stderr
		$tool: --log-format takes logfmt or json, not 'xml'
		try '$tool --help'
	END
	t "$tool: the beginning of several options" "$tool --ver --v" 2 <<-END
		--- stderr
		$tool: option '--ver' is ambiguous: --verbose, --version
		try '$tool --help'
	END
	ok "$tool: each option of --help is taken" taken "$tool"
	ok "$tool: each option is guessed from a slip" guessed "$tool" -- "$(options "$tool")"
done

for tool in senti-store senti-cache; do
	verbs=$("$tool" --help | sed -n "s/^\(usage:\)\{0,1\} *$tool \[\{0,1\}\([a-z|]*\).*/\2/p" | tr '|' '\n')
	ok "$tool: each verb is guessed from a slip" guessed "$tool" '' "$verbs"
done
ok 'each model is guessed from a slip' sh -c 'senti-score --models | cut -d" " -f1 | sed "s/^.\(.*\)/\1 &/" >models && [ -s models ] &&
	while read -r slip model; do senti-score -m "$slip" -e x 2>&1 | grep -q "did you mean .$model.?$" || exit 1; done <models'
scheme() { # scheme ADDRESS COMMAND...: refused, with what the command takes and the scheme that is near
	t "$1 is guessed" "$(shift && echo "$*") 2>&1 </dev/null | sed -n 's/.*it takes \(.*\)/\1/p'" 0
}
scheme aqmp senti-score -i aqmp:x <<'END'
-, PATH, amqp:QUEUE; did you mean 'amqp'?
END
scheme amqpss senti-worker -i - -o amqpss:x -- cat <<'END'
-, PATH, amqp:QUEUE; did you mean 'amqps'?
END
scheme sqlte senti-store stats --store sqlte:x <<'END'
PATH, sqlite:PATH, postgresql://USER@HOST/DATABASE; did you mean 'sqlite'?
END
scheme redsi senti-serve --cache redsi://x <<'END'
redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME, unix:PATH, memory:SIZE; did you mean 'redis'?
END
t 'a store is not a source' 'senti-score -i sqlite:senti.db 2>&1 | sed 1q' 0 <<'END'
senti-score: 'sqlite:senti.db' is not a source that this build knows; it takes -, PATH, amqp:QUEUE
END
# Choices: each word is taken, another is refused with all of them, and completions offer the same.
while read -r tool option words; do
	for word in $words; do
		ok "$tool $option $word" sh -c "$tool $option $word --help >/dev/null"
	done
	listed=$(echo "$words" | awk '{ for (i = 1; i <= NF; i++) printf "%s%s", $i, i < NF - 1 ? ", " : i < NF ? " or " : "\n" }')
	t "$tool $option nothing" "$tool $option nothing 2>&1 | sed 1q" 0 <<-END
		$tool: $option takes $listed, not 'nothing'
	END
	ok "$tool $option is completed" sh -c "printf '%s\n' $words | sort >want; sort got | diff want -" "$(offered "$tool" "$option" '' >got)"
done <<'END'
senti-score --log-format logfmt json
senti-store --order oldest newest id score -score
senti-train --class-weights none balanced
END
t 'a file that has the name of a slip is a file' 'echo "{\"id\":\"a\",\"text\":\"x\"}" >gte && senti-store gte' 0 <<'END'
{"id":"a","text":"x","version":1}
END
t 'a text is not a file' 'senti-score "I love it"' 3 <<'END'
--- stderr
senti-score: cannot open 'I love it': no such file; to score a text itself, give it after -e
END

# An empty variable of the environment counts as unset.
t 'empty variables are unset' 'echo x | SENTI_MODEL= SENTI_REJECT= SENTI_REDIS= SENTI_STORE= TMPDIR= senti-worker -i - -- cat && SENTI_MODEL= senti-score -e good |
	grep -c vader- && SENTI_REDIS= senti-cache stats' 2 <<'END'
x
1
--- stderr
senti-cache: stats: no cache is named: set --cache or $SENTI_REDIS
try 'senti-cache --help'
END

# Completions: up to date, and what bash really offers.
# shellcheck disable=SC2086
ok 'completions are what scripts/build-completions writes (run make completions)' sh -c "mkdir fresh &&
	'$root/scripts/build-completions' '$SENTI_BIN' fresh $tools && diff -r '$root/contrib/completions' fresh"
for tool in $tools; do
	offered "$tool" -- >got
	options "$tool" >want
	ok "bash completes all options of $tool" diff want got
	for shell in senti.fish _senti; do
		ok "$shell has all options of $tool" complete_in "$root/contrib/completions/$shell" "$tool"
	done
done
t 'bash completes a value' 'offered senti-score --log-format j' 0 <<'END'
json
END
t 'bash completes a command' 'offered senti-store que' 0 <<'END'
query
END
need 'zsh reads its completions' zsh && ok 'zsh reads its completions' zsh -n "$root/contrib/completions/_senti"
need 'fish reads its completions' fish && ok 'fish reads its completions' fish -n "$root/contrib/completions/senti.fish"

# Each tool links only what it uses: start-up time is made of libraries.
libraries() { readelf -d "$SENTI_BIN/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p' | grep -vE '^(lib(c|m|asan|ubsan)|ld-linux.*)$'; }
t 'senti-score links no library beyond the C library' '! libraries senti-score' 0

# Flags of a user's own are added, and none of them makes the engines inexact or the tools soft.
compiled() { # compiled ASSIGNMENT...: how make would compile a file
	env -u MAKEFLAGS "$@" make -s -n -B -C "$root" BUILD="$T/flags" V=1 "$T/flags/lib/base/base.o" | grep -e '-c -o'
}
ok 'CFLAGS of the environment are added' sh -c 'printf "%s" "$1" | grep -q -- "-O3 -std=c17 -ffp-contract=off"' - "$(compiled CFLAGS=-O3)"
ok 'so are CPPFLAGS' sh -c 'printf "%s" "$1" | grep -q -- "-DMINE -D_GNU_SOURCE"' - "$(compiled CPPFLAGS=-DMINE)"
ok 'fast mathematics are not taken' sh -c '! printf "%s" "$1" | grep -qe "-Ofast\|fast-math"' - "$(compiled CFLAGS='-Ofast -ffast-math')"
ok 'hardening stays' sh -c 'printf "%s" "$1" | grep -q -- "-D_FORTIFY_SOURCE=[23] .*-fstack-protector-strong .*-fPIE"' - "$(compiled CFLAGS=-O2)"
ok 'only flags that the compiler knows are used' sh -c '! printf "%s" "$1" | grep -qe -mbranch-protection || uname -m | grep -q aarch64' - "$(compiled CFLAGS=-O2)"

# The lint of layers, on trees that break it.
layers() { # layers FILE LINE...: the lint of a tree of that one file
	rm -rf tree
	mkdir -p "tree/${1%/*}"
	layered=$1
	shift
	printf '%s\n' "$@" >"tree/$layered"
	"$root/scripts/lint-layers" tree
}
t 'layers: downwards is allowed' "layers lib/flow/a.c '#include \"lib/json/scan.h\"' '#include <stdio.h>' '#include \"lib/base/base.h\"'" 0
t 'layers: cmd may include net' "layers cmd/a.c '#include \"lib/net/sqlite.h\"'" 0
t 'layers: upwards is not' "layers lib/json/a.c '' '#include \"lib/flow/record.h\"'" 1 <<'END'
--- stderr
lib/json/a.c:2: json must not include lib/flow/record.h
END
t 'layers: nobody else includes net' "layers lib/stage/a.h '#include \"lib/net/sqlite.h\"'" 1 <<'END'
--- stderr
lib/stage/a.h:1: stage must not include lib/net/sqlite.h
END
t 'layers: net knows no stage' "layers lib/net/a.c '#  include \"lib/stage/score.h\"'" 1 <<'END'
--- stderr
lib/net/a.c:1: net must not include lib/stage/score.h
END
t 'layers: neighbours do not know each other' "layers lib/score/a.c '#include \"lib/data/store.h\"'" 1 <<'END'
--- stderr
lib/score/a.c:1: score must not include lib/data/store.h
END
t 'layers: the library includes no cmd' "layers lib/stage/a.c '#include \"cmd/tool.h\"'" 1 <<'END'
--- stderr
lib/stage/a.c:1: stage must not include cmd/tool.h
END
t 'layers: an unknown layer' "layers lib/util/a.c '#include \"lib/base/base.h\"'" 1 <<'END'
--- stderr
lib/util/a.c:1: no such room: util
END
t 'layers: by relative path' "layers lib/flow/a.c '#include \"../stage/score.h\"' '#include \"record.h\"' '#include <lib/stage/score.h>'" 1 <<'END'
--- stderr
lib/flow/a.c:1: name it from the root, as "lib/ROOM/FILE.h": ../stage/score.h
lib/flow/a.c:2: name it from the root, as "lib/ROOM/FILE.h": record.h
lib/flow/a.c:3: quote the project's own headers
END
t 'layers: http knows no serve' "layers lib/http/a.c '#include \"lib/serve/feed.h\"'" 1 <<'END'
--- stderr
lib/http/a.c:1: http must not include lib/serve/feed.h
END
t 'layers: a folder below a room is that room' "layers lib/serve/routes/a.c '#include \"lib/net/pg.h\"'" 1 <<'END'
--- stderr
lib/serve/routes/a.c:1: serve must not include lib/net/pg.h
END
circle() { # two units, each of which uses the other
	rm -rf tree
	mkdir -p tree/lib/base
	echo '#include "lib/base/b.h"' >tree/lib/base/a.c
	echo '#include "lib/base/a.h"' >tree/lib/base/b.c
	: >tree/lib/base/a.h
	: >tree/lib/base/b.h
	"$root/scripts/lint-layers" tree
}
t 'layers: no circle of files' circle 1 <<'END'
--- stderr
lib/base/b.c:1: a circle of files: lib/base/a -> lib/base/b -> lib/base/a
END
t 'layers: an empty tree is no clean tree' 'mkdir empty && "$root/scripts/lint-layers" empty' 1 <<'END'
--- stderr
empty: no sources in lib and cmd
END

# The lint of style.
mkdir style
printf '#!/bin/sh\necho $x\n' >style/bad.sh
printf 'see /%s/someone/notes\n' home >style/notes.md
mkdir -p style/lib/base style/cmd
printf '/* %120s */\nstruct one {\n' '' >style/lib/base/a.h
printf '/* A list is no map. */\n/* There is no other. */\nstatic const struct one {\n' >style/cmd/b.c
ok 'style: a line that is too long, a tag of two types and an odd phrase are found' sh -c '! "$0" style 2>said &&
	grep -q "^lib/base/a.h:1: a line of 126 columns" said && grep -q ": the tag one is taken: " said &&
	[ "$(grep "is no" said)" = "cmd/b.c:1:/* A list is no map. */" ]' "$root/scripts/lint-style"
if need 'style: an unquoted variable' shellcheck; then
	ok 'style: an unquoted variable and a path of one machine are found' sh -c '! "$0" style 2>said && grep -q SC2086 said &&
		grep -q "^notes.md:1:" said' "$root/scripts/lint-style"
fi

# The lint of manual pages, on a tree with one tool and its page.
mkdir -p pages/scripts pages/man pages/bin pages/lib/flow
cp "$root/scripts/lint-man" pages/scripts/
echo '#define CODE_ODD "odd"' >pages/lib/flow/record.h
printf '%s\n' '#!/bin/sh' 'echo "      --lost       not in the page"' >pages/bin/tool
chmod +x pages/bin/tool
printf '.Dd November 23, 2026\n.Dt TOOL 1\n.Os\n.Sh NAME\n.Nm tool\n.Nd a tool\n.Sh DESCRIPTION\n.Bl -tag -width Ds\n.It Fl -other\nWhat.\n' >pages/man/tool.1
cp pages/man/tool.1 pages/man/senti-record.5
if need 'the lint of pages' mandoc; then
	ok 'man: a missing page, option and code, and a list without an end are found' sh -c '! pages/scripts/lint-man pages/bin tool absent 2>said &&
		grep -q "^man/absent.1: missing$" said && grep -q "^man/tool.1: --lost is missing$" said &&
		grep -q "reject code odd is missing" said && grep -q "mandoc: man/tool.1:.*Bl" said || { cat said; false; }'
fi
if need 'the lint of format' clang-format; then
	echo 'int  a ;' >ugly.c
	ok 'format: blanks out of place are found' sh -c '! "$0" "$PWD/ugly.c" 2>said && grep -q "ugly.c:1:4" said' "$root/scripts/lint-format"
fi
finish
