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
report='{"n":6,"accuracy":0.666667,"macro_f1":0.666667,"macro_recall":0.666667,"ece":X,"pearson":null,"rated":0,"per_class":{"negative":{"precision":1,"recall":0.5,"f1":0.666667,"support":2},"neutral":{"precision":1,"recall":0.5,"f1":0.666667,"support":2},"positive":{"precision":0.5,"recall":1,"f1":0.666667,"support":2}},"confusion":{"negative":{"negative":1,"neutral":0,"positive":1},"neutral":{"negative":0,"neutral":1,"positive":1},"positive":{"negative":0,"neutral":0,"positive":2}}}'
figures() { sed -e 's/"model":"[^"]*",//' -e 's/"ece":[0-9.]*/"ece":X/'; }
same() { [ "$(figures <"$1")" = "$report" ]; }

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

t 'ratings are correlated with scores' '
	printf "{\"label\":%s,\"sentiment\":{\"label\":\"neutral\",\"score\":%s}}\n" 1 0.1 2 0.2 3 0.2 4 0.5 | senti-eval --json |
	sed "s/.*\(\"n\".*\),\"per_class.*/\1/"' 0 <<'END'
"n":0,"accuracy":null,"macro_f1":null,"macro_recall":null,"ece":null,"pearson":0.894427,"rated":4
END

t 'with two classes the sign of the score decides' '
	printf "{\"label\":\"%s\",\"sentiment\":{\"label\":\"neutral\",\"score\":%s}}\n" positive 0.01 negative 0 negative -1 positive 0 |
	senti-eval --json --two | sed "s/.*\(\"n\".*\),\"ece.*confusion/\1/"' 0 <<'END'
"n":4,"accuracy":0.75,"macro_f1":0.733333,"macro_recall":0.75":{"negative":{"negative":2,"neutral":0,"positive":0},"neutral":{"negative":0,"neutral":0,"positive":0},"positive":{"negative":1,"neutral":0,"positive":1}}}
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
records                        6
accuracy                  0.6667
macro F1                  0.6667
macro recall              0.6667
positive precision        0.5000
positive recall           1.0000
neutral precision         1.0000
neutral recall            0.5000
negative precision        1.0000
negative recall           0.5000

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
