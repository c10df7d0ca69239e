#!/bin/sh
# The recipes of senti-recipes(7), block by block in their order, as they stand in the page: run in one folder by bash -e -o pipefail.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir .block
awk -v dir="$T/.block/" '
	/^\.Sh / { section = tolower(substr($0, 5)); gsub(/[^a-z]+/, "-", section); n = 0; next }
	/^\.Bd -literal/ { inside = 1; file = dir section "." ++n; next }
	/^\.Ed$/ { inside = 0; next }
	inside { gsub(/\\e/, "\\"); print > file }' "$root/man/senti-recipes.7"

# block NAME: runs it; its stdout is in said. What bash is told is what a reader pastes.
block() {
	echo "$1" >>.run
	bash -e -o pipefail -c "$(cat ".block/$1")" >said
}

cat >reviews.csv <<'END'
date,product,review
2024-04-30T10:00:00Z,chair,I love it
2024-05-01T10:00:00Z,chair,"=terrible, really terrible"
2024-05-01T12:00:00Z,lamp,It is a lamp.
2024-05-02T10:00:00Z,lamp,good
2020-01-01T10:00:00Z,lamp,old and bad
END

# --- spreadsheet to chart ---
ok 'a spreadsheet becomes a store' block spreadsheet-to-chart.1
ok 'tables' block spreadsheet-to-chart.2
t 'the trend' 'cat trend.csv' 0 <<'END'
product,month,count,mean,stdev,positive,neutral,negative
lamp,2020-01,1,-0.5423,0,0,0,1
chair,2024-04,1,0.6369,0,1,0,0
lamp,2024-05,2,0.2202,0.2202,1,1,0
chair,2024-05,1,-0.7574,0,0,0,1
END
t 'the worst' 'head -n 3 worst.csv' 0 <<'END'
product,score,text
chair,-0.7574,"'=terrible, really terrible"
lamp,-0.5423,old and bad
END
ok 'all' eval '[ "$(wc -l <all.csv)" = 6 ] && head -n 1 all.csv | grep -q "^id,time,source,text,product,label,score,"'
ok 'a chart' block spreadsheet-to-chart.3
ok 'of three months' test "$(wc -l <said)" = 3
ok 'without a store' block spreadsheet-to-chart.4
ok 'a scored table' eval '[ "$(wc -l <scored.csv)" = 6 ] && sed -n 1p scored.csv | grep -q "product,label,score"'

# --- watch and alert ---
feedback() { # feedback HOUR TEXT: three texts of that hour
	for i in 1 2 3; do
		printf '{"id":"%s-%s","time":"2024-05-01T%s:0%s:00Z","text":"%s"}\n' "$1" "$i" "$1" "$i" "$2" >>feedback.jsonl
	done
}
watch() { # until the file has so many alerts; then it is stopped as systemd does
	echo watch-and-alert.1 >>.run
	setsid bash -e -o pipefail -c "$(cat .block/watch-and-alert.1)" 2>watched &
	watcher=$!
	wait_for "[ \"\$(cat alerts.jsonl 2>/dev/null | wc -l)\" -ge $1 ]"
	kill -TERM "-$watcher"
	wait "$watcher"
	while kill -0 "-$watcher" 2>/dev/null; do sleep 0.05; done # it has left with all it started
}
starts() { jq -r .start alerts.jsonl | paste -sd ' '; }
feedback 10 'terrible'
feedback 11 'it is so'
watch 1
t 'an hour that is bad raises an alert' starts 0 <<'END'
2024-05-01T10:00:00.000Z
END
feedback 12 'I love it'
feedback 13 'terrible'
feedback 14 'I love it'
watch 2
t 'after a restart the next one does, and none is repeated' starts 0 <<'END'
2024-05-01T10:00:00.000Z 2024-05-01T13:00:00.000Z
END

# --- rolling mean ---
ok 'a rolling mean' block rolling-mean.1
t 'of seven days each' 'grep -c . rolling.csv; grep 2024-05-03 rolling.csv' 0 <<'END'
16
"2024-05-03",4,0.079975
END

# --- a report by mail ---
mkdir bin
# shellcheck disable=SC2016
printf '%s\n' '#!/bin/sh' '[ "$*" = -t ] && cat >"$T/mail"' >bin/sendmail
chmod +x bin/sendmail
export T
report() { PATH=$T/bin:$PATH day=2024-05-01 block daily-report-by-mail.1; }
ok 'a report by mail' report
t 'is this' 'cat mail' 0 <<'END'
To: team@example.org
Subject: Sentiment of 2024-05-01
Content-Type: text/plain; charset=utf-8

| product | count | mean | stdev | positive | neutral | negative |
| --- | --- | --- | --- | --- | --- | --- |
| chair | 1 | -0.7574 | 0 | 0 | 0 | 1 |
| lamp | 1 | 0 | 0 | 0 | 1 | 0 |

| score | product | text |
| --- | --- | --- |
| -0.7574 | chair | =terrible, really terrible |
| 0 | lamp | It is a lamp. |
END

# --- an Airflow task ---
cp reviews.csv 2024-05-04.csv
export DS=2024-05-04
ok 'a task' block airflow-task.1
head -n 1 reviews.csv >2024-05-05.csv
DS=2024-05-05
t 'a day without rows is skipped' 'block airflow-task.1' 99 </dev/null
DS=2024-05-06
t 'a day without a file fails' 'block airflow-task.1 2>/dev/null' 3 </dev/null
t 'the first day again: nothing changes' 'DS=2024-05-04; senti-store stats | jq .version; block airflow-task.1; senti-store stats | jq .version' 0 <<'END'
10
10
END

# --- retention ---
if need 'retention' sqlite3; then
	ok 'retention' block retention.1
	ok 'what is old has gone, also from the file' eval '[ "$(senti-store query --until 2024-01-01)" = "" ] && ! grep -q "old and bad" senti.db'
fi

# --- the rest of a store's life: reviews of these days for it ---
senti-ingest -F csv --text review --time date reviews.csv | senti-score | senti-store put >stored.jsonl
ok 'a back-up' block back-up-and-restore.1
ok 'put into a new store, it is alike' block back-up-and-restore.2
if need 'an upgrade' sqlite3; then
	ok 'an upgrade' block upgrade.1
	ok 'says the schema, and there is a copy' eval 'jq -e ".schema >= 2" said && sqlite3 before.db "PRAGMA integrity_check" | grep -qx ok'
fi
senti-store query --limit 1 | jq -c '{id, label: "neutral"}' | senti-store correct >stored.jsonl
ok 'another model' block another-model.1
t 'has scored all; corrections stay' 'senti-store stats --by model | jq -r .key | cut -d - -f 1; senti-store query --corrected | jq -r .sentiment.label' 0 <<'END'
plus
neutral
END
ok 'against corrections' block another-model.2
ok 'both have a column' eval 'head -n 1 said | grep -q "vader.*plus"'

# --- from Python ---
printf '%s\n' 'VADER is smart, handsome, and funny!' 'The book was only kind of good.' >texts.txt
ok "from Python's VADER" block from-python-s-vader.1
t 'what its documentation shows' 'cat said' 0 <<'END'
{"neg":0,"neu":0.248,"pos":0.752,"compound":0.8439}
{"neg":0,"neu":0.697,"pos":0.303,"compound":0.3832}
END
ok 'a column of a table' block from-python-s-vader.2
ok 'with scores and labels' eval 'sed -n 2p said | grep -qx "I love it,0.6369,positive"'
ok 'words of an own lexicon' block from-python-s-vader.3
ok 'score' eval 'jq -e ".sentiment.score != 0" said'

# --- a chat ---
printf '%s\n' '01/05/2024, 10:00 - Messages are end-to-end encrypted.' '01/05/2024, 10:01 - Ann: I love it' '13/05/2024, 22:05 - Bob: Terrible:' \
	'' 'really terrible' '14/05/2024, 09:00 - Ann: It is good' >chat.txt
ok 'a chat becomes a store' block chat-export.1
t 'with messages of several lines' 'senti-store query --source chat.txt | jq -c "[.time, .author, .text]"' 0 <<'END'
["2024-05-01T10:01:00.000Z","Ann","I love it"]
["2024-05-13T22:05:00.000Z","Bob","Terrible:\n\nreally terrible"]
["2024-05-14T09:00:00.000Z","Ann","It is good"]
END
t 'and who means it how' 'cat said' 0 <<'END'
author,count,mean,stdev,positive,neutral,negative
Ann,2,0.53865,0.09825,2,0,0
Bob,1,-0.7574,0,0,0,1
END

every_block() {
	rm -f .block/erase-* # which need servers: tests/live/erase.py
	ls .block >all
	sort -u .run | diff all -
}
ok 'no block is left out' every_block
finish
