#!/bin/sh
# senti-store when things go wrong: full disk, kill -9, locks, foreign and damaged files, closed pipes. What it said is stored stays stored.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need 'faults of the store' sqlite3 || finish

# records FROM TO: one of each number.
records() { awk -v from="$1" -v to="$2" 'BEGIN { for (i = from; i <= to; i++) printf "{\"id\":\"r%d\",\"text\":\"text number %d\"}\n", i, i }'; }
count() { sqlite3 "$1" 'SELECT count(*) FROM message'; }
# sound DB: whole, each row with one entry in the outbox, no version twice.
sound() {
	test "$(sqlite3 "$1" 'PRAGMA integrity_check')" = ok &&
		test "$(sqlite3 "$1" 'SELECT (SELECT count(*) FROM outbox) = count(*) AND count(DISTINCT version) = count(*) FROM message')" = 1
}
# kept OUT DB: all records that came out are stored, in the version that they came out with (the last line may be torn).
kept() {
	sed -n 's/^{"id":"\([^"]*\)".*,"version":\([0-9]*\)}$/\1 \2/p' "$1" | sort >came
	sqlite3 -separator ' ' "$2" 'SELECT id, version FROM message' | sort >are
	test -z "$(comm -23 came are)"
}

# Killed while it makes the database, then each time a little further on.
records 1 20000 >many
round=0
while [ "$round" -lt 12 ]; do
	: >out
	senti-store --store sqlite:kill.db -b 200 many >out 2>/dev/null &
	pid=$!
	if [ "$round" -lt 3 ]; then
		sleep "0.00$((round * 3))"
	else
		while kill -0 "$pid" 2>/dev/null && [ "$(wc -l <out)" -lt $((round * 1300)) ]; do :; done
	fi
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	round=$((round + 1))
	if [ "$round" -le 3 ]; then
		ok "kill -9, round $round: at the start" sh -c 'test ! -s kill.db || sqlite3 kill.db "PRAGMA integrity_check" | grep -qx ok'
		continue
	fi
	ok "kill -9, round $round: the file is sound, with $(count kill.db) rows" sound kill.db
	ok "kill -9, round $round: what came out is stored" kept out kill.db
done
ok 'the kills came in between' sh -c 'test "$(sqlite3 kill.db "SELECT count(*) FROM message")" -lt 20000'
ok 'after kill -9 the same again' sh -c 'senti-store --store sqlite:kill.db many >out'
ok 'has all rows, none twice' test "$(count kill.db)" = 20000
ok 'in a sound file' sound kill.db

printf 'this is not a database, whatever its name says\n%01000d' 0 >no.db
t 'a file that is not a database' 'echo "{\"text\":\"x\"}" | senti-store --store sqlite:no.db' 3 <<'END'
--- stderr
senti-store: cannot open 'no.db': file is not a database: name another file with --store
END
ok 'is left as it was' grep -q 'this is not a database' no.db

# Of other programs: named by their tables, or by the number that they have put into the header.
sqlite3 foreign.db 'CREATE TABLE message (x)'
sqlite3 stamped.db 'CREATE TABLE t (x); PRAGMA application_id = 1234'
sqlite3 empty.db 'PRAGMA application_id = 1234; CREATE TABLE t (x); DROP TABLE t'
for db in foreign stamped empty; do cp $db.db $db.before; done
for verb in query stats export migrate prune put; do
	for db in foreign stamped empty; do
		t "$verb: a database of another program" "echo '{\"text\":\"x\"}' >one; senti-store $verb --store sqlite:$db.db <one" 3 <<END
--- stderr
senti-store: the database '$db.db' belongs to another program; name another file
END
		ok 'is left as it was' sh -c "cmp $db.db $db.before && test ! -e $db.db-wal"
	done
done

# One of the first version: its header has no number of ours, and steps are left.
old_schema() {
	rm -f old.db*
	senti-store migrate --store sqlite:old.db >/dev/null
	sqlite3 old.db 'PRAGMA application_id = 0; DELETE FROM migration WHERE number = 2; DROP TRIGGER message_insert; PRAGMA journal_mode = DELETE' >/dev/null
	cp old.db old.before
}
old_schema
for verb in query stats export 'get 1'; do
	t "$verb: an older schema" "senti-store $verb --store sqlite:old.db" 3 <<'END'
--- stderr
senti-store: the database 'old.db' has an older schema or none; senti-store migrate brings it up to date
END
done
ok 'to read changes nothing' cmp old.db old.before
ok 'to write brings it up to date' sh -c 'echo "{\"id\":\"1\",\"text\":\"x\"}" | senti-store put --store sqlite:old.db && senti-store get 1 --store sqlite:old.db'
sqlite3 old.db 'PRAGMA application_id = 0'
ok 'one that only lacks our number' senti-store get 1 --store sqlite:old.db
ok 'is read as it is' sh -c 'test "$(sqlite3 old.db "PRAGMA application_id")" = 0'
ok 'and marked when it is written' sh -c 'echo "{\"id\":\"2\",\"text\":\"x\"}" | senti-store put --store sqlite:old.db && test "$(sqlite3 old.db "PRAGMA application_id")" != 0'

cp kill.db newer.db
sqlite3 newer.db "INSERT INTO migration VALUES (3, 'of tomorrow', 'x', 'now')"
t 'a database of a newer program' 'senti-store query --store sqlite:newer.db' 3 <<'END'
--- stderr
senti-store: the database 'newer.db' has schema 3, this senti knows 2: use the newer senti that made it
END

# Zeroes over pages in the middle.
cp kill.db damaged.db
dd if=/dev/zero of=damaged.db bs=4096 seek=3 count=200 conv=notrunc 2>/dev/null
ok 'a damaged file is status 3' sh -c 'senti-store query --store sqlite:damaged.db >out 2>err; test $? = 3'
ok 'and said so' grep -q 'malformed.*damaged' err

sqlite3 senti.db 'SELECT 1' >/dev/null
records 1 10 | senti-store >/dev/null
mkfifo hold
sqlite3 senti.db <hold >/dev/null &
holder=$!
exec 9>hold
printf '%s\n' 'BEGIN IMMEDIATE;' '.shell touch begun' >&9
wait_for 'test -e begun'
ok 'a query does not wait for a writer' test "$(senti-store query | wc -l)" = 10
records 11 20 | senti-store >out 2>err &
waiting=$!
# It has the database open, as its files in /proc show.
wait_for 'ls -l /proc/$waiting/fd | grep -q senti.db'
ok 'a put waits for it' kill -0 "$waiting"
echo 'COMMIT;' >&9
ok 'and goes on' wait "$waiting"
exec 9>&-
wait "$holder"
ok 'with all its rows' test "$(senti-store query | wc -l)" = 20

t 'many writers at once' 'for i in 1 2 3 4; do senti-store --store sqlite:busy.db -b 7 >/dev/null <<E &
$(records 1 300)
E
done; wait; count busy.db' 0 <<'END'
300
END
ok 'leave a sound file' sound busy.db

t 'query, rescore and put on one database: it ends, and loses no row' \
	'senti-store query --store sqlite:kill.db -b 100 | sed "s/text number/new text/" | senti-store put -b 100 --store sqlite:kill.db | wc -l
	sqlite3 kill.db "SELECT count(*), sum(text LIKE '"'new text%'"') FROM message"' 0 <<'END'
20000
20000|20000
END

t 'a closed pipe ends a query quietly' 'senti-store query --store sqlite:kill.db | sed 1q | wc -l' 0 <<'END'
1
END
if [ -w /dev/full ]; then
	ok 'a full output is status 3' sh -c 'senti-store query --store sqlite:kill.db >/dev/full 2>err; test $? = 3'
fi
rm -f out # that of an earlier check would be taken for the one that is waited for
ok 'a stop ends a put in order' sh -c '
	{ cat many; sleep 5; } | senti-store --store sqlite:stop.db >out &
	until [ -s out ]; do sleep 0.05; done
	kill -TERM $! && wait $!'
ok 'and what came out is stored' kept out stop.db

# A disk of its own that is too small; needs a mount.
full() {
	mkdir disk && mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null || return 1
	trap 'cd /; umount "$T/disk"; rm -rf "$T"' EXIT
	ok 'a full disk is status 3' sh -c 'senti-store --store sqlite:disk/s.db -b 100 many >out 2>err; test $? = 3'
	ok 'and said so' grep -qi 'full\|disk I/O' err
	cp disk/s.db copy.db
	cp disk/s.db-wal copy.db-wal 2>/dev/null
	ok 'what came out is stored' kept out copy.db
	ok 'something came out' test -s out
	ok 'the file is sound' sound copy.db
}
full || skip 'a full disk' 'no tmpfs can be mounted here'

if [ "$(id -u)" = 0 ]; then
	reader="setpriv --reuid 65534 --regid 65534 --clear-groups"
else
	reader=
fi
mkdir ro && cp senti.db ro/ && chmod 755 "$T" && chmod 444 ro/senti.db && chmod 555 ro
ok 'a file that may not be written: status 3' sh -c "echo '{\"text\":\"x\"}' | $reader $SENTI_BIN/senti-store --store sqlite:$T/ro/senti.db 2>err; test \$? = 3"
ok 'and said so' grep -q "readonly\|unable to open" err
chmod 755 ro
t 'a folder that may not be written' "echo '{\"text\":\"x\"}' | $reader $SENTI_BIN/senti-store --store sqlite:$T/ro/new.db" 3 <<END
--- stderr
senti-store: cannot make the store '$T/ro/new.db': Permission denied
END

# The file goes while put has it open: nothing that is stored there later would be found again.
removed() { # removed COMMAND: between two records
	rm -f gone.db* out err
	mkfifo lines
	senti-store put --store sqlite:gone.db <lines >out 2>err &
	exec 9>lines
	rm lines
	echo '{"id":"1","text":"x"}' >&9
	wait_for 'test -s out'
	eval "$1"
	echo '{"id":"2","text":"x"}' >&9
	exec 9>&-
	wait $!
	echo "$?" >status
	ok "a store that is $2: status 3" grep -qx 3 status
	ok 'nothing more came out' test "$(wc -l <out)" = 1
	ok 'and it is said why' grep -q "the store 'gone.db' was removed or replaced" err
}
senti-store migrate --store sqlite:other.db >/dev/null
sqlite3 other.db 'PRAGMA journal_mode = DELETE' >/dev/null
removed 'rm gone.db gone.db-wal gone.db-shm' removed
removed 'cp other.db new.db; rm gone.db-wal gone.db-shm; mv new.db gone.db' replaced
finish
