#!/bin/sh
# The rules of the model plus, each with cases beside it: "LABEL|TEXT", "=|TEXT|TEXT" (the same score), ">|TEXT|TEXT" (the first scores higher).
# shellcheck disable=SC2016  # commands are evaluated by t
. "$(dirname "$0")/lib.sh"
need 'the rules of plus' jq || finish

score() { # score TEXT: its score, then its label
	jq -nc --arg t "$1" '{text:$t}' | senti-score -m plus | jq -r '.sentiment | "\(.score) \(.label)"'
}

holds() { # holds WHAT TEXT TEXT
	a=$(score "$2")
	b=$(score "$3")
	echo "$2: $a; $3: $b"
	case $1 in
	'=') [ "$a" = "$b" ] ;;
	'>') jq -en "${a% *} > ${b% *}" ;;
	*) [ "${a#* }" = "$1" ] ;;
	esac
}

rule() { # rule NAME <<END: the cases
	while IFS='|' read -r what one two; do
		ok "$1: $what $one${two:+ | $two}" holds "$what" "$one" "$two"
	done
}

rule 'variation selectors, skin tones and joiners are not part of an emoji' <<'END'
positive|❤️
=|❤️|❤
=|❤︎|❤
=|👍🏿|👍
=|❤️‍🔥|❤
neutral|👩🏽‍🚀
END

rule 'emoji are tokens of their own, glued or not' <<'END'
=|great😀|great 😀
=|😀great|😀 great
>|😀😍|😀
negative|this👎
END

rule 'an emoji that repeats the one before adds little' <<'END'
>|😀😀|😀
=|😀😀😀😀|😀😀😀
END

rule 'typographic apostrophes are apostrophes' <<'END'
negative|It isn’t good
=|It isn’t good|It isn't good
END

rule 'negation reaches over the clause' <<'END'
negative|It is not at all a good one
negative|I don't think it's any good
negative|I wouldn't say it is good
negative|I don't think that this one is good
END

rule 'negation ends with the clause' <<'END'
positive|He is not here, good
positive|Not him. Good
positive|It was not him but good
END

rule 'two negations are none' <<'END'
>|nobody is not happy|nobody is happy
END

rule 'never so, never this' <<'END'
>|I was never so happy|I was happy
negative|I was never happy
END

rule 'phrases count as a whole' <<'END'
positive|this is the bomb
positive|so bad ass
negative|can't stand this
negative|I am fed up
negative|he screwed up
positive|not the worst
positive|no problem
neutral|a kind of table
neutral|the bus stop
END

rule 'no phrase goes across punctuation' <<'END'
>|fed, up|fed up
END

rule 'emoticons with capital letters, and with a letter alone' <<'END'
positive|:D
positive|:P
positive|XD
positive|<3
END

rule 'but weighs what stands before and behind, in its sentence' <<'END'
>|The food was bad but the place was good|The place was good but the food was bad
=|bad bad but good|bad bad but good
>|Bad. A car but good|bad but good but bad
END

rule 'elongated words' <<'END'
=|goooood|good
=|soooo good|so good
=|yessss|yes
neutral|brrrrum
END

rule 'hashtags are words, cut at capitals' <<'END'
=|#fail|fail
=|#EpicFail|epic fail
END

rule 'mentions and addresses are neutral' <<'END'
neutral|@happy
neutral|http://love.com/great
neutral|www.love.com
END

rule 'words glued together' <<'END'
=|good...bad|good... bad
=|good,but bad|good, but bad
END

rule 'short words lose their punctuation too' <<'END'
=|no.|no
=|"no"|no
>|ok!|ok
END

rule 'what is asked counts for less' <<'END'
>|It is good|Is it good?
>|Good. Where?|Good, where?
END

rule 'a weak sum stays near neutral, with its sign' <<'END'
positive|good
>|okay|table
END

rule 'other languages' <<'END'
positive|das ist schön
positive|DAS IST SCHÖN
negative|nicht schön
positive|¡Gracias!
negative|bon, c'est pas bien
END

rule 'entities of HTML are neutral' <<'END'
neutral|a &gt; b &amp; c
END

t 'contributions name their bytes and rules' \
	"senti-score -m plus --explain -e 'It isn’t ❤️ goood' | jq -c '.sentiment.why[] | [.at,.word,.rule]'" 0 <<'END'
[[11,17],"❤️","emoji"]
[[18,23],"goood","lexicon"]
[[3,10],"isn’t","negation"]
[[0,23],"It isn’t ❤️ goood","weak"]
END
why() { # why TEXT: its contributions, without the weakening of the whole
	jq -nc --arg t "$1" '{text:$t}' | senti-score -m plus --explain |
		jq -r '[.sentiment.why[] | select(.rule != "weak") | "\(.rule) \(.value * 1000 | round / 1000)"] | join(", ")'
}
t 'but changes each value once' "why 'good but bad but good'" 0 <<'END'
lexicon 1.9, but -0.95, lexicon -2.5, but -0.25, lexicon 1.9, but 0.19
END
t 'the second equal emoji adds 0.3, the third nothing' "why 😀😀😀" 0 <<'END'
emoji 2, emoji 2, emoji -1.4, emoji 2, emoji -2
END
t 'a weak sum is weakened' "senti-score -m plus -e ok | jq .sentiment.score" 0 <<'END'
0.0644
END

printf 'table\t3\nschön\t-3\n😀\t-2\n' >my.tsv
t 'a lexicon is laid over' "senti-score -m plus --lexicon +my.tsv -e table -e Schön -e 😀 | jq -r .sentiment.label" 0 <<'END'
positive
negative
negative
END

# A text of 1 MiB is scored like any other; were a rule quadratic, the runner's limit of time would end this.
for unit in 'not good ' 'but ' 'good but ' '😂' '❤️‍🔥' 'a.b' 'good' 'aaab' '#Aa' "don't think "; do
	awk -v unit="$unit" 'BEGIN { printf "{\"text\":\""; for (n = 0; n < 1000000; n += length(unit)) printf "%s", unit; print "\"}" }' >long
	ok "1 MiB of '$unit'" sh -c 'senti-score --max-record 2M -m plus <long | jq -e .sentiment.score >/dev/null'
done
finish
