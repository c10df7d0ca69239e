# shellcheck shell=sh
# lib.sh - what a CLI test needs, in POSIX sh. A test sources it, calls t, ok and skip, and ends with finish:
#
#     . "$(dirname "$0")/lib.sh"
#     t 'a record without text is rejected' 'echo "{}" | senti-score' 1 <<'END'
#     --- stderr
#     {"error":{"code":"no_text",...
#     END
#     ok 'both files are equal' cmp a b
#     finish
#
# The script runs in a fresh directory ($T), removed at its end, with the tools under test first in PATH ($SENTI_BIN, by default
# build/bin) and without any SENTI_ setting of the caller's. Results are TAP on stdout. $root is the source tree.

set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 3
SENTI_BIN=${SENTI_BIN:-$root/build/bin}
PATH=$SENTI_BIN:$PATH
LC_ALL=C.UTF-8
TZ=UTC
export PATH LC_ALL TZ SENTI_BIN
unset SENTI_REJECT SENTI_STORE SENTI_MODEL SENTI_AMQP SENTI_REDIS NO_COLOR
T=$(mktemp -d) || exit 3
trap 'cd /; rm -rf "$T"' EXIT
trap 'exit 3' HUP INT TERM
cd "$T" || exit 3
exec </dev/null
tap_n=0
tap_bad=0
tap_dir=$T/.tap
mkdir "$tap_dir"

# ok NAME COMMAND...: the command ends with status 0. What it says is shown when it does not.
ok() {
	tap_name=$1
	shift
	tap_n=$((tap_n + 1))
	if "$@" >"$tap_dir/said" 2>&1; then
		printf 'ok %s - %s\n' "$tap_n" "$tap_name"
	else
		tap_bad=$((tap_bad + 1))
		printf 'not ok %s - %s\n' "$tap_n" "$tap_name"
		sed 's/^/# /' "$tap_dir/said"
	fi
}

# t NAME COMMAND STATUS [<<END]: the command, run by eval in a subshell in $T, ends with that status and says exactly what the here-document
# holds: stdout, then after a line "--- stderr" what stands on stderr. No here-document: nothing on either.
t() {
	: >"$tap_dir/want.out"
	: >"$tap_dir/want.err"
	awk -v out="$tap_dir/want.out" -v err="$tap_dir/want.err" '
		!said && /^--- stderr$/ { said = 1; next }
		{ print > (said ? err : out) }'
	(eval "$2") >"$tap_dir/out" 2>"$tap_dir/err" </dev/null
	echo "$?" >"$tap_dir/status"
	echo "$3" >"$tap_dir/want.status"
	ok "$1" tap_same
}

tap_same() {
	tap_equal=0
	for tap_part in status out err; do
		diff -u "$tap_dir/want.$tap_part" "$tap_dir/$tap_part" | sed -e "1s|.*|--- $tap_part wanted|" -e "2s|.*|+++ $tap_part got|"
		cmp -s "$tap_dir/want.$tap_part" "$tap_dir/$tap_part" || tap_equal=1
	done
	return $tap_equal
}

# skip NAME REASON: counts as skipped, and as failed where CI=true.
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# need NAME TOOL...: true if all these commands are there; else one skipped result.
need() {
	tap_what=$1
	shift
	for tap_tool; do
		command -v "$tap_tool" >/dev/null 2>&1 || {
			skip "$tap_what" "$tap_tool is not installed"
			return 1
		}
	done
}

# wait_for CONDITION: until this line of shell succeeds; false after a minute, and the script fails. A test waits for what it needs, never for some
# time.
wait_for() {
	tap_tries=1200
	until eval "$1" 2>/dev/null; do
		tap_tries=$((tap_tries - 1))
		[ "$tap_tries" -gt 0 ] || {
			echo "# not within a minute: $1"
			tap_bad=$((tap_bad + 1))
			return 1
		}
		sleep 0.05
	done
}

# start_server [OPTION...]: a senti-serve of our own on any free port; its address in $url, its port in $port, its number in $server, what it says in log.
# shellcheck disable=SC2034
start_server() {
	: >log # what the last one said counts no more
	senti-serve -v -l 127.0.0.1:0 "$@" 2>log &
	server=$!
	trap 'kill $server 2>/dev/null; cd /; rm -rf "$T"' EXIT
	wait_for 'grep -q listening log || ! kill -0 $server'
	port=$(sed -n 's/.*listening.*address=[0-9.]*:\([0-9]*\).*/\1/p' log)
	url=http://127.0.0.1:$port
	[ -n "$port" ]
}

# end_server: the server ends in order; its status.
end_server() {
	kill -TERM "$server"
	wait "$server"
}

# sanitized: true if the tools were built with the address sanitizer.
sanitized() {
	readelf -d "$SENTI_BIN/senti-score" | grep -q libasan
}

# finish: the plan, and the script's exit status.
finish() {
	echo "1..$tap_n"
	[ "$tap_bad" -eq 0 ]
	exit
}
