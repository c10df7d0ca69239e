#!/bin/sh
# senti-score gives each text of tests/golden/vader.jsonl the scores that stand beside it. Prints TAP; needs jq.
set -u
golden=$(cd "$(dirname "$0")/../golden" && pwd)/vader.jsonl
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result STATUS NUMBER NAME
	if [ "$1" -eq 0 ]; then
		echo "ok $2 - $3"
	else
		echo "not ok $2 - $3"
		failed=1
	fi
}

# The records carry what is expected of them through senti-score. Numbers are compared as such: -0.0 is 0.
cat >"$dir/differs.jq" <<'EOF'
def label_of: if . >= 0.05 then "positive" elif . <= -0.05 then "negative" else "neutral" end;
select((.sentiment | [.label, .score, .pos, .neu, .neg]) != (.expect | [(.compound | label_of), .compound, .pos, .neu, .neg]))
EOF

echo 1..3
senti-score <"$golden" >"$dir/out" 2>"$dir/err"
status=$?
result $status 1 "senti-score takes all of them"
[ $status -eq 0 ] || sed 's/^/# /' "$dir/err"

lines=$(wc -l <"$golden")
[ "$lines" -gt 2000 ] && [ "$(wc -l <"$dir/out")" -eq "$lines" ]
result $? 2 "$lines texts in, as many out"

jq -c -f "$dir/differs.jq" "$dir/out" >"$dir/wrong" 2>"$dir/err" && ! [ -s "$dir/wrong" ]
result $? 3 "label and scores are as expected ($(wc -l <"$dir/wrong") differ)"
head -n 10 "$dir/wrong" | sed 's/^/# /'
sed 's/^/# /' "$dir/err"
exit $failed
