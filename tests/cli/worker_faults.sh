#!/bin/sh
# senti-worker under kill -9 (of the command's tools, and of itself with --state), and stopping: every record is accounted for by its id.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

awk 'BEGIN { for (i = 1; i <= 20000; i++) printf "{\"id\":\"r%d\",\"text\":\"fine %d\"}\n", i, i }' >many
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; cd /; rm -rf "$T"' EXIT

work() { # work ARG...: senti-worker in the background
	senti-worker "$@" >>out 2>>err &
	pid=$!
}

ended() { # ended STATUS
	wait "$pid"
	status=$?
	pid=
	[ "$status" -eq "$1" ] || {
		echo "status $status, not $1"
		tail -n 5 err
		return 1
	}
}

# waits COMMAND: until it succeeds, at most 60 seconds.
waits() {
	tries=0
	until eval "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 1200 ] || {
			echo "never: $1"
			tail -n 5 err
			return 1
		}
		sleep 0.05
	done
}

# stored N: so many messages, each of an id of its own, are in the store.
stored() {
	senti-store query >rows || return 1
	ids=$(sed 's/.*"id":"\([^"]*\)".*/\1/' rows | sort -u | wc -l)
	echo "$(wc -l <rows) rows, $ids ids"
	[ "$(wc -l <rows)" -eq "$1" ] && [ "$ids" -eq "$1" ]
}

tools() { # the processes of the command: its leader and those below it
	leader=$(cat leader 2>/dev/null) || return 0
	echo "$leader"
	ps -o pid= --ppid "$leader"
}

# --- a tool of the command is killed, again and again ---

mkfifo feed
# shellcheck disable=SC2016
work -i feed -b 500 --timeout 2 --summary -- sh -c 'echo $$ >leader; senti-score | senti-store put'
exec 7>feed
kills=0
seed=7
# kill_one: one of the processes of the command, if it is there just now.
kill_one() {
	# shellcheck disable=SC2046
	set -- $(tools)
	[ $# -gt 0 ] && shift $((seed / 1024 % $#)) && kill -9 "$1"
}
# Each kill hits a command that has answered since the last one: three in a row on the same record alone would rightly condemn it.
while [ "$kills" -lt 25 ]; do
	kills=$((kills + 1))
	sed -n "$((800 * kills - 799)),$((800 * kills))p" many >&7
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	sleep "0.0$((seed / 65536 % 90 + 10))"
	waits kill_one || break
	waits "[ \"\$(wc -l <out)\" -eq $((800 * kills)) ]" || break
done
exec 7>&-
ok 'tools of the command are killed' test "$kills" -eq 25
ok 'and the worker goes on to the end' ended 0
ok 'all records are stored' stored 20000
ok 'and came out once each, in order' sh -c 'sed "s/.*\"id\":\"r\([0-9]*\)\".*/\1/" out | awk "\$1 != NR { exit 1 } END { exit NR != 20000 }"'
ok 'the sums hold' grep -q '"in":20000,"out":20000,"rejected":0' err

# --- the worker is killed, and starts where it was ---

rm -f senti.db* out err leader
cp many log
runs=0
while [ "$runs" -lt 10 ]; do
	work -i log --follow --state place -- sh -c 'senti-score | senti-store put'
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	sleep "0.$((seed / 65536 % 30 + 10))"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	runs=$((runs + 1))
done
mv log log.1
echo '{"id":"late","text":"written to the old file"}' >>log.1
echo '{"id":"new","text":"in the new file"}' >log
work -i log --follow --state place -- sh -c 'senti-score | senti-store put'
ok 'a file that was renamed while nobody looked is read to its end, then its successor' waits 'grep -q "\"id\":\"new\"" out'
kill "$pid"
ok 'it stops' ended 0
ok 'nothing is missing' stored 20002
: >out
: >err
echo '{"id":"more","text":"later"}' >>log
work -i log --follow --state place -- cat
ok 'the next one begins where that one ended' waits '[ -s out ]'
kill "$pid"
ended 0
ok 'and repeats nothing' test "$(cat out)" = '{"id":"more","text":"later"}'
: >out
for text in r1 r2 r3; do
	[ ! -e log.1 ] || mv log.1 log.2
	mv log log.1
	printf '{"id":"%s","text":"x"}\n' $text >log
done
work -i log --follow --state place -- cat
ok 'files that were begun and renamed while nobody looked come too' waits '[ "$(wc -l <out)" -eq 3 ]'
kill "$pid"
ended 0
ok 'in their order' test "$(sed 's/.*"id":"\([^"]*\)".*/\1/' out | xargs)" = 'r1 r2 r3'
: >out
mv log log.1
rm log.1
printf '{"id":"s1","text":"x"}\n' >log
mv log log.1
printf '{"id":"s2","text":"x"}\n' >log
work -i log --follow --state place -- cat
ok 'where the file of the place is gone, those after it are read, and it is said' waits '[ "$(wc -l <out)" -eq 2 ] && grep -q "is gone" err'
kill "$pid"
ok 'with status 1' ended 1
: >out
printf '{"id":"t","text":"a"}\n' >log
work -i log --follow --state place -- cat
ok 'a file that was truncated meanwhile is read anew' waits '[ -s out ]'
kill "$pid"
ended 0
echo junk >place
t 'a state that is none' 'senti-worker -i log --follow --state place -- cat' 3 <<'END'
--- stderr
senti-worker: place:1: this is not a saved place; remove the file to start from the beginning
END
rm place
t 'a state that cannot be written' 'senti-worker -i log --follow --state none/place -- cat 2>&1 >/dev/null | sed "s/: No.*//"' 0 <<'END'
senti-worker: cannot make a file beside 'none/place'
END

rm -f place log*
: >out
: >log
work -i log --follow --state place -- cat
ok 'a place in an empty file is saved' waits '[ -s place ]'
kill -9 "$pid"
wait "$pid" 2>/dev/null
printf '{"id":"e1","text":"x"}\n' >>log
mv log log.1
printf '{"id":"e2","text":"x"}\n' >log
work -i log --follow --state place -- cat
ok 'what was written before it was renamed is read' waits '[ "$(wc -l <out)" -eq 2 ]'
kill "$pid"
ok 'and nothing counts as lost' ended 0

# --- stopping ---

: >out
: >err
mkfifo pipe
work -i pipe --summary -- sh -c 'while read -r l; do sleep 0.3; printf "%s\n" "$l"; done; echo ended >end'
exec 3>pipe
head -n 3 many >&3
ok 'records are in work' waits 'test -s out || sleep 0.2'
kill "$pid"
ok 'SIGTERM: what was read is finished' ended 0
exec 3>&-
ok 'it came out' sh -c 'head -n 3 many | cmp - out'
ok 'and the command came to its end' test -s end
: >out
: >err
rm -f begun
work -i many --drain 2 --summary -- sh -c 'echo yes >begun; cat >/dev/null; sleep 98765'
ok 'its command runs' waits 'test -s begun'
kill "$pid"
ok 'a command that does not finish is killed within --drain' ended 3
ok 'and nothing counts as done' grep -q '"in":0,"out":0' err
ok 'its process too' sh -c '! ps -eo args | grep -q "^sleep 9876[5]$"'

finish
