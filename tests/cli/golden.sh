#!/bin/sh
# senti-score gives each text of tests/golden/vader.jsonl the scores that stand beside it.
. "$(dirname "$0")/lib.sh"
need 'the golden table' jq || finish
golden=$root/tests/golden/vader.jsonl

# The records carry what is expected of them through senti-score. Numbers are compared as such: -0.0 is 0.
cat >differs.jq <<'EOF'
def label_of: if . >= 0.05 then "positive" elif . <= -0.05 then "negative" else "neutral" end;
select((.sentiment | [.label, .score, .pos, .neu, .neg]) != (.expect | [(.compound | label_of), .compound, .pos, .neu, .neg]))
EOF

as_many() {
	[ "$(wc -l <"$golden")" -gt 2000 ] && [ "$(wc -l <"$1")" -eq "$(wc -l <"$golden")" ]
}

none_differs() {
	jq -c -f differs.jq "$1" >wrong || return 1
	head -n 10 wrong
	! [ -s wrong ]
}

score() {
	senti-score "$@" <"$golden" >out
}

ok 'senti-score takes all texts' score
ok 'as many come out' as_many out
ok 'label and scores are as expected' none_differs out
ok 'senti-score takes them with --explain' score --explain
ok 'as many come out with --explain' as_many out
ok '--explain changes no score' none_differs out
finish
