#!/bin/sh
# senti-eval: labels, figures, gates, and what it rejects.
. "$(dirname "$0")/lib.sh"

cat >six.jsonl <<'END'
{"text":"I love it","label":"positive"}
{"text":"good","label":"positive"}
{"text":"I hate it","label":"negative"}
{"text":"terrible, but good","label":"negative"}
{"text":"a table","label":"neutral"}
{"text":"a nice table","label":"neutral"}
END
# Of the six VADER gets "terrible, but good" (positive to it) and "a nice table" (positive) wrong.
report='{"duplicates":0,"conflicts":0,"n":6,"accuracy":0.666667,"accuracy_ci95":[0.25,1],"macro_f1":0.666667,"macro_f1_ci95":[0.166667,1],"macro_recall":0.666667,"ece":X,"pearson":null,"rated":0,"per_class":{"negative":{"precision":1,"recall":0.5,"f1":0.666667,"support":2},"neutral":{"precision":1,"recall":0.5,"f1":0.666667,"support":2},"positive":{"precision":0.5,"recall":1,"f1":0.666667,"support":2}},"confusion":{"negative":{"negative":1,"neutral":0,"positive":1},"neutral":{"negative":0,"neutral":1,"positive":1},"positive":{"negative":0,"neutral":0,"positive":2}}}'
figures() { sed -e 's/"model":"[^"]*",//' -e 's/"ece":[0-9.]*/"ece":X/'; }
same() { [ "$(figures <"$1")" = "$report" ]; }
same_but_copies() { [ "$(figures <"$1" | sed 's/"duplicates":7,"conflicts":1/"duplicates":0,"conflicts":0/')" = "$report" ]; }

senti-eval --json -m vader six.jsonl >got
ok 'the figures of six records' same got
senti-score six.jsonl | senti-eval --json >got
ok 'results that records carry give the same' same got
senti-score --into vader six.jsonl | senti-eval --json --result vader >got
ok 'also in another member' same got
senti-eval --json -m vader -m vader six.jsonl >got
ok 'two models give two lines' test "$(wc -l <got)" -eq 2
sed -e 's/"label"/"gold"/' -e 's/"text"/"body"/' six.jsonl | senti-eval --json -m vader --label gold -f body >got
ok 'label and text from other members' same got
sed -e 's/"label":"positive"/"label":4/' -e 's/"label":"negative"/"label":"0"/' six.jsonl |
	senti-eval --json -m vader --map 4=positive --map 0=negative | sed -e 's/"pearson":[-0-9.]*,"rated":4/"pearson":null,"rated":0/' >got
ok 'labels that are renamed' same got
sed -e 's/"label":\("[a-z]*"\)/"sentiment":{"label":\1,"corrected":true}/' six.jsonl | senti-eval --json -m vader >got
ok 'the label of a result stands in for a missing one' same got

# --- copies of a text ---
{ cat six.jsonl six.jsonl; echo '{"text":"i  LOVE it","label":"neutral"}'; } >copies.jsonl
t 'copies of a text are counted' 'senti-eval --json -m vader copies.jsonl | jq -c "[.n,.duplicates,.conflicts]"; senti-eval --json -m vader --dedupe copies.jsonl | jq -c "[.n,.duplicates,.conflicts]"' 0 <<'END'
[13,7,1]
[6,7,1]
END
ok 'and said in the text' eval 'senti-eval -m vader copies.jsonl | grep -q "^copies of a text  *7$" && senti-eval --dedupe -m vader copies.jsonl | grep -q "^copies left out  *7$"'
senti-eval --json -m vader --dedupe copies.jsonl >got
ok 'left out, they change nothing' same_but_copies got
ok 'nor do they pass for evidence: intervals are as wide' eval 'cat six.jsonl six.jsonl six.jsonl | senti-eval --json -m vader | jq -c "[.accuracy_ci95,.macro_f1_ci95]" >a; senti-eval --json -m vader six.jsonl | jq -c "[.accuracy_ci95,.macro_f1_ci95]" >b; cmp a b'

# --- confidence intervals ---
# 400 texts of which 319 are right: the deviation is sqrt(0.7975 * 0.2025 / 400) = 0.0201, so the interval is about 0.7975 - 0.0394 to 0.7975 + 0.0394.
awk 'BEGIN { for (i = 0; i < 400; i++) printf "{\"text\":\"%s %d\",\"label\":\"%s\"}\n", i % 2 ? "good" : "bad", i, (i % 2) == (i % 5 != 0) ? "positive" : "negative" }' >four.jsonl
export interval='.accuracy_ci95 as [$low, $high] | ($low > 0.75 and $low < 0.772 and $high > 0.828 and $high < 0.85)'
ok 'the interval of 400 texts' eval 'senti-eval --json -m vader four.jsonl | jq -e ".accuracy == 0.7975 and ($interval)"'
ok 'with any seed' eval 'for seed in 2 3 4 5; do senti-eval --json --seed $seed -m vader four.jsonl | jq -e "$interval" || exit 1; done'
ok 'one seed, one interval, in whatever order' eval 'sort -R four.jsonl | senti-eval --json -m vader >a; senti-eval --json -m vader four.jsonl >b; cmp a b; senti-eval --json --seed 2 -m vader four.jsonl >c; ! cmp -s b c'
t 'records without texts have intervals, too' 'senti-score four.jsonl | jq -c "del(.text)" | senti-eval --json | jq "$interval"' 0 <<'END'
true
END

# --- names of trained models ---
senti-train -q -o one.senti four.jsonl >said
senti-train -q -o two.senti --seed 2 four.jsonl >said
t 'a column bears the name of the file' 'senti-eval -m one.senti -m ./two.senti -m vader four.jsonl | head -n 1 | tr -s " " | sed "s/@.*/@X/"; senti-eval -m one.senti four.jsonl | sed -n "s/@[0-9a-f]*)/@X)/; s/: labelled.*//p"' 0 <<'END'
 one.senti ./two.senti vader-3.3.2@X
one.senti (linear-2@X)
END
ok 'JSON has both' eval 'senti-eval --json -m one.senti -m vader four.jsonl | jq -s -e ".[0].file == \"one.senti\" and (.[0].model | startswith(\"linear-2@\")) and .[1].file == null"'

t 'numbers are labels by value, and blanks do not count' 'printf "{\"text\":\"good\",\"label\":%s}\n" 5 5.0 "\"5\"" "\" 5.00 \"" "\" positive\"" "\"very good \"" | senti-eval --json -m vader --map " 5.0 = positive, very good=positive" | jq -c "[.n,.accuracy]"' 0 <<'END'
[6,1]
END
t 'one number, renamed twice' 'senti-eval --map 5=positive,5.0=negative' 2 <<'END'
--- stderr
senti-eval: --map renames '5.0' twice
try 'senti-eval --help'
END

t 'ratings are correlated with scores' '
	printf "{\"label\":%s,\"sentiment\":{\"label\":\"neutral\",\"score\":%s}}\n" 1 0.1 2 0.2 3 0.2 4 0.5 | senti-eval --json |
	sed "s/.*\(\"n\".*\),\"per_class.*/\1/"' 0 <<'END'
"n":0,"accuracy":null,"accuracy_ci95":[null,null],"macro_f1":null,"macro_f1_ci95":[null,null],"macro_recall":null,"ece":null,"pearson":0.894427,"rated":4
END

t 'with two classes the sign of the score decides' '
	printf "{\"label\":\"%s\",\"sentiment\":{\"label\":\"neutral\",\"score\":%s}}\n" positive 0.01 negative 0 negative -1 positive 0 |
	senti-eval --json --two | sed "s/.*\(\"n\".*\),\"ece.*confusion/\1/"' 0 <<'END'
"n":4,"accuracy":0.75,"accuracy_ci95":[0,1],"macro_f1":0.733333,"macro_f1_ci95":[0,1],"macro_recall":0.75":{"negative":{"negative":2,"neutral":0,"positive":0},"neutral":{"negative":0,"neutral":0,"positive":0},"positive":{"negative":1,"neutral":0,"positive":1}}}
END

t 'unknown labels are rejected' '
	printf "%s\n" "{\"text\":\"a\",\"label\":\"bad\"}" "{\"text\":\"a\"}" "{\"text\":\"a\",\"label\":null}" "{\"label\":\"neutral\"}" |
	senti-eval -m vader --json >out; sed "s/.*\(\"n\":0\).*/\1/" out; exit 1' 1 <<'END'
"n":0
--- stderr
{"error":{"code":"bad_label","message":"the label is \"bad\": neither positive, neutral nor negative (--map renames)","tool":"senti-eval","line":1},"input":"{\"text\":\"a\",\"label\":\"bad\"}"}
{"error":{"code":"bad_label","message":"no member 'label' (--label names another)","tool":"senti-eval","line":2},"input":"{\"text\":\"a\"}"}
{"error":{"code":"bad_label","message":"the label is null: neither positive, neutral nor negative (--map renames)","tool":"senti-eval","line":3},"input":"{\"text\":\"a\",\"label\":null}"}
{"error":{"code":"no_text","message":"no member 'text' (-f names another)","tool":"senti-eval","line":4},"input":"{\"label\":\"neutral\"}"}
END
t 'a record without a result is rejected' 'echo "{\"label\":\"neutral\"}" | senti-eval >out' 1 <<'END'
--- stderr
{"error":{"code":"no_sentiment","message":"no member 'sentiment' (-m MODEL scores the text)","tool":"senti-eval","line":1},"input":"{\"label\":\"neutral\"}"}
END
t 'a result is not its own judge' 'senti-score six.jsonl | sed "s/\"label\":\"[a-z]*\"}*,\"sent/\"x\":1,\"sent/" | senti-eval --reject /dev/null >out' 1 </dev/null

t 'macro F1 reaches the gate' 'senti-eval -m vader --min-f1 0.66 six.jsonl >out' 0 </dev/null
t 'or does not' 'senti-eval -m vader --min-f1 0.67 six.jsonl 2>&1 >out | sed "s/model=[^ ]*/model=M/"; senti-eval -q -m vader --min-f1 0.67 six.jsonl >out 2>&1' 1 <<'END'
senti-eval: macro F1 is below --min-f1 model=M f1=0.6667 min=0.67
END
t 'no record reaches no gate' 'senti-eval -m vader --min-f1 0 >out 2>&1' 1 </dev/null
t 'no record: nothing to tell' 'senti-eval -m vader --json --exit-if-empty >out' 99 </dev/null

t 'the text report' 'senti-score six.jsonl | senti-eval | sed "/calibration/d"' 0 <<'END'
                          sentiment
records                           6
accuracy                     0.6667
  95 % interval       0.2500-1.0000
macro F1                     0.6667
  95 % interval       0.1667-1.0000
macro recall                 0.6667
positive precision           0.5000
positive recall              1.0000
neutral precision            1.0000
neutral recall               0.5000
negative precision           1.0000
negative recall              0.5000

sentiment: labelled (down), predicted (across)
           positive             neutral            negative           
positive          2 ██████████        0                   0           
neutral           1 █████             1 █████             0           
negative          1 █████             0                   1 █████     
END

t 'an unknown model' 'senti-eval -m nosuch six.jsonl 2>&1 | sed "s/are: .*/are: .../"; senti-eval -q -m nosuch 2>/dev/null' 2 <<'END'
senti-eval: unknown model 'nosuch'; known are: ...
try 'senti-eval --help'
END
t 'a map that is none' 'senti-eval --map 4=good' 2 <<'END'
--- stderr
senti-eval: --map takes LABEL=positive, neutral or negative, with commas between, not '4=good'
try 'senti-eval --help'
END
t 'a full disk' 'senti-eval -m vader six.jsonl >/dev/full' 3 <<'END'
--- stderr
senti-eval: cannot write to stdout: No space left on device
END
finish
