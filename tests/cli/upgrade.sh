#!/bin/sh
# What an earlier version has kept, commit 804c50c of tests/upgrade: its database is upgraded, its model file scores; and a newer database is refused.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

old=$root/tests/upgrade
gzip -dc "$old/store.db.gz" >senti.db
gzip -dc "$old/model.senti.gz" >model.senti

# --- the database ---
cp senti.db before.db
t 'verbs that read refuse the older tables, and say what to do' 'senti-store query 2>&1 | grep -o "senti-store migrate brings it up to date"; senti-store -q query 2>/dev/null; s=$?; cmp senti.db before.db && exit $s' 3 <<'END'
senti-store migrate brings it up to date
END
ok 'migrate upgrades them' eval 'senti-store migrate | jq -e ".schema >= 2"'
ok 'all rows are as they were' eval 'senti-store export | diff "$old/export.jsonl" -'
ok 'a second time it changes nothing' eval 'senti-store stats >a; senti-store migrate >said; senti-store stats | diff a - && senti-store export | diff "$old/export.jsonl" -'
t 'filters, orders and groups find them' 'senti-store query --corrected | jq -r .id; senti-store query --unscored | jq -r .id; senti-store query --order score | jq -r .id | paste -sd " "; senti-store stats --by source --format csv --columns source,count' 0 <<'END'
b
u
b c e a u
source,count
shop,2
,2
mail,1
END
t 'versions go on' 'echo "{\"id\":\"n\",\"text\":\"new\"}" | senti-store put | jq .version' 0 <<'END'
10
END
t 'a correction stays' 'senti-store get b | senti-score --force | senti-store put >stored; senti-store get b | jq -c "[.version > 9, .sentiment.label]"' 0 <<'END'
[true,"neutral"]
END
senti-store query --not-model "$(senti-score -e x | jq -r .sentiment.model)" | senti-score | senti-store put >stored
t 'old models are scored again' 'senti-store stats --by model | jq -r .key | cut -c 1-6' 0 <<'END'
vader-
END
cp before.db direct.db
ok 'putting upgrades, too' eval 'echo "{\"id\":\"n\",\"text\":\"new\"}" | senti-store put --store sqlite:direct.db | jq -e ".version == 10" && senti-store query --store sqlite:direct.db --limit 1'

# --- a newer one ---
if need 'a newer database' sqlite3; then
	sqlite3 senti.db "INSERT INTO migration SELECT 99, 'later', checksum, applied_at FROM migration LIMIT 1"
	cp senti.db newer.db
	for verb in 'query' 'stats' 'put' 'migrate' 'delete x' 'export'; do
		t "a newer database is refused: $verb" "echo '{\"id\":\"z\",\"text\":\"z\"}' | senti-store -q $verb >said 2>told; s=\$?; grep -c 'newer\|another version\|99' told; cmp senti.db newer.db; exit \$s" 3 <<'END'
1
END
	done
fi

# --- the model file ---
scores() { senti-score -m "$1" texts.jsonl | jq -c '[.text, .sentiment.label, .sentiment.score]'; }
jq -c '{text: .[0]}' "$old/scores.jsonl" >texts.jsonl
ok 'a model file scores as it did' eval 'scores ./model.senti | diff "$old/scores.jsonl" -'
cp model.senti later.senti
printf '\003' | dd of=later.senti bs=1 seek=16 conv=notrunc 2>told
t 'one of a later format is refused' 'senti-score -m ./later.senti -e x 2>&1; senti-score -q -m ./later.senti -e x 2>told' 3 <<'END'
senti-score: model file './later.senti' has format 3, this senti reads 2: train it again
END
finish
