#!/bin/sh
# The outbox tells of every change, whoever made it: senti-store or a person with the sqlite3 shell.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need 'the outbox' sqlite3 || finish

seen=0
# entries NAME <<END: those since the last call, as OP ID, each with the next seq and version; each row has the version of its last entry.
entries() {
	sqlite3 -separator ' ' senti.db "SELECT op, id, CASE WHEN seq = version THEN '' ELSE 'seq is not the version' END
		FROM outbox WHERE seq > $seen ORDER BY seq" | sed 's/ *$//' >got
	cat >want
	ok "$1" diff -u want got
	ok "$1: numbered without gaps" test "$(sqlite3 senti.db "SELECT count(*) = max(seq) AND max(seq) = (SELECT last FROM sequence) FROM outbox")" = 1
	ok "$1: rows have the version of their last entry" test -z "$(sqlite3 senti.db "SELECT m.id FROM message m
		WHERE m.version IS NOT (SELECT max(o.version) FROM outbox o WHERE o.id = m.id) OR m.stored_at IS NULL OR m.updated_at IS NULL")"
	seen=$(sqlite3 senti.db 'SELECT max(seq) FROM outbox')
}
sql() { sqlite3 senti.db "$1" >said 2>&1 || ok "$1: $(cat said)" false; }

printf '{"id":"%s","text":"x"}\n' a b | senti-store >/dev/null
entries 'put inserts' <<'END'
insert a
insert b
END
printf '{"id":"%s","text":"x"}\n' a b | senti-store >/dev/null
entries 'put of the same' </dev/null
printf '{"id":"%s","text":"y"}\n' a a c | senti-store >/dev/null
entries 'put updates, once a batch' <<'END'
update a
insert c
END
senti-store correct a positive >/dev/null
senti-store correct a positive >/dev/null
entries 'correct, once' <<'END'
update a
END
senti-store delete c >/dev/null
entries 'delete' <<'END'
delete c
END

sql "INSERT INTO message (id, text) VALUES ('r1', 'x'), ('r2', 'x')"
entries 'INSERT' <<'END'
insert r1
insert r2
END
sql "INSERT INTO message (id, text, version) VALUES ('r3', 'x', 999)"
entries 'INSERT with a version of its own' <<'END'
insert r3
END
sql "UPDATE message SET label = 'negative' WHERE id >= 'r1'"
entries 'UPDATE of several rows' <<'END'
update r1
update r2
update r3
END
sql "UPDATE message SET text = text"
entries 'UPDATE that changes nothing' </dev/null
sql "UPDATE message SET version = 1 WHERE id = 'r1'"
entries 'UPDATE of the version' <<'END'
update r1
END
sql "UPDATE message SET text = 'z', version = (SELECT last FROM sequence) WHERE id = 'r2'"
entries 'UPDATE that hides behind the newest version' <<'END'
update r2
END
sql "UPDATE message SET id = 'r9' WHERE id = 'r1'"
entries 'UPDATE of the id' <<'END'
delete r1
insert r9
END
sql "UPDATE OR REPLACE message SET id = 'r9' WHERE id = 'r2'"
entries 'UPDATE OR REPLACE onto another id' <<'END'
delete r2
insert r9
END
sql "INSERT INTO message (id, text) VALUES ('r9', 'q') ON CONFLICT (id) DO UPDATE SET text = excluded.text"
entries 'upsert' <<'END'
update r9
END
sql "INSERT OR REPLACE INTO message (id, text) VALUES ('r9', 'r')"
entries 'INSERT OR REPLACE is told as an insert, of a newer version' <<'END'
insert r9
END
sql "PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO message (id, text) VALUES ('r9', 's');
	UPDATE message SET text = 't' WHERE id = 'r9'"
entries 'the same with recursive triggers, which tell of the deletion too' <<'END'
delete r9
insert r9
update r9
END
sql "INSERT OR IGNORE INTO message (id, text) VALUES ('r9', 'no')"
entries 'INSERT OR IGNORE of a row that is there' </dev/null
sql "BEGIN; INSERT INTO message (id, text) VALUES ('gone', 'x'); ROLLBACK"
entries 'what is rolled back leaves nothing' </dev/null
sql "DELETE FROM message WHERE id LIKE 'r%'"
entries 'DELETE' <<'END'
delete r3
delete r9
END
sql "DELETE FROM message"
entries 'DELETE of all' <<'END'
delete a
delete b
END
echo '{"id":"a","text":"again"}' | senti-store >/dev/null
entries 'a new life' <<'END'
insert a
END
for wrong in "label = 'good'" "time = '2024-05-01'" "sentiment = 'no JSON'" "id = ''" "text = NULL"; do
	ok "the table refuses $wrong" sh -c "! sqlite3 senti.db \"UPDATE message SET $wrong\" 2>/dev/null"
done
t 'what SQL alone could put there is shown as JSON, or rejected' \
	"sqlite3 senti.db \"INSERT INTO message (id, text, extra) VALUES ('u', CAST(x'61ff62' AS text), NULL), ('v', 'x', 'no JSON')\"
	senti-store query 2>bad; grep -c bad_row bad" 0 <<'END'
{"id":"a","text":"again","version":28}
{"id":"u","text":"a�b","version":29}
1
END
finish
