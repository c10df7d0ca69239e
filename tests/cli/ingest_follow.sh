#!/bin/sh
# senti-ingest --follow and --rate: growth, rotation, truncation, partial lines, stopping. Waits for results, never for a time.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

pid=
stop() { # stop [SIGNAL]: the follower, if it runs; its status into $status
	[ -z "$pid" ] || {
		kill "-${1:-TERM}" "$pid" 2>/dev/null
		wait "$pid"
		status=$?
	}
	pid=
}
trap 'stop; cd /; rm -rf "$T"' EXIT

start() { # start ARG...: senti-ingest --follow in the background, fresh files out and err
	: >out
	: >err
	# A shell starts what is in the background with SIGINT ignored, and so it would stay.
	env --default-signal=INT senti-ingest --follow "$@" >out 2>err &
	pid=$!
}

texts() { # the texts of the records in out, in one line
	sed -n 's/.*"text":"\([^"]*\)".*/\1/p' out | tr '\n' ' '
}

# come TEXTS: these come out, in this order, and nothing else.
come() {
	wait_for "[ \"\$(texts)\" = '$1' ]"
}

ends() { # ends STATUS [SIGNAL]
	stop "${2:-TERM}"
	[ "$status" -eq "$1" ]
}

# --- a file that is not there, and grows ---

start -F text app.log
ok 'a file that is missing is waited for, and said so' wait_for 'grep -q "waiting for a file path=app.log" err'
printf 'one\npar' >app.log
ok 'its whole lines come, alone and at once' come 'one '
printf 'tial\n' >>app.log
ok 'a partial line waits for its end' come 'one partial '

# --- rotation ---

mv app.log app.log.1
echo late >>app.log.1
ok 'a file that was renamed is still read' come 'one partial late '
printf 'rest' >>app.log.1
: >app.log
printf ' of it\nno end' >>app.log.1
ok 'also while its successor is empty' come 'one partial late rest of it '
echo one >app.log
ok 'the rest comes before the new file, an open line too' come 'one partial late rest of it no end one '
ok 'a rotation is a new source: equal lines have two ids' sh -c '[ "$(sed -n "s/.*id\":\"\([^\"]*\)\",\"text\":\"one\".*/\1/p" out | sort -u | wc -l)" -eq 2 ]'

# --- truncation ---

echo two >>app.log
ok 'the new file grows' come 'one partial late rest of it no end one two '
: >app.log
ok 'a truncation is noted' wait_for 'grep -q truncated err'
echo one >>app.log
ok 'and the file is read from its start' come 'one partial late rest of it no end one two one '
echo 'more than was there before' >app.log
ok 'written anew and longer: from its start' come 'one partial late rest of it no end one two one more than was there before '
ok 'each is a new source' sh -c '[ "$(sed -n "s/.*id\":\"\([^\"]*\)\",\"text\":\"one\".*/\1/p" out | sort -u | wc -l)" -eq 3 ]'
ok 'SIGTERM ends it with status 0' ends 0

# --- again ---

echo again >>app.log
start -F text app.log
ok 'a new start reads from the beginning' come 'more than was there before again '
stop
cp out first
start -F text app.log
ok 'and again' come 'more than was there before again '
ok 'with the same ids' cmp out first
ok 'SIGINT ends it too' ends 0 INT

# --- several rotations between two looks ---

# rotate NAME...: begins and renames that many files while the follower sleeps; the last keeps the name.
mkdir -p many
echo one >many/x.log
start -F text many/x.log
ok 'the first file' come 'one '
kill -STOP "$pid"
for text in two three four; do
	[ ! -e many/x.log.2 ] || mv many/x.log.2 many/x.log.3
	[ ! -e many/x.log.1 ] || mv many/x.log.1 many/x.log.2
	mv many/x.log many/x.log.1
	echo $text >many/x.log
done
gzip -c many/x.log.1 >many/x.log.4.gz
cp many/x.log.1 many/x.log.copy
kill -CONT "$pid"
ok 'files that were begun and renamed unseen are read, in their order' come 'one two three four '
ok 'each is a source of its own' sh -c '[ "$(sed -n "s/.*\"id\":\"\([^\"]*\)\".*/\1/p" out | sort -u | wc -l)" -eq 4 ]'
kill -STOP "$pid"
mv many/x.log many/x-20240501.log
echo five >many/x.log
mv many/x.log many/x-20240502.log
kill -CONT "$pid"
ok 'also while the name is free, and with dates before the extension' come 'one two three four five '
echo six >many/x.log
ok 'and the name is followed on' come 'one two three four five six '
stop

# --- what comes late, and what never was seen ---

exec 7>>late.log
echo old >&7
start -F text --rotate-wait 600s late.log
ok 'the old file' come 'old '
mv late.log late.log.1
echo new >late.log
echo late >&7
ok 'what is written to a renamed file after its successor has begun is read, for as long as --rotate-wait says' come 'old late '
ok 'a stop ends the wait' ends 0
start -F text --rotate-wait 1s --summary late.log
ok 'the new file, as the old one' come 'new '
exec 7>&-
exec 7>>late.log
mv late.log late.log.2
echo newer >late.log
ok 'after the wait, its successor' come 'new newer '
echo 'too late' >&7
exec 7>&-
ok 'what comes after that is said to be lost' wait_for 'grep -q "grown after it was left.*path=late.log" err'
ok 'with status 1' ends 1
ok 'and counted' grep -q '"unread_files":1' err
t '--rotate-wait is for --follow' 'senti-ingest --rotate-wait 1s late.log' 2 <<'END'
--- stderr
senti-ingest: --rotate-wait goes with --follow
try 'senti-ingest --help'
END

echo one >gone.log
start -F text --summary gone.log
ok 'one file' come 'one '
mv gone.log away
mv away gone.log
echo more >>gone.log
ok 'that went and came back is the same' come 'one more '
ok 'and nothing is lost' ends 0
start -F text --summary gone.log
ok 'it again' come 'one more '
kill -STOP "$pid"
rm gone.log
echo two >gone.log
rm gone.log
echo three >gone.log
rm gone.log
echo four >gone.log
kill -CONT "$pid"
ok 'the file that is there is read' come 'one more four '
ok 'those that are gone are said' wait_for 'grep -q "gone before they could be read path=gone.log files=2" err'
ok 'with status 1' ends 1
ok 'and counted' grep -q '"unread_files":2' err

# --- a hole after a truncation ---

exec 7>hole.log
echo 'some line' >&7
start -F text hole.log
ok 'a line' come 'some line '
: >hole.log
ok 'is truncated' wait_for 'grep -q truncated err'
echo 'after it' >&7
exec 7>&-
ok 'the bytes that were never written are left out' come 'some line after it '
ok 'and nothing is rejected' ends 0

# --- several files, CSV ---

printf 'text\n"a\nb"\n"open' >x.csv
printf 'text\nx\n' >y.csv
start x.csv y.csv
ok 'several files, rows over lines' wait_for '[ "$(wc -l <out)" -eq 2 ]'
printf 'ed\nrow"\n' >>x.csv
echo y >>y.csv
ok 'an open row waits for its end, other files go on' wait_for '[ "$(wc -l <out)" -eq 4 ] && grep -q "opened.nrow" out && grep -q "\"y\"" out'
printf '"never closed\n' >>x.csv
echo z >>y.csv
ok 'an open row holds up no other file' wait_for '[ "$(wc -l <out)" -eq 5 ]'
ok 'and is left where it is at a stop' ends 0
ok 'without a reject' sh -c '! grep code err'

# --- records of several lines ---

printf '[1] a\n b\n[2] c\n' >joined.log
start --join '^\[' joined.log
ok 'a record of several lines comes once the next one begins' come '[1] a\n b '
printf ' d\n' >>joined.log
printf '\n e\n[3] f\n' >>joined.log
ok 'lines written later belong to it' come '[1] a\n b [2] c\n d\n\n e '
mv joined.log joined.log.1
printf ' g' >>joined.log.1
printf '[4] h\n' >joined.log
printf ' i\n' >>joined.log
ok 'a rotation ends the last one, with all its lines' come '[1] a\n b [2] c\n d\n\n e [3] f\n g '
ok 'a stop leaves the open one where it is' ends 0
printf '[5] j\n' >>joined.log
start --join '^\[' joined.log
ok 'a new start reads it whole' come '[4] h\n i '
ok 'and again the last one stays' ends 0
ok 'no line is lost, invented or rejected' test ! -s err

# --- long lines ---

head -c 3000000 /dev/zero | tr '\0' a >long.log
start -F text --max-record 1M long.log
ok 'a line too long is rejected as it grows' wait_for 'grep -q too_long err'
printf 'end\nnext\n' >>long.log
ok 'its rest is drained, and the next line comes' come 'next '
stop
ok 'status 1: something was rejected' [ "$status" -eq 1 ]
ok 'with every byte of it' sh -c 'sed -n "s/.*input_base64\":\"\([^\"]*\).*/\1/p" err | base64 -d | wc -c | grep -qx 3000003'

t 'what is not a file cannot be followed' 'mkfifo pipe; senti-ingest --follow pipe' 3 <<'END'
--- stderr
senti-ingest: cannot follow 'pipe': it is not a regular file; pipe it in instead
END

# --- rate ---

yes | head -n 30 >thirty
t 'a rate loses nothing' 'senti-ingest --rate 200/s thirty --summary 2>err | wc -l; grep -o "\"in\":30,\"out\":30" err' 0 <<'END'
30
"in":30,"out":30
END
t 'and holds records back: at 20 a second, 30 take at least one' 'senti-ingest --rate 20 --summary thirty 2>&1 >/dev/null | grep -c "seconds\":0"' 1 <<'END'
0
END
: >out # else a line of the test before is taken for the first
senti-ingest --rate 1/h thirty >out 2>err &
pid=$!
ok 'the first comes at once' wait_for '[ "$(wc -l <out)" -eq 1 ]'
ok 'a slow rate does not hold up the stop' ends 0

finish
