#!/bin/sh
# README.md tells the truth: its example session gives the output that it shows, its measured figures stand in the benchmark's
# report, and the files and commands that it points to are there.
#
# A block fenced as console is a session in one directory, from the first block to the last: "$ " begins a command, "> " continues it,
# all else is what the command says on stdout and stderr. The server of the session listens on a port that is free, not on 8080.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir .session play
awk -v dir="$T/.session/" '
	/^```console$/ { inside = 1; next }
	/^```$/ { inside = 0; next }
	!inside { next }
	/^\$ / { n++; at = dir sprintf("%03d", n); print substr($0, 3) > (at ".cmd"); printf "" > (at ".want"); next }
	/^> / { print substr($0, 3) > (at ".cmd"); next }
	{ print > (at ".want") }' "$root/README.md"

serve() {
	(cd play && exec senti-serve -v -l 127.0.0.1:0) 2>.session/log &
	server=$!
	trap 'kill $server 2>/dev/null; cd /; rm -rf "$T"' EXIT
	wait_for 'grep -q listening .session/log'
	port=$(sed -n 's/.*listening.*:\([0-9]*\)$/\1/p' .session/log)
}

replay() { # replay NUMBER
	case $(cat ".session/$1.cmd") in
	'senti-serve &')
		serve
		return
		;;
	esac
	(cd play && eval "$(sed "s/localhost:8080/127.0.0.1:${port:-}/g" "$T/.session/$1.cmd")") >"$T/.session/$1.got" 2>&1
	diff "$T/.session/$1.want" "$T/.session/$1.got"
}

if need 'the example session' curl jq; then
	for command in "$T"/.session/*.cmd; do
		number=$(basename "$command" .cmd)
		ok "README: $(head -n 1 "$command")" replay "$number"
	done
fi

ok 'README: measured figures are those of tests/bench/README.md (run scripts/copy-figures)' "$root/scripts/copy-figures" --check

links_exist() { # relative links, and scripts that are named
	(cd "$root" && grep -oE '\]\([^)#:]+\)|`(scripts|tests)/[a-z/-]+`' README.md | tr -d '])(`' | sort -u | while read -r file; do
		[ -e "$file" ] || echo "$file is missing"
	done) >missing
	cat missing
	! [ -s missing ]
}
ok 'README: what it points to is there' links_exist
finish
