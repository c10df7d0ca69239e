#!/bin/sh
# senti-train: what it takes, what it writes, what it refuses; and scoring with its models.
. "$(dirname "$0")/lib.sh"

# Sixty labelled texts that say plainly what they are.
awk 'BEGIN {
	split("awful broken refund hate worst", neg); split("table tuesday box report plan", neu); split("lovely superb thanks love best", pos)
	for (i = 0; i < 60; i++) {
		k = i % 5 + 1
		printf "{\"text\":\"the %s thing %d\",\"label\":\"%s\",\"time\":\"2024-05-01T10:00:%02dZ\"}\n", \
			i % 3 == 0 ? neg[k] : i % 3 == 1 ? neu[k] : pos[k], i, i % 3 == 0 ? "negative" : i % 3 == 1 ? "neutral" : "positive", i
	}
}' >sixty.jsonl

train() { senti-train "$@" >said 2>told; }
score() { senti-score -m "$@" | sed -e 's/.*"label":"\([a-z]*\)".*/\1/'; }

ok 'trains' train -o a.senti sixty.jsonl
ok 'and says nothing but one line about the model' test "$(wc -l <said) $(wc -c <told)" = '1 0'
ok 'the line stands in the file too' grep -qaF "$(cat said)" a.senti
ok 'its date is that of the newest record' grep -q '"date":"2024-05-01T10:00:59.000Z"' said
ok 'trains again' train -o b.senti sixty.jsonl
ok 'same data, same bytes' cmp a.senti b.senti
ok 'from stdin, too' eval 'train -o c.senti <sixty.jsonl && cmp a.senti c.senti'
ok 'with another seed' train -o c.senti --seed 2 sixty.jsonl
ok 'the bytes are others' eval '! cmp -s a.senti c.senti'
ok 'a date from the environment' eval 'SOURCE_DATE_EPOCH=86400 train -o c.senti sixty.jsonl && grep -q "\"date\":\"1970-01-02T00:00:00.000Z\"" said'
ok 'no other file is left' eval 'set -- *.senti*; [ "$*" = "a.senti b.senti c.senti" ]'

t 'scores with it' 'score ./a.senti -e "an awful box" -e "lovely, thanks" -e "the tuesday report"' 0 <<'END'
negative
positive
neutral
END
mv a.senti model
t 'a path is a model, whatever its name' 'score ./model -e lovely && score model -e lovely' 0 <<'END'
positive
positive
END
ok 'the result names the model' eval 'senti-score -m ./model -e lovely | grep -q "\"model\":\"linear-2@[0-9a-f]\{16\}\"}"'
ok 'shares are probabilities' eval 'senti-score -m ./model -e lovely | jq -e ".sentiment|((.neg+.neu+.pos)-1|fabs)<0.001 and (.score-(.pos-.neg)|fabs)<0.001"'
ok 'explains with spans of the text' eval 'senti-score -m ./model --explain -e "the lovely" | jq -e ".sentiment.why|any(.word==\"lovely\" and .at==[4,10] and .value>0)"'
ok 'two threads give the same' eval 'senti-score -m ./model sixty.jsonl >one && senti-score -j2 -m ./model sixty.jsonl >two && cmp one two'
ok 'the empty text has a result' eval 'senti-score -m ./model -e "" | grep -q label'
ok 'evaluates' senti-eval -m ./model --min-f1 0.95 sixty.jsonl

sed -e '/neutral/d' -e 's/"positive"/5/' -e 's/"negative"/"1"/' -e 's/"text"/"body"/' -e 's/"label"/"stars"/' sixty.jsonl >two.jsonl
ok 'two classes, renamed, in members of other names' train -o c.senti -f body --label stars --map 5=positive,1=negative two.jsonl
ok 'no text is neutral then' eval 'senti-score -m ./c.senti -e "the tuesday report" | jq -e ".sentiment.neu==0 and .sentiment.label!=\"neutral\""'
ok 'all options' train -o c.senti --folds 2 --seed 3 --class-weights none --words 1 --letters 0 --no-lexicon --hash-bits 10 --min-texts 1 --cost 2 --lexicon-gain 2 sixty.jsonl
ok 'a small table makes a small file' test "$(wc -c <c.senti)" -lt 8000
ok 'letters and negation' train -o c.senti --letters 2-6 --no-negation --hash-bits 12 sixty.jsonl
ok 'and scores' senti-score -m ./c.senti -e 'not lovely'

# --- copies of a text, and texts to test on ---
for _ in 1 2 3 4 5 6 7 8 9 10; do
	printf '{"text":"%s","label":"%s"}\n' 'abc qwx' positive 'Abc QWX ' positive 'qsd dfg' negative
done >copies.jsonl
copied() { # copied WANT [OPTION...]: what training says of copies
	want=$1
	shift
	senti-train -o c.senti "$@" 2>told | jq -c '[.duplicates, .conflicts, .dedupe, (.classes | add), .held_out.n]' >said
	echo "$want" | diff - said
}
ok 'copies are counted, whatever their case' copied '[28,0,null,30,30]' copies.jsonl
ok 'and said' grep -q 'senti-train: warning: records have the text of an earlier one (--dedupe leaves them out) records=28 of=30 with_another_label=0' told
ok 'and not judged by a model that has seen one' eval 'senti-train -q -o c.senti copies.jsonl | jq -e ".held_out.accuracy < 0.7"'
ok 'each text once' copied '[28,0,true,2,2]' --dedupe copies.jsonl
{ cat copies.jsonl; echo '{"text":"Abc   qwx ","label":"negative"}'; } >conflict.jsonl
ok 'copies with another label' copied '[29,1,null,31,31]' conflict.jsonl
ok 'no copies' copied '[0,0,null,60,60]' sixty.jsonl
ok 'of which nothing is said' test ! -s told
held_out() { senti-train -q -o c.senti "$@" | jq -c '[.held_out.n, .held_out.confusion]'; }
parts() { # the parts depend on the texts, not on where they stand
	sort -R sixty.jsonl >shuffled.jsonl
	held_out shuffled.jsonl >one
	held_out sixty.jsonl | diff - one
}
ok 'records in another order are dealt alike' parts

head -n 20 sixty.jsonl >held.jsonl
tested() {
	senti-train -o c.senti --test held.jsonl sixty.jsonl 2>told | jq -c '[.test.n, .test.left_out, (.classes | add)]' >said
	echo '[20,20,40]' | diff - said && grep -q 'records are left out: the test set has their text records=20 of=60' told
}
ok 'texts of the test set are not learned' tested
ok 'its figures are those of senti-eval' eval 'senti-train -q -o c.senti --test held.jsonl sixty.jsonl | jq -S ".test | del(.data, .left_out, .duplicates)" >a; senti-eval --json -m ./c.senti held.jsonl | jq -S "del(.model, .file, .duplicates, .conflicts)" >b; cmp a b'
t 'a test set without a label' 'echo "{\"text\":\"a\"}" >bad.jsonl; senti-train -o c.senti --test bad.jsonl sixty.jsonl' 3 <<'END'
--- stderr
senti-train: --test 'bad.jsonl', line 1: no member 'label' (--label names another)
END
t 'the model does not replace the test set' 'senti-train -o held.jsonl --test ./held.jsonl sixty.jsonl' 2 <<'END'
--- stderr
senti-train: './held.jsonl' is both the test set and the output
try 'senti-train --help'
END
t 'nothing but the test set' 'senti-train -q -o c.senti --test sixty.jsonl held.jsonl' 3 <<'END'
--- stderr
senti-train: no training record is left: the test set has all their texts
END

t 'records without a label are rejected' 'head -n 30 sixty.jsonl | { cat; echo "{\"text\":\"a\"}"; echo "{\"text\":\"a\",\"label\":3}"; echo "{\"label\":\"neutral\"}"; } |
	senti-train -o c.senti 2>&1 >said | sed "s/,\"tool.*//"' 0 <<'END'
{"error":{"code":"bad_label","message":"no member 'label' (--label names another)"
{"error":{"code":"bad_label","message":"the label is the number 3, which has no class (--map gives it one)"
{"error":{"code":"no_text","message":"no member 'text' (-f names another)"
END
ok 'which shows in the status' eval '{ cat sixty.jsonl; echo "{}"; } | train -o c.senti; [ $? -eq 1 ]'

rm c.senti
t 'no record at all' 'senti-train -o c.senti' 3 <<'END'
--- stderr
senti-train: no usable training record: each needs a text and a label
END
t 'one label only' 'grep positive sixty.jsonl | senti-train -o c.senti' 3 <<'END'
--- stderr
senti-train: nothing to learn: all 20 labelled records have the same label
END
ok 'no file comes of it' test ! -e c.senti
t 'no -o' 'senti-train sixty.jsonl' 2 <<'END'
--- stderr
senti-train: -o FILE is missing: the model to write
try 'senti-train --help'
END
for input in 'sixty.jsonl' '<sixty.jsonl' '-i sixty.jsonl'; do
	t "the model does not replace its records: $input" "senti-train -o ./sixty.jsonl $input" 2 <<'END'
--- stderr
senti-train: './sixty.jsonl' is both input and output
try 'senti-train --help'
END
done
t 'a wrong number of folds' 'senti-train -o c.senti --folds 1' 2 <<'END'
--- stderr
senti-train: --folds takes a number from 2 to 20, not '1'
try 'senti-train --help'
END
t 'a gain that is none' 'senti-train -o c.senti --lexicon-gain 0' 2 <<'END'
--- stderr
senti-train: --lexicon-gain takes a number from 0.01 to 100, not '0'
try 'senti-train --help'
END
t 'a folder that is not there' 'senti-train -o no/c.senti sixty.jsonl 2>&1; senti-train -q -o no/c.senti sixty.jsonl 2>/dev/null' 3 <<'END'
senti-train: cannot make a file beside 'no/c.senti': No such file or directory
END
t 'a full disk' 'senti-train -o /dev/full sixty.jsonl' 3 <<'END'
--- stderr
senti-train: cannot write to /dev/full: No space left on device
END
cp model kept
stop_early() {
	mkfifo pipe
	senti-train -o kept <pipe >said 2>told &
	trainer=$!
	exec 8>pipe
	cat sixty.jsonl - >&8 <<'END'
{"text":"no label"}
END
	wait_for 'grep -q bad_label told' # its reject shows that the signal is expected by now
	kill -TERM "$trainer"
	wait "$trainer"
	stopped=$?
	exec 8>&-
	[ "$stopped" -eq 3 ] && cmp model kept && grep -q 'no model is written' told
}
ok 'stopped before the end of its input it leaves the old model' stop_early

# --- files that are not models ---
head -c 9000 model >cut.senti
: >empty.senti
echo 'no model at all, but long enough for one' >foreign.senti
{ head -c 9000 model; echo x; tail -c +9003 model; } >damaged.senti
t 'truncated' 'senti-score -m ./cut.senti -e a 2>&1 | sed "s/says.*/says N/"; senti-score -q -m ./cut.senti -e a 2>/dev/null' 3 <<'END'
senti-score: model file './cut.senti' is truncated: 9000 bytes where its head says N
END
t 'empty' 'senti-score -m ./empty.senti -e a' 3 <<'END'
--- stderr
senti-score: './empty.senti' is not a model file of senti-train
END
t 'foreign' 'senti-score -m foreign.senti -e a' 3 <<'END'
--- stderr
senti-score: 'foreign.senti' is not a model file of senti-train
END
t 'damaged' 'senti-eval -m damaged.senti' 3 <<'END'
--- stderr
senti-eval: model file 'damaged.senti' is damaged: its checksum does not match
END
t 'not there' 'senti-score -m none.senti -e a' 3 <<'END'
--- stderr
senti-score: cannot open 'none.senti': No such file or directory
END
t 'a folder' 'senti-score -m . -e a' 3 <<'END'
--- stderr
senti-score: cannot read '.': Is a directory
END
echo 'x	3' >my.tsv
t 'a lexicon is layered over what training saw' 'score ./model --lexicon +my.tsv -e "a zork tuesday" -e "a zork tuesday x"; score ./model -e "a zork tuesday x"' 0 <<'END'
neutral
positive
neutral
END
names() { senti-score "$@" -e x | jq -r .sentiment.model; }
other_name() { [ "$(names -m ./model)" != "$(names -m ./model --lexicon +my.tsv)" ] && [ "$(names -m linear)" != "$(names -m linear --lexicon +my.tsv)" ]; }
ok 'which changes the name' other_name
senti-train -o bare.senti --no-lexicon sixty.jsonl >said
t 'a lexicon over a model without' 'senti-score -m ./bare.senti --lexicon +my.tsv -e a' 2 <<'END'
--- stderr
senti-score: --lexicon '+my.tsv': the model './bare.senti' was trained with --no-lexicon
try 'senti-score --help'
END
printf 'a\t1\nA\t2\n' >twice.tsv
t 'a faulty lexicon over it' 'senti-score -m linear --lexicon +twice.tsv -e a' 3 <<'END'
--- stderr
senti-score: twice.tsv:2: 'A' occurs twice in the file
END
t 'explained in another member' 'senti-score -m linear --explain --into own -e "I love it" | jq -c "[(.own.why|length>0), .sentiment]"' 0 <<'END'
[true,null]
END
t 'the shipped model in a language that it does not know' 'score linear -e "Das Essen war okay, der Kellner 😡😡" -e "Ce restaurant est délicieux 😍" -e "El martes hay mesa"' 0 <<'END'
negative
positive
neutral
END
t 'the shipped model' 'score linear -e "this is great" -e "this is terrible"' 0 <<'END'
positive
negative
END
finish
