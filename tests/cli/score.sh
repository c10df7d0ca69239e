#!/bin/sh
# senti-score from outside: what it prints, what it refuses, how it ends.
# shellcheck disable=SC2016  # commands are evaluated by t
. "$(dirname "$0")/lib.sh"

model=$(senti-score -e x | jq -r .sentiment.model)

t 'a text on the command line' "senti-score -e 'I love it'" 0 <<END
{"text":"I love it","sentiment":{"label":"positive","score":0.6369,"neg":0,"neu":0.323,"pos":0.677,"model":"$model"}}
END

t 'several texts, in order' "senti-score -e good -e bad -e table | jq -c '[.text,.sentiment.label]'" 0 <<END
["good","positive"]
["bad","negative"]
["table","neutral"]
END

t 'members pass byte for byte, the result stands last' \
	'echo "{\"n\" : 1.500e0,\"text\":\"go\u006fd\", \"x\":[ 1 ,{}]}" | senti-score' 0 <<END
{"n" : 1.500e0,"text":"go\u006fd", "x":[ 1 ,{}],"sentiment":{"label":"positive","score":0.4404,"neg":0,"neu":0,"pos":1,"model":"$model"}}
END

t 'plain text in' "printf 'good\r\n\n  \nbad \"quoted\"\\\\ end' | senti-score -t | jq -c '[.text,.sentiment.score]'" 0 <<'END'
["good",0.4404]
["bad \"quoted\"\\ end",-0.5423]
END

t 'a byte-order mark is dropped, blank lines are skipped, a last line needs no end' \
	'printf "\357\273\277{\"text\":\"good\"}\r\n\r\n\n{\"text\":\"bad\"}" | senti-score --summary 2>&1 >/dev/null | jq -c "[.in,.out,.rejected,.scored]"' 0 <<'END'
[2,2,0,2]
END

t 'each file may begin with a mark; one that ends within it is bad' \
	'printf "\357\273\277{\"text\":\"good\"}\n" >m1; printf "\357\273\277{\"text\":\"bad\"}" >m2; printf "\357\273" >m3; senti-score m1 m2 m3 m1 2>err | jq -r .sentiment.label; jq -r .error.code,.error.file err' 0 <<'END'
positive
negative
positive
bad_utf8
m3
END
t 'a mark may come byte by byte' \
	'(printf "\357"; sleep 0.1; printf "\273"; sleep 0.1; printf "\277{\"text\":\"go"; sleep 0.1; printf "od\"}\n") | senti-score | jq -r .text' 0 <<'END'
good
END
t 'what came before a missing file goes out first' \
	'printf "{\"text\":\"good\"}\n" >m1; senti-score m1 nowhere | jq -r .text' 0 <<'END'
good
--- stderr
senti-score: cannot open 'nowhere': No such file or directory
END

t 'another member holds the text, another takes the result' \
	'echo "{\"body\":\"good\",\"sentiment\":1}" | senti-score -f body --into s | jq -c "[.sentiment,.s.label]"' 0 <<'END'
[1,"positive"]
END

t 'a result of this very model passes untouched' \
	"echo '{\"text\":\"good\",\"sentiment\":{\"score\":9,\"model\":\"$model\"} , \"n\":1}' | senti-score --summary 2>err
	sed 's/,\"seconds\".*//' err" 0 <<END
{"text":"good","sentiment":{"score":9,"model":"$model"} , "n":1}
{"tool":"senti-score","in":1,"out":1,"rejected":0,"scored":0,"kept":1
END

t 'unless forced' \
	"echo '{\"text\":\"good\",\"sentiment\":{\"score\":9,\"model\":\"$model\"},\"n\":1}' | senti-score --force" 0 <<END
{"text":"good","n":1,"sentiment":{"label":"positive","score":0.4404,"neg":0,"neu":0,"pos":1,"model":"$model"}}
END

t 'an old result of another model is replaced: exactly one, last' \
	'echo "{\"sentiment\":{\"model\":\"old\"},\"text\":\"good\",\"sentiment\":2,\"n\":1}" | senti-score | jq -c --stream "select(length==2)|.[0]|tostring" | grep -c sentiment.*model' 0 <<'END'
1
END

t 'the parts of an explanation sum up to the raw score' \
	"senti-score --explain -e \"It isn't VERY good, but I LOVE the ending!!! 😀 ok?\" |
	jq '.sentiment | ([.why[].value] | add) as \$raw | (\$raw / ((\$raw * \$raw + 15) | sqrt) - .score) | fabs < 0.0001'" 0 <<'END'
true
END

t 'and each names its bytes of the text, an emoji those of its own' \
	"senti-score --explain -e 'çok good❤!!' | jq -c '.sentiment.why[] | [.word, .at, .rule]'" 0 <<'END'
["good",[5,9],"lexicon"]
["❤",[9,12],"lexicon"]
["!!",[12,14],"punctuation"]
END

t 'a very long explanation ends with the rest in one part, and still sums up' \
	"awk 'BEGIN { for (i = 0; i < 20000; i++) printf \"very good, \" }' | senti-score -t --explain |
	jq -c '.sentiment | (.why | length), .why[-1].rule, (([.why[].value] | add) as \$raw | (\$raw / ((\$raw * \$raw + 15) | sqrt) - .score) | fabs < 0.0001)'" 0 <<'END'
4096
"more"
true
END

t 'every refusal has its code, its line and its column' \
	'printf "%s\n" "{\"text\":\"a\"" "[]" "{}" "{\"text\":1}" "{\"text\":\"\\ud800\"}" "{\"text\":\"\\u0000\"}" "x" | senti-score 2>&1 >/dev/null | jq -c "[.error.code,.error.line,.error.column]"' 0 <<'END'
["bad_json",1,12]
["not_object",2,1]
["no_text",3,null]
["bad_text",4,9]
["lone_surrogate",5,10]
["nul",6,10]
["bad_json",7,1]
END

t 'rejects make status 1' 'echo x | senti-score 2>/dev/null' 1
t 'unless so many are allowed' 'printf "x\n{\"text\":\"\"}\n" | senti-score --max-rejects 1 >/dev/null 2>&1' 0
t 'or such a share' 'printf "x\n{\"text\":\"\"}\n" | senti-score --max-rejects 50% >/dev/null 2>&1' 0
t 'a smaller share is not enough' 'printf "x\n{\"text\":\"\"}\n" | senti-score --max-rejects 49.9% >/dev/null 2>&1' 1
t 'input that is not UTF-8 comes back in base64' \
	'printf "{\"text\":\"\377\"}\n" | senti-score 2>&1 | jq -r ".error.code,.input_base64" | tee /dev/stderr | tail -1 | base64 -d | od -An -c | tr -s " "' 0 <<'END'
 { " t e x t " : " 377 " }
--- stderr
bad_utf8
eyJ0ZXh0Ijoi/yJ9
END

t 'rejects go where they are sent, behind those of before' \
	'echo x | senti-score --reject r.jsonl; echo y | SENTI_REJECT=r.jsonl senti-score; jq -r .input r.jsonl' 0 <<'END'
x
y
END

t 'rejects behind half a line of a killed run stay whole' \
	'printf "{\"error\":{\"co" >torn; echo bad | senti-score --reject torn; tail -n +2 torn | jq -r .error.code; head -n 1 torn' 0 <<'END'
bad_json
{"error":{"co
END
t 'no input can be told from no result' 'senti-score --exit-if-empty </dev/null' 99
t 'output into a file' 'echo "{\"text\":\"good\"}" | senti-score -o out.jsonl; jq -r .sentiment.label out.jsonl' 0 <<'END'
positive
END
t 'never over the input' 'echo "{\"text\":\"good\"}" > same.jsonl; senti-score same.jsonl -o same.jsonl; s=$?; cat same.jsonl; exit $s' 2 <<'END'
{"text":"good"}
--- stderr
senti-score: 'same.jsonl' is both input and output
try 'senti-score --help'
END
t 'nor through stdout, whatever name the file has' \
	'seq 3 >lines; ln lines other; cp lines before; senti-score -t other >>lines; s=$?; cmp lines before; exit $s' 2 <<'END'
--- stderr
senti-score: 'other' is both input and output
try 'senti-score --help'
END
t 'nor stdin through stdout' 'seq 3 >lines; cp lines before; senti-score -t <lines >>lines; s=$?; cmp lines before; exit $s' 2 <<'END'
--- stderr
senti-score: 'stdin' is both input and output
try 'senti-score --help'
END
t 'rejects never go to an input' 'cp lines before; senti-score --reject lines lines; s=$?; cmp lines before; exit $s' 2 <<'END'
--- stderr
senti-score: 'lines' is both input and output
try 'senti-score --help'
END
t 'rejects never go over the output' 'senti-score -t lines --reject both.jsonl -o both.jsonl' 2 <<'END'
--- stderr
senti-score: 'both.jsonl' is both output and rejects
try 'senti-score --help'
END
t 'rejects and output may both go to a terminal or a device' 'senti-score -t lines --reject /dev/null -o /dev/null' 0 </dev/null
t 'a missing file' 'senti-score nowhere.jsonl' 3 <<'END'
--- stderr
senti-score: cannot open 'nowhere.jsonl': No such file or directory
END
t 'a folder' 'senti-score .' 3 <<'END'
--- stderr
senti-score: cannot read '.': it is a directory
END
ok 'an end of an unknown kind is a mistake of usage' sh -c 'senti-score -i kafka:texts 2>err; test $? -eq 2 && grep -q "kafka:texts" err && grep -q "amqp" err'
t 'an unknown model' 'senti-score -m nosuch </dev/null 2>&1 | grep -c "known are: .*vader"' 0 <<'END'
1
END
t 'text and result in one member' 'senti-score --into text' 2 <<'END'
--- stderr
senti-score: -f and --into name the same member 'text'
try 'senti-score --help'
END

# --- for people ---
tty() { TERM=xterm script -qec "$1" /dev/null </dev/null | tr -d '\r'; }
if command -v script >/dev/null; then
	ok 'at a terminal, a table in colour' sh -c 'test "$1" = "$(printf "\\033[32m+0.4404  positive\\033[0m  good")"' - "$(tty 'senti-score -e good')"
	ok 'without, where NO_COLOR is set' test "$(NO_COLOR=1 tty 'senti-score -e good')" = '+0.4404  positive  good'
	ok 'parts of an explanation below their text' sh -c 'echo "$1" | grep -q "+1.9000  lexicon  *good"' - "$(NO_COLOR=1 tty 'senti-score --explain -e good')"
	ok 'control characters of a text stay off the screen' sh -c '! echo "$1" | grep -q "$(printf "\\033")"' - "$(NO_COLOR=1 tty 'senti-score -e "$(printf "a\\033[2Jb")"')"
else
	skip 'a table at a terminal' 'script(1) is not there'
fi
ok 'progress is told once a second has passed, also to a log' \
	sh -c '(echo "{\"text\":\"good\"}"; sleep 1.1; echo "{\"text\":\"bad\"}") | senti-score --progress 2>err >/dev/null; grep -Eq "^senti-score: 2 records, [0-9]+/s$" err'
ok 'and not unasked, where stderr is not a terminal' \
	sh -c '(echo "{\"text\":\"good\"}"; sleep 1.1; echo "{\"text\":\"bad\"}") | senti-score 2>err >/dev/null; test ! -s err'

# --- full disk, closed pipe, signals ---
ok 'a full disk is status 3' sh -c 'senti-score -e good >/dev/full 2>err; test $? -eq 3 && grep -q "No space left" err'
ok 'a full disk under the rejects too' sh -c 'echo x | senti-score --reject /dev/full 2>err; test $? -eq 3 && grep -q "No space left" err'
ok 'a full disk loses nothing quietly: the summary counts nothing' \
	sh -c 'senti-score -e good --summary >/dev/full 2>err; tail -1 err | jq -e ".in==0 and .out==0"'
yes '{"text":"good"}' | head -100000 >many.jsonl
ok 'a closed pipe is quiet' bash -c 'senti-score many.jsonl 2>err | head -1 >/dev/null; test "${PIPESTATUS[0]}" -eq 141 && test ! -s err'
mkfifo pipe
senti-score --summary <pipe >got 2>err &
pid=$!
exec 9>pipe
echo '{"text":"good"}' >&9
ok 'a lone record comes out while the input stays open' wait_for 'grep -q positive got'
printf '{"text":"half' >&9
# It has read that, and waits for more: a pipe that is empty, and a process that sleeps.
pipe_is_empty() {
	perl -e 'my $p; my $n = pack("i", 0); open($p, "+<", "pipe") && ioctl($p, 0x541b, $n) && exit(unpack("i", $n) != 0); exit 1'
}
wait_for pipe_is_empty
kill -TERM $pid
wait_for '! grep -q "^S[ih][gd]Pnd:.*[1-9a-f]" /proc/$pid/status' # the signal has been taken
printf ' good"}\n{"text":"unread"}\n' >&9
wait $pid
status=$?
exec 9>&-
ok 'SIGTERM: what was begun is finished, then status 0' sh -c "test $status -eq 0 && grep -q 'half good' got && ! grep -q unread got"
ok 'and counted' sh -c 'tail -1 err | jq -e ".in==2 and .out==2"'

# --- long lines ---
long() { awk -v n="$1" 'BEGIN { printf "{\"text\":\""; for (i = 0; i < n; i += 10) printf "not good, "; print "\"}" }'; }
t 'a line up to the limit is a record' 'long 1000000 | senti-score | jq -r .text | wc -c' 0 <<'END'
1000001
END
long 1200000 >long.jsonl
tr -d '\n' <long.jsonl >long.bare
ok 'a longer one is rejected whole' sh -c 'senti-score long.jsonl 2>err; test $? -eq 1 && jq -er .error.code err | grep -qx too_long && jq -r .input_base64 err | base64 -d | cmp - long.bare'
for n in 1114111 1200000 1310719 1310720; do # a block ends before, within and behind the line's end
	ok "so is one that ends in CR LF, without its end ($n bytes)" sh -c "
		head -c $n /dev/zero | tr '\0' x >bare; { cat bare; printf '\r\n{\"text\":\"good\"}\n'; } >crlf.jsonl; senti-score crlf.jsonl >got 2>err; test \$? -eq 1 &&
		grep -q positive got && jq -r .input_base64 err | base64 -d | cmp - bare"
done
ok 'a CR inside of it stays' sh -c 'awk "BEGIN { for (i = 0; i < 400000; i++) printf \"ab\\r\" }" >bare; { cat bare; echo c; } | senti-score 2>err; { cat bare; printf c; } >want; jq -r .input_base64 err | base64 -d | cmp - want'
{ echo '{"text":"good"}'; head -c 104857600 /dev/zero | tr '\0' x; echo; echo '{"text":"bad"}'; } >huge.jsonl
limit='ulimit -v 200000'
! sanitized || limit=: # whose shadow of all memory is far over any limit
for jobs in 1 2; do
	ok "-j $jobs: a line of 100 MiB is rejected whole, in bounded memory, and its neighbours pass" sh -c "
		($limit; senti-score -j $jobs huge.jsonl --reject rejects$jobs >got 2>err); test \$? -eq 1 &&
		jq -r .sentiment.label got | tr '\n' ' ' | grep -qx 'positive negative ' &&
		sed 's/.*\"input_base64\":\"//; s/\"}\$//' rejects$jobs | base64 -d | cksum | grep -q \"^\$(sed -n 2p huge.jsonl | tr -d '\n' | cksum)\""
done

# --- jobs ---
awk 'BEGIN { for (i = 0; i < 30000; i++) printf "{\"id\":\"%d\",\"text\":\"%s\"}%s\n", i, i % 3 ? "good" : "not bad", i % 101 == 7 ? "x" : "" }' >jobs.jsonl
senti-score jobs.jsonl >one 2>one.err
for jobs in 2 3 8; do
	ok "-j $jobs keeps the order" sh -c "senti-score -j $jobs -b 37 jobs.jsonl >many 2>many.err; cmp one many && cmp one.err many.err"
done
ok 'in = out + rejected' sh -c 'senti-score -j2 --summary jobs.jsonl 2>&1 >/dev/null | tail -1 | jq -e ".in == 30000 and .in == .out + .rejected and .rejected == 297"'
ok 'a batch may wait for company' sh -c '(echo "{\"text\":\"good\"}"; sleep 0.1; echo "{\"text\":\"bad\"}") | senti-score -w 60000 | wc -l | grep -qx 2'

# --- lexicons ---
printf 'table\t3\ngroß\t-2\n' >my.tsv
t 'a user lexicon is layered over the model, whose name changes; case does not matter' \
	"senti-score --lexicon +my.tsv -e table -e GROẞ -e good | jq -c '[.text,.sentiment.label,(.sentiment.model!=\"$model\")]'" 0 <<'END'
["table","positive",true]
["GROẞ","negative",true]
["good","positive",true]
END
t 'its words beyond ASCII are folded' "senti-score --lexicon +my.tsv -e 'GROß!' | jq -r .sentiment.label" 0 <<'END'
negative
END
for bad in 'good 1' 'good\tx' 'good\tnan' 'good\tinf' 'good\t1\nbad\t1\ngood\t2' 'a b\t1' '\t1'; do
	printf '# mine\n%b\n' "$bad" >bad.tsv
	ok "refused with its line: $bad" sh -c 'senti-score --lexicon +bad.tsv -e x 2>err; test $? -eq 3 && grep -q "bad.tsv:[24]: " err'
done
t 'neutral is where it is said to be, and the name of the model says so' \
	"senti-score --neutral -0.5,0.5 -e good | jq -c '[.sentiment.label,(.sentiment.model!=\"$model\")]'" 0 <<'END'
["neutral",true]
END
finish
