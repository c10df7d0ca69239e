#!/bin/sh
# What every filter does when it is stopped, when its output has no reader any more, and when it starts with closed descriptors or ignored signals.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

awk 'BEGIN { for (i = 1; i <= 50000; i++) printf "{\"id\":\"r%d\",\"text\":\"good %d\"}\n", i, i }' >large
head -n 1500 large >small # one block, but more output than a pipe takes
mkfifo in out
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; cd /; rm -rf "$T"' EXIT

# ends STATUS: the background process ends, in time and with that status.
ends() {
	tries=0
	while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 400 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	[ "$tries" -lt 400 ] || kill -9 "$pid"
	wait "$pid"
	status=$?
	pid=
	[ "$status" -eq "$1" ] || {
		echo "status $status, not $1"
		cat err
		return 1
	}
}

# stopped COMMAND: runs it, stops it when its output has begun and nobody takes the rest, and then takes that.
stopped() {
	eval "exec $1" >out 2>err &
	pid=$!
	exec 8<out
	head -c 1 <&8 >got
	kill -TERM "$pid"
	cat <&8 >>got &
	taker=$!
	exec 8<&-
}

# --- stopped in the middle of a file ---

was_cut() { # was_cut TOOL
	tail -n 1 err >summary
	n=$(wc -l <got)
	jq -e ".interrupted and .out == $n and .in == $n and .in < 50000" summary && grep -qx "$1: stopped before the end of the input" err
}
stopped 'senti-score --summary large'
ok 'SIGTERM in mid-file: status 3' ends 3
wait "$taker"
ok 'what was read came out, and the summary says that it was cut' was_cut senti-score
stopped 'senti-score --summary <large'
ok 'the same of a file as stdin' ends 3
wait "$taker"
ok 'and so says the summary' was_cut senti-score
stopped 'senti-score -j 2 --summary large'
ok 'with two threads' ends 3
wait "$taker"
ok 'the sums hold there too' was_cut senti-score
stopped 'senti-ingest -F json --summary large'
ok 'through a decoder' ends 3
wait "$taker"
ok 'which passes it on' was_cut senti-ingest
# Records of 30 lines each: the stop comes within one.
awk 'BEGIN { for (i = 1; i <= 3000; i++) { print "# " i; for (k = 1; k < 30; k++) print "good" } }' >joined
awk 'BEGIN { for (i = 1; i <= 3000; i++) { printf "\"%d", i; for (k = 1; k < 30; k++) printf "\ngood"; print "\"" } }' >rows.csv
whole_alone() { # whole_alone: what came out is the beginning of what comes out undisturbed, in whole records
	tail -n 1 err >summary
	jq -e '.interrupted and .rejected == 0 and .out > 0' summary && head -n "$(wc -l <got)" whole | cmp - got
}
for how in '--join "^#" joined' '--no-header --text 1 rows.csv'; do
	eval "senti-ingest $how" >whole
	stopped "senti-ingest --summary $how"
	ok "in mid-record ($how): status 3" ends 3
	wait "$taker"
	ok 'the record stays in its file' whole_alone
done
stopped 'senti-score --summary small large'
ok 'before the last of several files' ends 3
wait "$taker"
ok 'which was not read' was_cut senti-score
stopped 'senti-score --summary small'
ok 'a file that was read to its end is done: status 0' ends 0
wait "$taker"
ok 'all of it came out' test "$(wc -l <got)" -eq 1500
ok 'and the summary has no word of a cut' sh -c 'tail -n 1 err | jq -e "has(\"interrupted\") | not"'
senti-store <large >/dev/null
stopped 'senti-store query --summary'
ok 'a query that was cut is no whole answer either' ends 3
wait "$taker"
ok 'its summary says so' sh -c 'tail -n 1 err | jq -e .interrupted'

# --- the reader of the output has gone, and the input is silent ---

# gone WHAT COMMAND: it ends as by a closed pipe, before any input has come.
gone() {
	sh -c "$2; echo \$? >status" <in 2>err | true &
	pid=$!
	exec 9>in
	tries=0
	until [ -s status ] || [ "$tries" -ge 400 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	ok "$1" sh -c 'test "$(cat status)" = 141 && test ! -s err'
	exec 9>&-
	wait "$pid"
	pid=
	rm -f status
}
gone 'a filter ends when its reader has gone' senti-score
gone 'with threads too' 'senti-score -j 3'
gone 'a decoder' 'senti-ingest -F text --rate 10/s'
: >empty
gone 'one that waits for a file to grow' 'senti-ingest -F text --follow empty'
gone 'and a store' 'senti-store put'
senti-score -o out <in 2>err &
pid=$!
exec 9>in
exec 8<out
exec 8<&-
ok 'a named pipe as the output, whose reader has gone' ends 141
exec 9>&-

# --- closed descriptors ---

t 'a closed stdin' 'senti-score <&-' 3 <<'END'
--- stderr
senti-score: stdin is closed; redirect it to /dev/null if it is not wanted
END
t 'a closed stdout' 'senti-score -e good >&-' 3 <<'END'
--- stderr
senti-score: stdout is closed; redirect it to /dev/null if it is not wanted
END
t 'a closed stderr' 'senti-score -e good 2>&-' 3
t 'they are no matter to --version' 'senti-score --version <&- | cut -d " " -f 1' 0 <<'END'
senti-score
END
ok 'a worker takes /dev/null for them' sh -c 'senti-worker -i small -o got -- senti-score <&- >&- 2>&-; test $? = 0 && test "$(wc -l <got)" -eq 1500'
ok 'and none is an input' sh -c 'senti-worker -i - -- senti-score <&-; test $? = 0'

# --- signals that are ignored at the start ---

sh -c 'trap "" INT; exec senti-score' <in >got 2>err &
pid=$!
exec 9>in
echo '{"text":"good"}' >&9
tries=0
until [ -s got ] || [ "$tries" -ge 400 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
kill -INT "$pid"
kill -INT "$pid"
echo '{"text":"bad"}' >&9
exec 9>&-
ok 'SIGINT stays ignored' ends 0
ok 'and what came after it is scored' test "$(wc -l <got)" -eq 2

# --- limits of files, and terminals ---

yes 'a text' | head -n 2000 >texts
t 'a limit on the size of files is status 3, and leaves no half line' '(ulimit -f 16; senti-score -t texts >limited); echo $?; tail -c 1 limited | od -An -c | tr -d " "; [ "$(wc -l <limited)" -gt 10 ]' 0 <<'END'
3
\n
--- stderr
senti-score: cannot write to stdout: File too large
END
{ yes '{"n":1}' | head -n 1000 && echo '[1]' && echo '{"text":"fine"}'; } >bad
{ head -n 1 bad && head -c 1000000 /dev/zero | tr '\0' x; } >wide
t 'nor does a reject that is written in pieces' '(ulimit -f 1000; senti-score -q --max-record 4K --reject long wide >scored); echo $?; wc -l <long; tail -c 1 long | od -An -c | tr -d " "' 0 <<'END'
3
1
\n
--- stderr
senti-score: cannot write to long: File too large
END
if need 'rejects on a terminal' script; then
	t 'on a terminal, 20 rejects of a kind are shown and the others counted' 'script -qec "senti-score bad >scored" /dev/null >tty; grep -c "\"no_text\"" tty; grep -c not_object tty; grep "not shown" tty | tr -d "\r"; wc -l <scored' 0 <<'END'
20
1
senti-score: warning: more rejects are not shown; --reject FILE keeps all code=no_text rejects=980
1
END
	t 'and they do not stick to the line of progress' 'tail -n 2 bad >one; script -qec "senti-score --progress one >scored" /dev/null >tty; grep -c "$(printf "\r\033\\[K{\"error")" tty' 0 <<'END'
1
END
fi

finish
