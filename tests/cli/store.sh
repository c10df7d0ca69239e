#!/bin/sh
# senti-store: each verb and each filter, its rejects and usage errors.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

cat >in.jsonl <<'END'
{"id":"1","text":"I love it","source":"a","time":"2024-05-01T12:00:00.5+02:00","n":1.50,"sentiment":{"label":"positive","score":0.6369,"model":"m@1"}}
{"id":"2","text":"ÄRGER","source":"b","time":"2024-05-02T00:00:00Z","sentiment":{"label":"negative","score":-0.5,"model":"m@2"}}
{"id":"3","text":"so so","source":"a"}
END
# The ids of the records, on one line.
ids() { sed 's/^{"id":"\([^"]*\)".*/\1/' | awk '{ printf "%s%s", gap, $0; gap = " " } END { if (NR) print "" }'; }

t 'nothing is asked of a store that is not there' 'senti-store query' 3 <<'END'
--- stderr
senti-store: cannot open the store 'senti.db': No such file or directory (senti-store put and migrate make one)
END
ok 'and none is made' test ! -e senti.db

t 'put passes records on with their version' 'senti-store put in.jsonl' 0 <<'END'
{"id":"1","text":"I love it","source":"a","time":"2024-05-01T12:00:00.5+02:00","n":1.50,"sentiment":{"label":"positive","score":0.6369,"model":"m@1"},"version":1}
{"id":"2","text":"ÄRGER","source":"b","time":"2024-05-02T00:00:00Z","sentiment":{"label":"negative","score":-0.5,"model":"m@2"},"version":2}
{"id":"3","text":"so so","source":"a","version":3}
END
t 'put is the default, and a repetition changes nothing' \
	'senti-store --summary <in.jsonl 2>&1 >/dev/null | sed "s/,.seconds.*//"' 0 <<'END'
{"tool":"senti-store","in":3,"out":3,"rejected":0,"stored":0,"unchanged":3
END
t 'get shows the stored record' 'senti-store get 1 3' 0 <<'END'
{"id":"1","text":"I love it","source":"a","time":"2024-05-01T10:00:00.500Z","n":1.50,"sentiment":{"label":"positive","score":0.6369,"model":"m@1"},"version":1}
{"id":"3","text":"so so","source":"a","version":3}
END
t 'get takes records, in their order, and rejects what is missing' \
	'printf "%s\n" "{\"id\":\"3\"}" "{\"id\":\"x\"}" "{\"id\":\"2\"}" | senti-store get --reject bad | ids; cat bad' 0 <<'END'
3 2
{"error":{"code":"not_found","message":"no message has the id 'x'","tool":"senti-store","line":2},"input":"{\"id\":\"x\"}"}
END
t 'status 1 tells of a reject' 'senti-store get x 2>/dev/null' 1

q() { t "query $1" "senti-store query $1 | ids" 0; } # what is wanted follows
q '' <<'END'
1 2 3
END
q '--label negative' <<'END'
2
END
q '--source a' <<'END'
1 3
END
q '--since 2024-05-01T10:00:00.500Z' <<'END'
1 2
END
q '--since 2024-05-02' <<'END'
2
END
q '--until 2024-05-02' <<'END'
1
END
q '--text LOVE' <<'END'
1
END
q '--text ärger' <<'END'
2
END
q '--model m@1' <<'END'
1
END
q '--not-model m@1' <<'END'
2 3
END
q '--unscored' <<'END'
3
END
q '--order newest' <<'END'
2 1 3
END
q '--order id' <<'END'
1 2 3
END
q '--order id --limit 1 --after 2' <<'END'
3
END
q '--order id --since 2024-05-02 --until 2025-01-01' <<'END'
2
END
q '--limit 2' <<'END'
1 2
END
q '--limit 1 --after 1' <<'END'
2
END
q '--after 2' <<'END'
3
END
q '--after 3' </dev/null
q '--order newest --after 2' <<'END'
1 3
END
q '--source a --label positive --since 2024-05-01 --until 2025-01-01 -b 1' <<'END'
1
END
t 'batches of one tell the same' 'senti-store query -b 1 | ids' 0 <<'END'
1 2 3
END
t '--exit-if-empty holds for a query' 'senti-store query --source nobody --exit-if-empty' 99

t 'correct shows what is then stored' 'senti-store correct 1 negative 3 neutral' 0 <<'END'
{"id":"1","text":"I love it","source":"a","time":"2024-05-01T10:00:00.500Z","n":1.50,"sentiment":{"label":"negative","corrected":true,"score":0.6369,"model":"m@1"},"version":4}
{"id":"3","text":"so so","source":"a","sentiment":{"label":"neutral","corrected":true},"version":5}
END
q '--corrected' <<'END'
1 3
END
q '--label negative' <<'END'
1 2
END
t 'corrected records put back change nothing' \
	'senti-store query | senti-store put --summary 2>&1 >/dev/null | sed "s/,.seconds.*//"' 0 <<'END'
{"tool":"senti-store","in":3,"out":3,"rejected":0,"stored":0,"unchanged":3
END
t 'another result of the same text keeps the correction' \
	'sed -n "1s/m@1/m@3/p" in.jsonl | senti-store >/dev/null && senti-store query --model m@3' 0 <<'END'
{"id":"1","text":"I love it","source":"a","time":"2024-05-01T10:00:00.500Z","n":1.50,"sentiment":{"label":"negative","corrected":true,"score":0.6369,"model":"m@3"},"version":6}
END
t 'another text drops it' \
	'sed -n "1s/love/like/p" in.jsonl | senti-store >/dev/null && senti-store get 1 | grep -o "sentiment.*"' 0 <<'END'
sentiment":{"label":"positive","score":0.6369,"model":"m@1"},"version":7}
END
t 'a label set back is not a correction' 'senti-store correct 1 negative 1 positive >/dev/null; senti-store query --corrected | ids' 0 <<'END'
3
END
t 'records with id and label correct too' \
	'echo "{\"label\":\"positive\",\"id\":\"2\"}" | senti-store correct --summary 2>&1 | sed "s/,.seconds.*//"' 0 <<'END'
{"id":"2","text":"ÄRGER","source":"b","time":"2024-05-02T00:00:00.000Z","sentiment":{"label":"positive","corrected":true,"score":-0.5,"model":"m@2"},"version":10}
{"tool":"senti-store","in":1,"out":1,"rejected":0,"corrected":1
END
t 'other stores take corrections over' 'senti-store query --corrected |
	senti-store --store sqlite:other.db >/dev/null && senti-store query --corrected --store sqlite:other.db | grep -o "sent.*"' 0 <<'END'
sentiment":{"label":"positive","corrected":true,"score":-0.5,"model":"m@2"},"version":1}
sentiment":{"label":"neutral","corrected":true},"version":2}
END
t 'export writes all, by id, and put takes it into another store' 'echo "{\"id\":\"0\",\"text\":\"first\",\"time\":\"2030-01-01T00:00:00Z\"}" |
	senti-store --store sqlite:other.db >/dev/null
	senti-store export --store sqlite:other.db | ids
	senti-store export --store sqlite:other.db | sed "s/,.version.:[0-9]*}$/}/" >exported
	senti-store put --store sqlite:restored.db exported >/dev/null
	senti-store export -b 1 --store sqlite:restored.db | sed "s/,.version.:[0-9]*}$/}/" | cmp - exported' 0 <<'END'
0 2 3
END
t 'delete passes the id on' 'senti-store delete 3' 0 <<'END'
{"id":"3"}
END
t 'and finds it once' 'senti-store delete 3 2>/dev/null' 1
t 'stats are a line of JSON in a pipe' 'senti-store stats' 0 <<'END'
{"messages":2,"positive":2,"neutral":0,"negative":0,"unscored":0,"corrected":1,"outbox":11,"readers":0,"version":11,"schema":2}
END
t 'prune trims the outbox when nobody reads it' 'senti-store prune && senti-store prune' 0 <<'END'
{"pruned":11}
{"pruned":0}
END
t 'migrate makes a store, and tells its schema' 'senti-store migrate --store sqlite:new.db && test -s new.db' 0 <<'END'
{"schema":2}
END
# What SQL can put into a row and a record cannot hold.
ok 'rows of all kinds' sh -c 'echo "{\"id\":\"n\",\"text\":\"x\"}" | senti-store --store sqlite:odd.db >/dev/null'
if command -v sqlite3 >/dev/null; then
	sqlite3 odd.db "UPDATE message SET label = 'positive', text = 'a' || char(0) || 'b', extra = '{\"n\":[1,' || char(13) || char(10) || '2]}',
		sentiment = '{\"label\":' || char(10) || '\"positive\"}' || char(10)"
	t 'JSON that spans lines in its column is exported on one, and NUL as U+FFFD; put takes it' 'senti-store export --store sqlite:odd.db | tee odd |
		senti-store put --store sqlite:odd2.db >/dev/null && cat odd' 0 <<-'END'
	{"id":"n","text":"a�b","n":[1,  2],"sentiment":{"label": "positive"} ,"version":2}
	END
	sqlite3 odd.db "DROP TRIGGER message_insert; INSERT INTO message (id, text) VALUES (x'31', 'x')"
	t 'an id that nothing is equal to ends an export, aloud' 'senti-store export --store sqlite:odd.db >/dev/null' 3 <<-'END'
	--- stderr
	senti-store: the store gives message '1' again and again: its id is not text
	END
fi
t 'of one id in a batch the last wins, and all get its version' \
	'printf "%s\n" "{\"id\":\"d\",\"text\":\"a\"}" "{\"id\":\"d\",\"text\":\"b\"}" | senti-store --store sqlite:d.db;
	senti-store get d --store sqlite:d.db' 0 <<'END'
{"id":"d","text":"a","version":1}
{"id":"d","text":"b","version":1}
{"id":"d","text":"b","version":1}
END
t 'a record without id gets a UUID' \
	'echo "{\"text\":\"x\"}" | senti-store --store sqlite:u.db | grep -cE "^.\"text\":\"x\",\"id\":\"[0-9a-f-]{36}\",\"version\":1}$"' 0 <<'END'
1
END
t 'hostile text stays text' "printf '%s\\n' '{\"id\":\"\\u0027); DROP TABLE message; --\",\"text\":\"\\u0027; --\"}' |
	senti-store --store sqlite:h.db && senti-store query --text \"'; --\" --store sqlite:h.db | grep -c DROP" 0 <<'END'
{"id":"\u0027); DROP TABLE message; --","text":"\u0027; --","version":1}
1
END
t 'the store of the environment is taken' 'SENTI_STORE=sqlite:h.db senti-store stats | cut -c1-13' 0 <<'END'
{"messages":1
END

cat >bad.jsonl <<'END'
{"id":"a","text":"x","time":"yesterday"}
{"id":7,"text":"x"}
{"id":"","text":"x"}
{"id":"a"}
{"id":"a","text":"x","sentiment":5}
{"id":"a","text":"x","sentiment":{"label":"great"}}
{"id":"a","text":"x","sentiment":{"label":"neutral","score":"high"}}
{"id":"a",
END
t 'bad records are rejected, each for its reason' \
	'senti-store --store sqlite:bad.db bad.jsonl 2>&1 | sed "s/.*code\":\"\([a-z_]*\).*\"line\":\([0-9]*\).*/\2 \1/"' 0 <<'END'
1 bad_time
2 bad_id
3 no_id
4 no_text
5 bad_sentiment
6 bad_label
7 bad_sentiment
8 bad_json
END
t 'with status 1' 'senti-store --store sqlite:bad.db bad.jsonl 2>/dev/null' 1

usage() { t "usage: $1" "senti-store $1 2>&1 | sed 1q" 0; }
usage '--store mysql://me:secret@localhost/x stats' <<'END'
senti-store: 'mysql://me:***@localhost/x' is not a store that this build knows; it takes PATH, sqlite:PATH, postgresql://USER@HOST/DATABASE
END
usage '--store sqlite: stats' <<'END'
senti-store: 'sqlite:' names no file; it is sqlite:PATH
END
usage '--store postgresql://me:sec%ret@localhost/x?password=x stats' <<'END'
senti-store: 'postgresql://me:***@localhost/x' is not an address that libpq understands; it is postgresql://user@host:port/database, other characters as %XX
END
usage '--store postgresql://me:sec@ret@localhost/x stats' <<'END'
senti-store: the store's address has two '@' before its path: write one in a password as %40
END
t 'a server that is not there' 'senti-store --store postgresql://me:secret@127.0.0.1:1/x stats 2>/dev/null' 3 <<'END'
END
ok 'is named, with no password' sh -c 'senti-store --store postgresql://me:secret@127.0.0.1:1/x stats 2>err; grep "cannot reach database .x. on 127.0.0.1:1: .*refused" err && ! grep secret err'
t 'a plain path is a file' 'senti-store migrate --store plain.db && test -s plain.db' 0 <<'END'
{"schema":2}
END
usage 'query --label great' <<'END'
senti-store: a label is positive, neutral or negative, not 'great'
END
usage 'query --since yesterday' <<'END'
senti-store: --since takes a time such as 2024-05-01T12:00:00Z or 2024-05-01, not 'yesterday'
END
usage 'query --order up' <<'END'
senti-store: --order takes oldest, newest, id, score or -score, not 'up'
END
usage 'query --after nobody' <<'END'
senti-store: --after: no message has the id 'nobody' (any more); --since goes on from a time
END
usage 'export --label positive' <<'END'
senti-store: --label belongs to query and stats, not to export
END
usage 'query file' <<'END'
senti-store: unexpected operand 'file': query takes no operands
END
usage 'get --label positive' <<'END'
senti-store: --label belongs to query and stats, not to get
END
usage 'query --dead 7d' <<'END'
senti-store: --dead belongs to prune, not to query
END
usage 'prune --dead never' <<'END'
senti-store: --dead takes a duration such as 90s, 30m, 12h or 7d, not 'never'
END
usage 'correct 1' <<'END'
senti-store: correct takes an ID and a LABEL
END
usage 'correct 1 great' <<'END'
senti-store: a label is positive, neutral or negative, not 'great'
END
usage 'put -i in.jsonl in.jsonl' <<'END'
senti-store: -i in.jsonl and operands exclude each other
END
usage 'stats --store sqlite::memory:' <<'END'
senti-store: a store in memory is always empty at the start; name a file, as in --store sqlite:senti.db
END
printf '{"id":"a","text":"x"}\n' >in.memory
t 'what is put into memory comes out' 'senti-store put --store sqlite::memory: in.memory 2>said && grep nothing said' 0 <<'END'
{"id":"a","text":"x","version":1}
senti-store: warning: the store is in memory: nothing is kept when this ends
END
t 'a usage error is status 2' 'senti-store query --label great 2>/dev/null' 2

finish
