#!/bin/sh
# The engines beside VADER: each text of tests/golden/{textblob,vader-nltk,afinn}.jsonl gets the scores that stand beside it; their options and
# their refusals.
. "$(dirname "$0")/lib.sh"
need 'the golden tables' jq || finish

# compare MODEL TABLE JQ [OPTION...]: JQ turns a sentiment into what the table expects.
compare() {
	model=$1 golden=$root/tests/golden/$2 what=$3
	shift 3
	senti-score -m "$model" "$@" <"$golden" >out || return 1
	[ "$(wc -l <out)" -gt 300 ] && [ "$(wc -l <out)" -eq "$(wc -l <"$golden")" ] || return 1
	jq -c "select((.sentiment | $what) != .expect) | {text, expect, sentiment}" out >wrong || return 1
	head -n 10 wrong
	! [ -s wrong ]
}

shares='{score, neg, neu, pos}'
ok 'textblob' compare textblob textblob.jsonl '{score, subjectivity}'
ok 'textblob explained' compare textblob textblob.jsonl '{score, subjectivity}' --explain
ok 'vader-nltk' compare vader-nltk vader-nltk.jsonl "$shares"
ok 'vader-nltk explained' compare vader-nltk vader-nltk.jsonl "$shares" --explain
ok 'afinn' compare afinn:en+emoticons afinn.jsonl '{sum: ([.why[].value] | add // 0), score}' --explain

fields() { # the members of a result, and its label
	senti-score "$@" | jq -rc '.sentiment | (keys_unsorted | join(" ")) + ": " + .label'
}
t 'what a result of textblob holds' 'fields -m textblob -e good' 0 <<'END'
label score subjectivity model: positive
END
t 'what a result of afinn holds' 'fields -m afinn -e bad' 0 <<'END'
label score model: negative
END
t 'what a result of vader-nltk holds' 'fields -m vader-nltk -e table' 0 <<'END'
label score neg neu pos model: neutral
END
t '--neutral widens the band' 'fields -m textblob --neutral -0.8,0.8 -e good; fields -m afinn --neutral=-0.9,0.9 -e good' 0 <<'END'
label score subjectivity model: neutral
label score model: neutral
END
t 'two models side by side' 'echo "{\"text\":\"not good\"}" | senti-score | senti-score -m textblob --into textblob |
	jq -c "[.sentiment.score, .textblob.score]"' 0 <<'END'
[-0.3412,-0.35]
END
t 'doubles in full' 'senti-score -m textblob -e "not very good" | grep -o "score\":[^,]*"' 0 <<'END'
score":-0.26923076923076916
END
t 'why, textblob' 'senti-score -m textblob --explain -e "Not very good! : )" | jq -c ".sentiment.why[] | [.word, .value, .rule]"' 0 <<'END'
["Not very good!",-0.336538462,"negation"]
[": )",0.5,"emoticon"]
END
t 'why, afinn' 'senti-score -m afinn --explain -e "It does  not work, İ" -e "İİ bad" | jq -c ".sentiment.why[] | [.at, .word, .value]"' 0 <<'END'
[[3,17],"does  not work",-3]
[[5,8],"bad",-3]
END

names() { senti-score "$@" -e x | jq -r .sentiment.model; }
t 'the data is in the name' 'names -m afinn | sed "s/@.*//"; names -m afinn:da+emoticons | sed "s/@.*//"; names -m textblob | sed "s/@.*//"
	names -m vader-nltk | sed "s/@.*//"' 0 <<'END'
afinn:en-0.1
afinn:da+emoticons-0.1
textblob-0.20.1
vader-nltk-3.10.4
END
different() { [ "$(names -m "$1")" != "$(names -m "$1" --lexicon +my.tsv)" ]; }
printf 'Kettle\t0.5\nхорошо\t1\n' >my.tsv
for m in textblob vader-nltk afinn; do
	ok "a user's lexicon changes the name of $m" different $m
	t "a user's lexicon is looked up in lower case by $m" "senti-score -m $m --lexicon +my.tsv -e KETTLE -e ХОРОШО | jq -r .sentiment.label" 0 <<'END'
positive
positive
END
done
printf 'dark mode\t2\n' >phrase.tsv
t 'afinn takes phrases' 'senti-score -m afinn --lexicon +phrase.tsv --explain -e "Dark  mode!" | jq -c ".sentiment.why[].word"' 0 <<'END'
"Dark  mode"
END

refuse() { # refuse NAME MODEL CONTENT MESSAGE
	# shellcheck disable=SC2059
	printf "$3" >bad.tsv
	t "$1" "senti-score -m $2 --lexicon +bad.tsv -e x 2>&1 | head -n 1; senti-score -m $2 --lexicon +bad.tsv -e x 2>/dev/null" 3 <<END
senti-score: bad.tsv:$4
END
}
refuse 'a polarity beyond 1' textblob 'a\t0.1\nb\t1.9\n' '2: values of this model lie between -1 and 1'
refuse 'a blank' vader-nltk 'a b\t1\n' "1: 'a b' has a blank in it: this model looks up single words"
refuse 'no word' afinn ':)\t1\n' "1: ':)' is not made of words with one mark or blank between them"
refuse 'a mark too many' afinn 'a--b\t1\n' "1: 'a--b' is not made of words with one mark or blank between them"
for m in vader vader-nltk textblob afinn plus linear; do
	refuse "a key twice, $m" $m 'a\t0.1\nA\t0.2\n' "2: 'A' occurs twice in the file"
	refuse "no tab, $m" $m 'a\t0.1\n\nb 0.1\n' '3: no tab between the key and its number'
	refuse "no number, $m" $m 'a\tnan\n' "1: 'nan' is not a number from -1000000000 to 1000000000"
	printf 'zork\t0.9\n' >my.tsv
	t "explained, with a lexicon, in another member: $m" \
		"senti-score -m $m --explain --lexicon +my.tsv --into own -e 'zork zork' | jq -c '[.sentiment, (.own.score > 0), (.own.why | length > 0)]'" 0 <<'END'
[null,true,true]
END
done
t 'an unknown model' 'senti-score -m nosuch -e x 2>&1 | head -n 1; senti-eval -m nosuch </dev/null 2>/dev/null' 2 <<'END'
senti-score: unknown model 'nosuch'; known are: vader, textblob, vader-nltk, plus, afinn, linear, and the path of a model file
END
t 'an unknown language' 'senti-score -m afinn:xx -e x 2>&1 | head -n 1' 0 <<'END'
senti-score: unknown model 'afinn:xx'; known are: afinn:en, afinn:da, each also with +emoticons
END

# Far beyond what a quadratic algorithm would finish.
long() { # long MODEL PIECE
	jq -nc --arg piece "$2" '{text: ($piece * 150000)}' | timeout 60 senti-score -m "$1" --max-record 8M |
		jq -r .sentiment.label | grep -qx 'positive\|neutral\|negative'
}
for piece in 'not good ' '!' '(' '....' ':) ' ': ) ' "n't " '( ! ) ' 'GOOD good '; do
	ok "a long text of '$piece', textblob" long textblob "$piece"
	ok "a long text of '$piece', vader-nltk" long vader-nltk "$piece"
	ok "a long text of '$piece', afinn" long afinn:en+emoticons "$piece"
done
t 'an engine without variants takes no suffix' 'senti-score -m vader:1 -e x' 2 <<'END'
--- stderr
senti-score: unknown model 'vader:1'; known are: vader, textblob, vader-nltk, plus, afinn, linear, and the path of a model file; did you mean 'vader'?
try 'senti-score --help'
END
ok 'the shipped model has the name of its file' sh -c '[ "$(senti-score -m linear -e x | jq -r .sentiment.model)" = "$(senti-score -m "$0" -e x | jq -r .sentiment.model)" ]' "$root/lexicons/linear/linear.senti"
finish
