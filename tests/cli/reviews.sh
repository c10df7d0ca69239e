#!/bin/sh
# Reviews as shops export them (tests/bench/reviews.py) load with one command, and none is lost or spoilt. The benchmark ingest loads 100,000.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

need 'reviews' python3 jq || finish
python3 "$root/tests/bench/reviews.py" 20000 >reviews.csv
python3 "$root/tests/bench/reviews.py" --clean 20000 >clean.csv
load() { senti-ingest --text text --time date --encoding utf-8,windows-1252 --unescape html --source shop "$@" reviews.csv; }
t '20,000 reviews: dates of the United States, two encodings, rows over lines, HTML, equal ids: no reject' 'load --summary 2>&1 >loaded | grep -o "\"in\":.*\"rejected\":[0-9]*"' 0 <<'END'
"in":20000,"out":20000,"rejected":0
END
# The same reviews without all that; their texts differ in the kind of their white space alone.
plain='[.id, .product, .rating, .time[:10], .title, (.text | gsub("\n"; " "))]'
senti-ingest --time date --source shop clean.csv | jq -c "$plain" >wanted
ok 'and every one is what its author wrote' sh -c "jq -c '$plain' loaded | cmp - wanted"
# Not under a sanitizer, whose own memory counts too.
# shellcheck disable=SC3045
if ! sanitized && (ulimit -v 65536) 2>/dev/null; then
	t 'in 64 MiB' '(ulimit -v 65536; load | cmp - loaded)' 0
fi

finish
