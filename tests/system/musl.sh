#!/bin/sh
# The filters as static programs of musl: they need no other file, score every text as the others do, to the last bit, and pass the filters' own tests.
# seconds: 40
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"

need 'static filters' musl-gcc readelf || finish
ok 'make musl' env -u MAKEFLAGS make -s -j2 -C "$root" BUILD="$T/build" musl
static=$T/build-musl/bin
t 'these are all' "ls '$static'" 0 <<'END'
senti-eval
senti-score
senti-window
END
# alone PROGRAM: names neither a loader nor a library.
alone() { ! readelf -ld "$1" | grep -E 'INTERP|NEEDED'; }
for tool in "$static"/*; do
	ok "${tool##*/} needs no library" alone "$tool"
done
# The rated texts, where they were fetched; and those that the packages and we are compared by.
cut -f 3- "$root"/build/vaderSentiment-*/additional_resources/hutto_ICWSM_2014/*_GroundTruth.txt 2>/dev/null >texts
jq -r '.text | strings' "$root"/tests/golden/*.jsonl | tr -d '\000' >>texts
t 'there are texts' '[ "$(wc -l <texts)" -gt 3000 ]' 0
for model in $(senti-score --models | cut -d ' ' -f 1) afinn:da+emoticons; do
	senti-score -t -m "$model" texts >want
	for jobs in 1 4; do
		"$static/senti-score" -t -j "$jobs" -m "$model" texts >got
		ok "$model, -j $jobs: the same bytes" cmp want got
	done
done
# The filters' own tests, with the static ones in the others' place.
mkdir bin
ln -s "$SENTI_BIN"/* bin
ln -sf "$static"/* bin
for name in golden engines filter window eval; do
	ok "tests/cli/$name.sh" env SENTI_BIN="$T/bin" sh "$root/tests/cli/$name.sh"
done
t 'without libraries there are no metrics' "'$static/senti-score' --metrics 127.0.0.1:0 -e x" 3 <<'END'
--- stderr
senti-score: --metrics needs libmicrohttpd (Debian: libmicrohttpd12): Dynamic loading not supported
END
finish
