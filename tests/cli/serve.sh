#!/bin/sh
# senti-serve as a user calls it, with curl, on what is built in: SQLite, a cache in memory, messages scored by the server itself.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need 'senti-serve' curl jq || finish

json='Content-Type: application/json'
lines='Content-Type: application/x-ndjson'

# ask PATH [CURL OPTION...]: the body into body, the headers into headers, the status on stdout.
ask() {
	ask_path=$1
	shift
	: >body
	curl -sS --path-as-is -o body -D headers -w '%{http_code}' "$@" "$url$ask_path"
}

# Of the last answer.
header() { tr -d '\r' <headers | sed -n "s/^$1: //Ip"; }

# answers NAME STATUS JQ PATH [CURL OPTION...]: the answer has that status, and the jq expression is true of its body (-: it is not looked at).
answers() {
	answers_name=$1
	answers_status=$2
	answers_jq=$3
	shift 3
	ok "$answers_name" answers_as "$@"
}

answers_as() {
	got=$(ask "$@") || return 1
	cat headers body
	[ "$got" = "$answers_status" ] || return 1
	[ "$answers_jq" = - ] || jq -e "$answers_jq" body
}

# says NAME HEADER VALUE: the last answer has that header.
says() { ok "$1" says_as "$2" "$3"; }
says_as() {
	echo "$1: '$(header "$1")'"
	[ "$(header "$1")" = "$2" ]
}

# problem NAME STATUS KIND PATH [CURL OPTION...]: an error as RFC 9457 has it.
problem() {
	problem_name=$1
	problem_status=$2
	problem_kind=$3
	shift 3
	answers "$problem_name" "$problem_status" ".type == \"urn:senti:problem:$problem_kind\" and .status == $problem_status and
		(.title | length > 0) and (.detail | length > 0) and (.instance | startswith(\"urn:senti:request:\"))" "$@"
	says "$problem_name: as problem+json" Content-Type application/problem+json
}

start_server
ok 'it listens' test -n "$port"

# --- POST /v1/sentiment: three forms of a body ---
answers 'a record is answered by that record' 200 '.text == "I love it" and .sentiment.label == "positive" and .sentiment.score == 0.6369' \
	/v1/sentiment -H "$json" -d '{"id":"a","n":1e999,"text":"I love it"}'
echo '{"id":"a","n":1e999,"text":"I love it"}' | senti-score >want
ok 'as senti-score writes it, to the byte' cmp want body
says 'as JSON' Content-Type application/json
problem 'a body without a type' 415 unsupported_media_type /v1/sentiment -H 'Content-Type:' -d '{"text":"I hate it"}'
says 'which names those it takes' Accept-Post 'application/json, application/x-ndjson'
answers 'type and charset in other letters' 200 '.sentiment' /v1/sentiment -H 'content-type: Application/JSON; charset=UTF-8' -d '{"text":"x"}'
answers 'an array is answered by an array, in order, with errors in their places' 200 \
	'length == 5 and .[0].sentiment.label == "positive" and .[1].error.code == "no_text" and .[1].error.message == "no member '"'text'"'" and .[1].input == "{\"id\":\"2\"}" and .[1].error.line == 2 and
	.[1].error.tool == "senti-serve" and .[2].error.code == "not_object" and .[3].error.code == "lone_surrogate" and .[4].sentiment.label == "negative"' \
	/v1/sentiment -H "$json" -d ' [ {"text":"good"}, {"id":"2"} ,3,{"text":"\ud800"},
		{"text":"bad"} ] '
answers 'an empty array' 200 '. == []' /v1/sentiment -H "$json" -d '[]'
printf '{"text":"good"}\r\n\n{"text":1}\n{"te\n{"text":"bad"}' >body.jsonl
answers 'lines are answered by lines' 200 - /v1/sentiment -H "$lines" --data-binary @body.jsonl
says 'as NDJSON' Content-Type application/x-ndjson
ok 'each in its place' test "$(jq -c '[.sentiment.label, .error.code, .error.line]' body | tr '\n' ' ')" = \
	'["positive",null,null] [null,"bad_text",3] [null,"bad_json",4] ["negative",null,null] '
answers 'no line' 200 - /v1/sentiment -H "$lines" -d ''
ok 'is answered by none' test ! -s body
answers 'another model, by name' 200 '.sentiment | .model | startswith("textblob-0.20.1@")' '/v1/sentiment?model=textblob' -H "$json" -d '{"text":"good"}'
answers 'by whole name' 200 '.sentiment.score != null' "/v1/sentiment?model=$(jq -r .sentiment.model body)" -H "$json" -d '{"text":"good"}'
answers 'with reasons' 200 '.sentiment.why[0] == {"at":[0,4],"word":"good","value":1.9,"rule":"lexicon"}' '/v1/sentiment?explain=true' -H "$json" -d '{"text":"good"}'
answers 'explain without a value' 200 '.sentiment.why' '/v1/sentiment?explain' -H "$json" -d '{"text":"good"}'
answers 'without reasons' 200 '.sentiment | has("why") | not' '/v1/sentiment?explain=false' -H "$json" -d '{"text":"good"}'
problem 'no JSON' 400 bad_json /v1/sentiment -H "$json" -d '{"text":'
problem 'nothing' 400 bad_json /v1/sentiment -H "$json" -d ''
problem 'an array that does not end' 400 bad_json /v1/sentiment -H "$json" -d '[{"text":"x"}'
problem 'something behind the record' 400 bad_json /v1/sentiment -H "$json" -d '{"text":"x"} {}'
printf '{"text":"\377"}' >bad.json
problem 'no UTF-8' 400 bad_utf8 /v1/sentiment -H "$json" --data-binary @bad.json
problem 'no record' 422 not_object /v1/sentiment -H "$json" -d '"x"'
problem 'no text' 422 no_text /v1/sentiment -H "$json" -d '{"txt":"x"}'
problem 'text that is none' 422 bad_text /v1/sentiment -H "$json" -d '{"text":null}'
problem 'U+0000' 422 nul /v1/sentiment -H "$json" -d '{"text":"\u0000"}'
problem 'an unknown model' 400 unknown_model '/v1/sentiment?model=nix' -H "$json" -d '{"text":"x"}'
problem 'a model of the file system' 400 unknown_model '/v1/sentiment?model=./x.senti' -H "$json" -d '{"text":"x"}'
problem 'explain what?' 400 bad_query '/v1/sentiment?explain=perhaps' -H "$json" -d '{"text":"x"}'
problem 'a query that is not UTF-8' 400 bad_query '/v1/sentiment?model=%ff' -H "$json" -d '{"text":"x"}'
problem 'another type' 415 unsupported_media_type /v1/sentiment -H 'Content-Type: text/plain' -d 'I love it'
says 'what is taken' Accept-Post 'application/json, application/x-ndjson'

# --- a large body is worked off while it arrives ---
n=300000
awk -v n=$n 'BEGIN { for (i = 0; i < n; i++) printf "{\"id\":\"%d\",\"text\":\"I %s it, and number %d is not bad at all\"}\n", i, i % 2 ? "love" : "hate", i }' >many.jsonl
senti-score many.jsonl >want
answers "$n lines" 200 - /v1/sentiment -H "$lines" -H 'Expect:' -T many.jsonl -X POST
ok 'are answered as senti-score writes them' cmp want body
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status"; }
if sanitized; then
	echo '# the sanitizer takes memory of its own: how much is not judged'
else
	peak=$(peak)
	ok "in bounded memory: $peak KiB at most, of a body of $(($(wc -c <many.jsonl) / 1024)) KiB" test "$peak" -lt 131072
	# The same ten times as long would show what grows with the body.
	cat many.jsonl many.jsonl many.jsonl | head -c 60000000 >more.jsonl
	answers 'three times as much' 200 - /v1/sentiment -H "$lines" -H 'Expect:' -T more.jsonl -X POST
	ok "needs no more: $(peak) KiB" test "$(peak)" -lt $((peak + 16384))
fi
rm -f many.jsonl more.jsonl

# --- POST /v1/messages ---
answers 'a message is taken' 202 '. == {"id":"m1"}' /v1/messages -H "$json" -d '{"id":"m1","text":"I love it","time":"2026-01-01T00:00:00Z","source":"shop","stars":5}'
says 'and found there' Location /v1/messages/m1
answers 'and read back' 200 '. == {"id":"m1","text":"I love it","source":"shop","time":"2026-01-01T00:00:00.000Z","stars":5,"sentiment":.sentiment,"version":1} and
	.sentiment.label == "positive"' /v1/messages/m1
cp body read
answers 'without an id it gets one' 202 '.id | test("^[0-9a-f-]{36}$")' /v1/messages -H "$json" -d '{"text":"fresh"}'
answers 'the same again' 202 '. == {"id":"m1"}' /v1/messages -H "$json" -d '{"id":"m1","text":"I love it","time":"2026-01-01T00:00:00Z","source":"shop","stars":5}'
answers 'changes nothing' 200 '.version == 1' /v1/messages/m1
answers 'Prefer: wait' 200 '.sentiment.label == "negative" and .version > 1' /v1/messages -H "$json" -H 'Prefer: wait=5' -d '{"id":"m2","text":"I hate it","time":"2026-01-02T00:00:00Z"}'
says 'was followed' Preference-Applied wait
says 'and says where' Location /v1/messages/m2
answers 'Prefer: respond-async' 202 '. == {"id":"m2"}' /v1/messages -H "$json" -H 'Prefer: respond-async' -d '{"id":"m2","text":"I hate it","time":"2026-01-02T00:00:00Z"}'
says 'was followed' Preference-Applied respond-async
answers 'both: wait, and go on without' 200 '.id == "m2"' /v1/messages -H "$json" -H 'Prefer: handling=lenient; x, respond-async, Wait = "5"' -d '{"id":"m2","text":"I hate it","time":"2026-01-02T00:00:00Z"}'
answers 'another preference' 202 - /v1/messages -H "$json" -H 'Prefer: await=5, wait=soon' -d '{"id":"m2","text":"I hate it","time":"2026-01-02T00:00:00Z"}'
says 'is none' Preference-Applied ''
answers 'an array' 202 '. == [{"id":"m3"},{"error":{"code":"no_text","message":.[1].error.message}},{"id":"m4"},{"error":{"code":"bad_time","message":.[3].error.message}}]' \
	/v1/messages -H "$json" -d '[{"id":"m3","text":"fine","time":"2026-01-03T00:00:00Z","source":"mail"},{"id":"x"},{"id":"m4","text":"a chair","time":"2026-01-04T00:00:00Z"},{"id":"y","text":"x","time":"noon"}]'
says 'has no one place' Location ''
answers 'an array with results' 200 'length == 2 and .[0].sentiment.label == "positive" and .[1].error.code == "no_id"' \
	/v1/messages -H "$json" -H 'Prefer: wait=5' -d '[{"id":"m3","text":"fine","time":"2026-01-03T00:00:00Z","source":"mail"},{"id":"","text":"x"}]'
printf '{"id":"m5","text":"great","time":"2026-01-05T00:00:00Z"}\n\n{"text":"x"\n{"id":"m6","text":"awful"}' >body.jsonl
answers 'lines' 202 - /v1/messages -H "$lines" --data-binary @body.jsonl
ok 'each in its place' test "$(jq -c '.id // .error.code' body | tr '\n' ' ')" = '"m5" "bad_json" "m6" '
says 'as NDJSON' Content-Type application/x-ndjson
problem 'no JSON' 400 bad_json /v1/messages -H "$json" -d '{'
problem 'no text' 422 no_text /v1/messages -H "$json" -d '{}'
problem 'an empty id' 422 no_id /v1/messages -H "$json" -d '{"id":"","text":"x"}'
problem 'an id that is not a string' 422 bad_id /v1/messages -H "$json" -d '{"id":7,"text":"x"}'
problem 'an id that is too long' 422 bad_id /v1/messages -H "$json" -d "{\"id\":\"$(printf '%0513d' 0)\",\"text\":\"x\"}"
problem 'an id that clients drop from a path' 422 bad_id /v1/messages -H "$json" -d '{"id":"..","text":"x"}'
problem 'the other one' 422 bad_id /v1/messages -H "$json" -d '{"id":".","text":"x"}'
answers 'one that is just not' 202 - /v1/messages -H "$json" -d "{\"id\":\"$(printf '%0511d' 0)ö\",\"text\":\"x\"}"
ok 'is deleted' test "$(ask "$(header Location)" -X DELETE)" = 204
problem 'a time that is none' 422 bad_time /v1/messages -H "$json" -d '{"time":"noon","text":"x"}'
problem 'a result that is none' 422 bad_label /v1/messages -H "$json" -d '{"text":"x","sentiment":{"label":"great"}}'
problem 'another type' 415 unsupported_media_type /v1/messages -H 'Content-Type: application/xml' -d '<x/>'

# --- ids of all kinds ---
while IFS='	' read -r id path; do
	answers "id '$id' is taken" 202 - /v1/messages -H "$json" -d "$(jq -nc --arg id "$id" '{id:$id,text:"odd"}')"
	says 'its path is percent-encoded' Location "/v1/messages/$path"
	answers 'and found there' 200 ".id == \"$id\"" "/v1/messages/$path"
	ok 'and deleted there' test "$(ask "/v1/messages/$path" -X DELETE)" = 204
done <<'IDS'
a/b	a%2Fb
what?	what%3F
100%	100%25
a+b	a%2Bb
a b	a%20b
naïve ☃	na%C3%AFve%20%E2%98%83
...	...
a%2Fb	a%252Fb
IDS
answers 'a path may spell + as it is' 404 '.detail | contains("a+b")' /v1/messages/a+b
problem 'a broken escape' 400 bad_path /v1/messages/a%2
problem 'U+0000 in a path' 400 bad_path /v1/messages/a%00b
problem 'a path that is not UTF-8' 400 bad_path /v1/messages/%ff

# --- one message: tags and conditions ---
answers 'a message' 200 - /v1/messages/m2
says 'comes from the cache' Cache-Status 'senti; hit'
tag=$(header ETag)
ok 'with a strong tag' expr "$tag" : '"[0-9][0-9]*"$'
answers 'If-None-Match: still the same' 304 - /v1/messages/m2 -H "If-None-Match: \"x\", W/$tag"
ok 'without a body' test ! -s body
says 'with the tag' ETag "$tag"
says 'and what it varies with' Vary Accept-Encoding
answers 'If-None-Match: *' 304 - /v1/messages/m2 -H 'If-None-Match: *'
answers 'If-None-Match: another' 200 '.id == "m2"' /v1/messages/m2 -H 'If-None-Match: "0"'
problem 'If-Match: another' 412 changed /v1/messages/m2 -X PATCH -H "$json" -H 'If-Match: "0"' -d '{"label":"neutral"}'
says 'and what it is' ETag "$tag"
problem 'If-Match: a weak tag never matches' 412 changed /v1/messages/m2 -X PATCH -H "$json" -H "If-Match: W/$tag" -d '{"label":"neutral"}'
answers 'If-Match: one of a list' 200 '.sentiment.label == "neutral" and .sentiment.corrected' /v1/messages/m2 -X PATCH -H "$json" -H "If-Match: \"0\", $tag" -d '{"label":"neutral"}'
new=$(header ETag)
cp body corrected
ok 'gives another tag' test "$new" != "$tag"
answers 'which the next reader sees' 200 '.sentiment.label == "neutral" and .sentiment.corrected' /v1/messages/m2
says 'too' ETag "$new"
ok 'byte for byte' cmp corrected body
answers 'the same message again' 200 - /v1/messages -H "$json" -H 'Prefer: wait=5' -d '{"id":"m2","text":"I hate it","time":"2026-01-02T00:00:00Z"}'
ok 'keeps the correction, and the answer shows it' cmp corrected body
answers 'If-Match: *' 200 '.sentiment.label == "negative"' /v1/messages/m2 -X PATCH -H 'Content-Type: application/merge-patch+json' -H 'If-Match: *' -d '{"label":"negative"}'
problem 'If-Match: * of none' 404 not_found /v1/messages/nix -X PATCH -H "$json" -H 'If-Match: *' -d '{"label":"negative"}'
problem 'PATCH of none' 404 not_found /v1/messages/nix -X PATCH -H "$json" -d '{"label":"negative"}'
problem 'PATCH of no label' 422 bad_label /v1/messages/m2 -X PATCH -H "$json" -d '{"label":"great"}'
problem 'PATCH of something else' 422 bad_label /v1/messages/m2 -X PATCH -H "$json" -d '{"label":"neutral","text":"x"}'
problem 'PATCH of no object' 422 not_object /v1/messages/m2 -X PATCH -H "$json" -d '[]'
problem 'PATCH of no JSON' 400 bad_json /v1/messages/m2 -X PATCH -H "$json" -d '{'
problem 'PATCH of no UTF-8' 400 bad_utf8 /v1/messages/m2 -X PATCH -H "$json" --data-binary @bad.json
problem 'PATCH of U+0000' 422 nul /v1/messages/m2 -X PATCH -H "$json" -d '{"label":"\u0000"}'
problem 'PATCH of another type' 415 unsupported_media_type /v1/messages/m2 -X PATCH -H "$lines" -d '{"label":"neutral"}'
says 'what is taken' Accept-Patch 'application/merge-patch+json, application/json'
problem 'GET of none' 404 not_found /v1/messages/nix
problem 'DELETE with another tag' 412 changed /v1/messages/m6 -X DELETE -H 'If-Match: "0"'
answers 'DELETE' 204 - /v1/messages/m6 -X DELETE
ok 'without a body' test ! -s body
problem 'then it is gone' 404 not_found /v1/messages/m6
problem 'and cannot be deleted again' 404 not_found /v1/messages/m6 -X DELETE

# --- what web pages must not do ---
other="http://127.0.0.1:1$port"
answers 'a message to fight for' 202 - /v1/messages -H "$json" -d '{"id":"mine","text":"mine"}'
for host in evil.example "evil.example:$port" "127.0.0.1.evil.example:$port" 192.0.2.1; do
	problem "GET by a rebound name: $host" 421 unknown_host /v1/messages/mine -H "Host: $host"
	problem 'DELETE' 421 unknown_host /v1/messages/mine -X DELETE -H "Host: $host" -H "Origin: http://$host" -H 'Sec-Fetch-Site: same-origin'
done
for path in / /docs /livez /v1/events /none; do
	problem "a rebound name: $path" 421 unknown_host $path -H "Host: evil.example:$port"
done
for host in localhost "LOCALHOST:$port" 127.0.0.1 127.8.9.1:99 '[::1]:8080'; do
	answers "GET as $host" 200 - /v1/messages/mine -H "Host: $host"
done
for page in 'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: same-site' "Origin: $other" 'Origin: https://evil.example' 'Origin: null'; do
	problem "DELETE by a page, $page" 403 cross_origin /v1/messages/mine -X DELETE -H "$page"
	problem 'PATCH' 403 cross_origin /v1/messages/mine -X PATCH -H "$json" -d '{"label":"negative"}' -H "$page"
	problem 'POST' 403 cross_origin /v1/messages -H "$json" -d '{"id":"planted","text":"x"}' -H "$page"
	problem 'scoring' 403 cross_origin /v1/sentiment -H "$json" -d '{"text":"x"}' -H "$page"
	answers 'following a link' 200 - /v1/messages/mine -H "$page" -H 'Sec-Fetch-Mode: navigate'
done
for media in '' text/plain 'text/plain; application/json' application/x-www-form-urlencoded 'multipart/form-data; boundary=x' application/octet-stream; do
	problem "POST of '$media'" 415 unsupported_media_type /v1/messages -H "Content-Type: $media" -d '{"id":"planted","text":"x"}'
	problem "PATCH" 415 unsupported_media_type /v1/messages/mine -X PATCH -H "Content-Type: $media" -d '{"label":"negative"}'
done
for media in application/json 'Application/JSON; charset=utf-8' application/x-ndjson application/ndjson application/jsonl; do
	answers "POST of $media by our own page" 200 '.sentiment' /v1/sentiment -H "Content-Type: $media" -d '{"text":"x"}' -H "Origin: $url" -H 'Sec-Fetch-Site: same-origin'
done
problem 'nothing was planted' 404 not_found /v1/messages/planted
answers 'nor changed' 200 '.sentiment.label == "neutral"' /v1/messages/mine
answers 'DELETE by our own page' 204 - /v1/messages/mine -X DELETE -H "Origin: $url" -H 'Sec-Fetch-Site: same-origin'

# --- headers of any length: what a client sends may come to several thousand bytes once it is percent-encoded ---
long=$(printf '%0512d' 0 | sed 's/0/中/g')
place=/v1/messages/$(printf '%0512d' 0 | sed 's/0/%E4%B8%AD/g')
answers 'an id of 512 characters of three bytes' 202 - /v1/messages -H "$json" -d "{\"id\":\"$long\",\"text\":\"long\"}"
says 'its place is whole' Location "$place"
answers 'and found there' 200 '.text == "long"' "$(header Location)"
answers 'two of a long source' 202 - /v1/messages -H "$lines" \
	-d "{\"id\":\"long2\",\"text\":\"x\",\"source\":\"$long\"}
{\"id\":\"$long\",\"text\":\"long\",\"source\":\"$long\"}"
answers 'a page of that source' 200 '.items | length == 1' "/v1/messages?limit=1&source=${place#/v1/messages/}"
next=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
answers 'leads to the next' 200 '.items | length == 1' "$next"
for id in "$place" /v1/messages/long2; do
	ok 'and is deleted' test "$(ask "$id" -X DELETE)" = 204
done

# --- pages ---
for i in $(seq 1 25); do
	printf '{"id":"p%02d","text":"page %s","time":"2026-02-01T00:00:%02dZ","source":"pages & more"}\n' "$i" "$i" $((i / 2))
done >body.jsonl
printf '{"id":"p99","text":"PAGE without time","source":"pages & more"}\n' >>body.jsonl
ok 'messages for pages' test "$(ask /v1/messages -H "$lines" --data-binary @body.jsonl)" = 202
pages() { # pages ORDER LIMIT: all ids, following the links
	next="/v1/messages?source=pages%20%26%20more&order=$1&limit=$2"
	follow
}
follow() { # from $next on
	while [ -n "$next" ]; do
		[ "$(ask "$next")" = 200 ] || return 1
		jq -r '.items[].id' body
		next=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
	done
}
seq -f 'p%02g' 1 25 >want
echo p99 >>want
for limit in 1 5 13 26 1000; do
	pages oldest $limit >got
	ok "pages of $limit, oldest first" cmp want got
	pages newest $limit | sort >got
	ok "pages of $limit, newest first: all, once" cmp want got
done
answers 'messages of many scores' 202 - /v1/messages -H "$lines" --data-binary @- <<'END'
{"id":"s1","text":"good","source":"scores"}
{"id":"s2","text":"I love it","source":"scores"}
{"id":"s3","text":"It is a table","source":"scores"}
{"id":"s4","text":"good","source":"scores"}
{"id":"s5","text":"I hate it","source":"scores"}
END
for limit in 1 2 5; do
	next="/v1/messages?source=scores&order=-score&limit=$limit"
	ok "pages of $limit by score" test "$(follow | tr '\n' ' ')" = 's2 s4 s1 s3 s5 '
done
answers 'the lowest score first' 200 '.items | map(.id) == ["s5","s3","s1","s4","s2"]' '/v1/messages?source=scores&order=score'
answers 'newest first' 200 '.items | map(.id) | .[0:3] == ["p25","p24","p23"]' '/v1/messages?source=pages%20%26%20more&order=newest'
answers 'twenty are a page' 200 '.items | length == 20' '/v1/messages'
ok 'and there is a next one' test -n "$(header Link)"
answers 'by label' 200 '.items | length > 0 and all(.sentiment.label == "negative")' '/v1/messages?label=negative'
answers 'by source' 200 '.items | map(.id) == ["m3"]' '/v1/messages?source=mail'
answers 'since, included' 200 '.items | map(.id) == ["m3","m4","m5"]' '/v1/messages?since=2026-01-03T00:00:00Z&until=2026-01-31T00:00:00Z'
answers 'until, excluded' 200 '.items | map(.id) == ["m1","m2"]' '/v1/messages?until=2026-01-03T01:00:00%2B01:00'
answers 'a part of the text' 200 '.items | map(.id) == ["m4"]' '/v1/messages?q=CHAIR'
answers 'a record of a page' 200 '.items | length == 1' '/v1/messages?source=shop'
ok 'is that of its own path, to the byte' test "$(cat body)" = "{\"items\":[$(cat read)]}"
answers 'none' 200 '. == {"items":[]}' '/v1/messages?q=nowhere'
ok 'and no next page' test -z "$(header Link)"
for bad in limit=0 limit=1001 limit=x sample=0 sample=1001 order=-id order=score\&after=1:x after=s0.5:x order=score\&after=s1.5:x label=good since=noon until= order=up after=x after=1x:y \
	after=-99999999999999999:x after=253402300800000:x 'q=%ff' score_min= score_min=x score_max=1.01 score_min=0x1 score_min=1,5 \
	unscored=yes corrected=2 where=x where==x "where=&$(printf 'where=a=b&%.0s' $(seq 17))"; do
	problem "a bad query: $bad" 400 bad_query "/v1/messages?$bad"
done

# --- words ---
cat >words.json <<-'end'
	[{"id":"w1","text":"I love this awful chair","source":"words","time":"2026-02-01T00:00:00Z","product":"chair","stars":2},
	{"id":"w2","text":"I LOVE it, love it!","source":"words","time":"2026-02-02T00:00:00Z"},
	{"id":"w3","text":"A good table","source":"words","time":"2026-02-03T00:00:00Z"},
	{"id":"w4","text":"not a bad table","source":"words","time":"2026-02-04T00:00:00Z","product":"table"}]
end
answers 'four messages' 200 'length == 4' /v1/messages -H "$json" -H 'Prefer: wait=20' -d @words.json
jq -c '.[]' words.json | senti-score --explain | jq -s '[.[] | .id as $id | .sentiment.score as $score | .sentiment.why[] | select(.rule != "punctuation") |
	{word: (.word | ascii_downcase), id: $id, score: $score, value: .value}] | group_by(.word) | map({word: .[0].word, count: (map(.id) | unique | length),
	mean: (unique_by(.id) | map(.score) | add / length), contribution: (map(.value) | add)}) | sort_by(-(.contribution | fabs))' >want
terms='/v1/terms?source=words'
answers 'words' 200 '.sample == {"messages":4,"limit":1000,"complete":true} and (.model | startswith("vader-3.3.2@")) and .items[0].word == "love"' "$terms"
cp body words
ok 'are those of the explanations, summed up' jq -e --slurpfile want want '(.items | length) == ($want[0] | length) and
	([.items, $want[0]] | transpose | all(.[0].word == .[1].word and .[0].count == .[1].count and
		(.[0].mean - .[1].mean | fabs) < 0.000001 and (.[0].contribution - .[1].contribution | fabs) < 0.000001))' words
answers 'the newest alone' 200 '.sample == {"messages":2,"limit":2,"complete":false} and (.items | map(.word) | index("love")) == null' "$terms&sample=2"
answers 'all of a sample' 200 '.sample == {"messages":4,"limit":4,"complete":true}' "$terms&sample=4"
answers 'some words' 200 '.items | length == 1' "$terms&limit=1"
answers 'words of some messages' 200 '.sample.messages == 1 and (.items | map(.word))[0:2] == ["love","awful"]' "$terms&where=product=chair"
answers 'of none' 200 '.items == [] and .sample.complete' "$terms&q=nowhere"
answers 'explained by the model that scored them' 200 ".model == $(jq .model words) and .sample.messages == 4" "$terms&model=$(jq -r .model words)"
answers 'or by another' 200 '.sample.messages == 0 and (.model | startswith("vader-3.3.2@"))' "$terms&model=other"
for bad in limit=0 sample=0 sample=10001 where=x score_min=2; do
	problem "a bad query: $bad" 400 bad_query "/v1/terms?$bad"
done

# --- what restricts messages ---
answers 'by a member' 200 '.items | map(.id) == ["w1"]' '/v1/messages?where=product=chair&where=stars=2'
answers 'by a member of another value' 200 '.items == []' '/v1/messages?where=product=chair&where=stars=3'
answers 'by score' 200 '.items | map(.id) == ["w2"]' '/v1/messages?source=words&score_min=0.7'
answers 'by score from above' 200 '.items | all(.sentiment.score <= 0.4404) and (map(.id) | index("w3")) != null' '/v1/messages?source=words&score_max=0.4404'
answers 'scored ones' 200 '.items | length == 4' '/v1/messages?source=words&unscored=false'
answers 'unscored ones' 200 '.items == []' '/v1/messages?source=words&unscored'
answers 'corrected ones' 200 '.items == []' '/v1/messages?source=words&corrected=true'
answers 'by model' 200 '.items | length == 4' "/v1/messages?source=words&model=$(jq -r .model words)"
answers 'by another model' 200 '.items == []' '/v1/messages?source=words&model=other'
answers 'a page of some' 200 '.items | map(.id) == ["w1"]' '/v1/messages?source=words&where=product=chair&unscored=false&score_min=-1&limit=1&where=stars=2'
answers 'the first page' 200 '.items | map(.id) == ["w1"]' '/v1/messages?source=words&score_min=-1&unscored=false&limit=1'
ok 'leads to the next of the same' sh -c "echo \"$(header Link)\" | grep -F 'source=words' | grep -F 'score_min=-1' | grep -F 'unscored=false'"

for id in w1 w2 w3 w4; do
	answers "$id goes" 204 - "/v1/messages/$id" -X DELETE
done

# --- status ---
answers 'status' 200 '.ready and .dependencies.store == "ok" and .queue == null and .unavailable == {} and .uptime_ms > 0 and .cache.misses >= 0 and
	.store.messages == (.store | .positive + .neutral + .negative + .unscored) and .store.messages > 4 and .feed.lag_ms >= 0' /v1/status
ok 'has the version and the models' jq -e --arg v "$(senti-serve --version | awk '{ print $2 }')" '.version == $v and .models[0].default' body
says 'which no cache keeps' Cache-Control no-store

# --- statistics, models, health, description ---
answers 'statistics by label' 200 '.items | map(.key) | sort == ["negative","neutral","positive"]' /v1/stats
answers 'by source' 200 '.items | map(select(.key == "pages & more"))[0] | .count == 26 and .mean == 0 and .neutral == 26 and .positive == 0' '/v1/stats?by=source'
answers 'by time' 200 '.items | map([.start, .count])[0:2] == [["2026-01-01T00:00:00.000Z",1],["2026-01-02T00:00:00.000Z",1]]' '/v1/stats?by=time&step=1d'
answers 'of some' 200 '.items == [{"start":"2026-01-01T00:00:00.000Z","keys":["2026-01-01T00:00:00.000Z"],"count":1,"mean":0.6369,"stdev":0,
	"positive":1,"neutral":0,"negative":0,"labels":{"positive":1,"neutral":0,"negative":0}}]' \
	'/v1/stats?by=time&step=1d&source=shop&since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z&label=positive'
for bad in by= step=0h step=1y step=h label=x since=x; do
	problem "a bad query: $bad" 400 bad_query "/v1/stats?$bad"
done
answers 'models' 200 '.items | (map(.name) | contains(["vader","vader-nltk","textblob","afinn:en","afinn:da","plus","linear"])) and
	(map(select(.default)) | map(.name) == ["vader"]) and .[0] == {"name":"vader","version":"3.3.2","hash":.[0].hash,"model":("vader-3.3.2@" + .[0].hash),"default":true}' /v1/models
answers 'it lives' 200 '.status == "ok"' /livez
answers 'and is ready' 200 '.status == "ok" and .checks.store == "ok"' /readyz
answers 'metrics' 200 - /metrics
ok 'for Prometheus' grep -q '^senti_build_info{' body
answers 'the description' 200 '.openapi == "3.1.0" and .paths["/v1/sentiment"].post.operationId == "score"' /openapi.json
cp body openapi.json
ok 'has the version' test "$(jq -r .info.version openapi.json)" = "$(senti-serve --version | awk '{ print $2 }')"
ok 'and the models' jq -e '.paths["/v1/sentiment"].post.parameters[0].schema.enum | index("afinn:da") != null and (map(select(contains("@"))) | length) == 7' openapi.json
answers 'the page that shows it' 200 - /docs
says 'as HTML' Content-Type 'text/html; charset=utf-8'
nonce=$(header Content-Security-Policy | sed "s/.*script-src 'nonce-\([^']*\)'.*/\1/")
ok 'lets run only what the page itself holds' test "$(grep -c "<\(script\|style\) nonce=\"$nonce\">" body)" = 2
ok 'needs nothing from elsewhere' sh -c '! grep -E "(src|href)=\"?(https?:)?//|@import|[ :]url\(" body'
answers 'another time by another number' 200 - /docs
ok 'that nobody can know before' sh -c "! grep -q '$nonce' body"

# The document and the table of routes name the same paths and methods.
sed -n 's|^[[:space:]]*{"\([A-Z]*\)", "\(/[^"]*\)", SCOPE_.*|\2 \1|p' "$root/lib/serve/routes/routes.c" | sort >routes
jq -r '.paths | to_entries[] | .key as $path | .value | keys[] | select(IN("get","post","put","patch","delete")) | $path + " " + ascii_upcase' openapi.json | sort >described
# So are the kinds of problems.
cat "$root"/lib/http/*.c "$root"/lib/serve/*.c "$root"/lib/serve/routes/*.c | tr '\n\t' '  ' | grep -oE 'request_problem\( *[a-z][^,]*, *[0-9]+, *"[a-z_]+' | sed 's/.*"//' | sort -u >kinds
kinds_are_described() {
	jq -r '.. | .description? // empty' openapi.json | grep -o '`[a-z0-9_]*`' | tr -d '`' | sort -u >known
	comm -23 kinds known >missing
	cat missing
	[ "$(wc -l <kinds)" -ge 10 ] && [ ! -s missing ]
}
ok 'each kind of problem is described' kinds_are_described
ok 'there are routes to compare' test "$(wc -l <routes)" -ge 10
ok 'each route is described, and nothing else' diff routes described

# --- what HTTP asks for on all paths ---
cut -d ' ' -f 1 routes | uniq >paths
while read -r path; do
	want=$(awk -v p="$path" '$1 == p { print $2; if ($2 == "GET") print "HEAD" } END { print "OPTIONS" }' routes | sort | tr '\n' ' ')
	at=$(echo "$path" | sed 's/{id}/m1/')
	answers "OPTIONS $at" 204 - "$at" -X OPTIONS
	ok 'names the methods' test "$(header Allow | tr -d ' ' | tr ',' '\n' | sort | tr '\n' ' ')" = "$want"
	problem "TRACE $at" 405 method_not_allowed "$at" -X TRACE
	ok 'names the methods' test "$(header Allow | tr -d ' ' | tr ',' '\n' | sort | tr '\n' ' ')" = "$want"
done <paths
problem 'no such path' 404 no_such_path /v1/nix
problem 'no id' 404 no_such_path /v1/messages/
problem 'a slash too many' 404 no_such_path /v1/models/
for path in /v1/messages/m1 /v1/models '/v1/messages?limit=1' /livez /docs; do
	ok "HEAD $path" test "$(ask "$path" -I)" = 200
	head_length=$(header Content-Length)
	ask "$path" >/dev/null
	ok 'has the headers of GET' test "$head_length" = "$(wc -c <body)"
done
ok 'HEAD of none' test "$(ask /v1/messages/nix -I)" = 404
ok 'HEAD of events ends' test "$(ask /v1/events -I --max-time 20)" = 200

answers 'a request id comes back' 200 - /livez -H 'X-Request-Id: my-1.2:3'
says 'as it was' X-Request-Id my-1.2:3
answers 'one that is none' 200 - /livez -H 'X-Request-Id: a b'
ok 'is replaced' expr "$(header X-Request-Id)" : '[0-9a-f-]*-[0-9a-f]*$'
trace=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
answers 'a trace goes on' 200 - /livez -H "traceparent: $trace"
says 'as it was' traceparent $trace

# --- compression ---
answers 'without gzip' 200 - '/v1/messages?limit=100'
cp body identity
says 'may be another with it' Vary Accept-Encoding
says 'is not compressed' Content-Encoding ''
answers 'with gzip' 200 - '/v1/messages?limit=100' -H 'Accept-Encoding: br, gzip;q=0.5'
says 'is compressed' Content-Encoding gzip
says 'and says so to caches' Vary Accept-Encoding
ok 'to less' test "$(wc -c <body)" -lt "$(wc -c <identity)"
gunzip -c <body >got
ok 'and is the same inside' cmp identity got
answers 'gzip that is refused' 200 - '/v1/messages?limit=100' -H 'Accept-Encoding: gzip;q=0'
says 'is not used' Content-Encoding ''
answers 'a short answer' 200 - /livez -H 'Accept-Encoding: gzip'
says 'is not compressed' Content-Encoding ''
answers 'a long message' 202 - /v1/messages -H "$json" -d "{\"id\":\"long\",\"text\":\"$(printf '%02000d' 7)\"}"
answers 'compressed' 200 - /v1/messages/long -H 'Accept-Encoding: gzip'
tag=$(header ETag)
ok 'has a tag of its own' expr "$tag" : '"[0-9]*-gzip"$'
answers 'that is known again' 304 - /v1/messages/long -H 'Accept-Encoding: gzip' -H "If-None-Match: $tag"
answers 'and lets change' 200 - /v1/messages/long -X PATCH -H "$json" -H "If-Match: $tag" -d '{"label":"positive"}'

# --- events ---
# whole FILE: how many events it holds to their end.
whole() { awk '/^data: / { data = 1 } /^$/ { n += data; data = 0 } END { print n + 0 }' "$1"; }
# listen FILE COUNT QUERY [CURL OPTION...]: until so many events are there, or a minute is over.
listen() {
	listen_to=$1
	listen_for=$2
	listen_query=$3
	shift 3
	curl -sSN --max-time 60 -D headers "$@" "$url/v1/events$listen_query" >"$listen_to" &
	listener=$!
	wait_for "[ \"\$(whole '$listen_to')\" -ge $listen_for ]"
	kill $listener 2>/dev/null
	wait $listener 2>/dev/null
	:
}
numbers() { awk '/^event: scored$/ { getline; print $2 }' "$1"; } # other ids only tell the place
records() { sed -n 's/^data: \({.*}\)$/\1/p' "$1"; }
listen events 3 '' -H 'Last-Event-ID: 0'
ok 'events from the oldest on' test "$(grep -c '^event: scored$' events)" -ge 3
says 'as an event stream' Content-Type text/event-stream
says 'that nobody keeps' Cache-Control no-store
numbers events >got
ok 'each with a number, higher than the last' sort -n -u -c got
records events >got
ok 'and a scored record' jq -se 'length >= 3 and all(.sentiment.label)' got
listen again 1 '' -H "Last-Event-ID: $(numbers events | sed -n 2p)"
ok 'Last-Event-ID: the one behind it comes first' test "$(numbers again | head -n 1)" = "$(numbers events | sed -n 3p)"
listen some 1 '?source=mail&last-event-id=0'
records some >got
ok 'by source' jq -se 'length >= 1 and all(.source == "mail")' got
listen some 1 '?label=negative&last-event-id=0'
records some >got
ok 'by label' jq -se 'length >= 1 and all(.sentiment.label == "negative")' got
problem 'another label' 400 bad_query '/v1/events?label=good'
problem 'an event that is none' 400 bad_event_id /v1/events -H 'Last-Event-ID: x'

# --- the end: streams are ended, what was asked is answered ---
curl -sSN "$url/v1/events" >live 2>/dev/null &
listener=$!
tries=0
while ! grep -q retry live && [ $tries -lt 200 ]; do
	sleep 0.05
	tries=$((tries + 1))
done
ok 'a listener' grep -q retry live
ask /v1/messages -H "$json" -d '{"id":"last","text":"good bye"}' >/dev/null
end_server
ok 'SIGTERM: status 0' test $? = 0
wait $listener
ok 'its listeners were told' test $? = 0
ok 'what was taken is stored' test "$(senti-store get last | jq -r .text)" = 'good bye'
ok 'nothing listens any more' sh -c "! curl -sS $url/livez 2>/dev/null"

# --- limits ---
start_server --max-body 1000 --max-items 3 --max-record 200
long=$(printf '%0300d' 0)
problem 'too large a body' 413 too_large /v1/sentiment -H "$json" -d "{\"text\":\"$long$long$long$long\"}"
printf '{"text":"%s"}' "$long$long$long$long" >body.json
problem 'too large a body in pieces' 413 too_large /v1/sentiment -H "$json" -H 'Transfer-Encoding: chunked' --data-binary @body.json
problem 'too many items' 413 too_many_items /v1/sentiment -H "$json" -d '[{"text":"a"},{"text":"b"},{"text":"c"},{"text":"d"}]'
problem 'too long a record' 413 too_long /v1/sentiment -H "$json" -d "{\"text\":\"$long\"}"
problem 'too long a message' 413 too_long /v1/messages -H "$json" -d "{\"text\":\"$long\"}"
answers 'too long a record among others' 200 '.[0].error.code == "too_long" and .[1].sentiment' /v1/sentiment -H "$json" -d "[{\"text\":\"$long\"},{\"text\":\"b\"}]"
printf '{"text":"good"}\n{"text":"%s"}\n{"text":"bad"}\n' "$long" >body.jsonl
answers 'too long a line among others' 200 - /v1/sentiment -H "$lines" --data-binary @body.jsonl
ok 'in its place' test "$(jq -r '.sentiment.label // .error.code' body | tr '\n' ' ')" = 'positive too_long negative '
answers 'too long a line among messages' 202 - /v1/messages -H "$lines" --data-binary @body.jsonl
ok 'in its place' test "$(jq -r '.error.code // "id"' body | tr '\n' ' ')" = 'id too_long id '
end_server
start_server -m textblob
answers 'the model of -m' 200 '.sentiment.model | startswith("textblob")' /v1/sentiment -H "$json" -d '{"text":"good"}'
t 'a port that is taken' "senti-serve -l 127.0.0.1:$port --store sqlite:other.db" 3 <<END
--- stderr
senti-serve: cannot listen on '127.0.0.1:$port': Address already in use
END
end_server

# --- whom else it may be asked by ---
start_server --host senti.example --host '[2001:db8::1]' --cors https://friend.example
answers '--host' 200 - /livez -H 'Host: senti.example'
answers 'on any port, in any letters' 200 - /livez -H 'Host: SENTI.example:443'
answers 'another --host' 200 - /livez -H 'Host: [2001:db8::1]:80'
problem 'not what ends like it' 421 unknown_host /livez -H 'Host: evil.senti.example'
answers 'a page of --host behind a proxy with TLS' 202 - /v1/messages -H "$json" -d '{"id":"h","text":"x"}' -H 'Host: senti.example' \
	-H 'Origin: https://senti.example' -H 'X-Forwarded-Proto: https'
answers '--cors lets a page write' 202 - /v1/messages -H "$json" -d '{"id":"f","text":"x"}' -H 'Origin: https://friend.example' -H 'Sec-Fetch-Site: cross-site'
says 'and read' Access-Control-Allow-Origin https://friend.example
problem 'but a body needs its type' 415 unsupported_media_type /v1/messages -H 'Content-Type:' -d '{"text":"x"}' -H 'Origin: https://friend.example'
problem 'and no other page' 403 cross_origin /v1/messages/f -X DELETE -H 'Origin: http://friend.example' -H 'Sec-Fetch-Site: cross-site'
problem 'nor one that hides its origin' 403 cross_origin /v1/messages/f -X DELETE -H 'Sec-Fetch-Site: cross-site'
end_server
senti-serve --new-token a:write >tokens 2>token
start_server --tokens tokens
bearer="Authorization: Bearer $(cat token)"
answers 'with tokens, Host is not checked' 200 - /v1/models -H "$bearer" -H 'Host: senti.example'
problem 'but pages are' 403 cross_origin /v1/sentiment -H "$bearer" -H "$json" -d '{"text":"x"}' -H 'Origin: https://evil.example'
end_server
start_server --tokens tokens --host senti.example
problem 'unless there is --host' 421 unknown_host /v1/models -H "$bearer" -H 'Host: other.example'
end_server
start_server --insecure -l 0.0.0.0:0
answers 'on all addresses, an address in digits' 200 - /livez -H 'Host: 192.0.2.1:80'
problem 'but no name' 421 unknown_host /livez -H 'Host: evil.example'
end_server

# --- a store that goes ---
start_server --store sqlite:gone.db
answers 'stored' 200 - /v1/messages -H "$json" -H 'Prefer: wait=20' -d '{"id":"1","text":"x"}'
cp gone.db gone.copy
cp gone.db-wal gone.copy-wal
rm gone.db gone.db-wal gone.db-shm
problem 'a store that was removed takes nothing' 503 store_unavailable /v1/messages -H "$json" -d '{"id":"2","text":"x"}'
# Threads that have not used the store before open it now, for the first time.
for path in /v1/messages /v1/messages/1?x /v1/stats /v1/status /v1/terms '/graphql?query=%7Bmessages%7BtotalCount%7D%7D'; do
	ask "$path" >>asked
done
ok 'and nobody makes an empty one in its place' test ! -e gone.db
wait_for 'test "$(ask /readyz)" = 503'
answers 'and is not ready' 503 '.checks.store == "failing"' /readyz
mv gone.copy-wal gone.db-wal
mv gone.copy gone.db
wait_for 'test "$(ask /v1/messages/1)" = 200'
wait_for 'test "$(ask /readyz)" = 200'
# A connection that had the old file open says so once.
ok 'once it is back, it is used again' wait_for "[ \"\$(ask /v1/messages -H '$json' -H 'Prefer: wait=20' -d '{\"id\":\"2\",\"text\":\"x\"}')\" = 200 ]"
t 'what was there and what is new is in it' 'senti-store query --store sqlite:gone.db | jq -r .id | sort' 0 <<END
1
2
END
end_server

# --- mistakes ---
fails() { # fails NAME STATUS PATTERN OPTION...
	fails_name=$1
	fails_status=$2
	fails_words=$3
	shift 3
	SENTI_AMQP=amqp://127.0.0.1:1 timeout 20 senti-serve "$@" >out 2>err
	ok "$fails_name" test "$?" = "$fails_status"
	ok 'and says why' grep -qE "$fails_words" err
	ok 'on stderr only' test ! -s out
}
fails 'an unknown option' 2 'nix' --nix
fails 'no address' 2 'not an address to listen on' -l nowhere:port
fails 'a port that is none' 2 'not an address to listen on' -l 127.0.0.1:99999
fails 'an unknown model' 2 "unknown model 'nix'" -m nix
fails 'no number' 2 'max-items' --max-items x
fails 'a lexicon without +' 2 'takes \+FILE' --lexicon words.tsv
fails 'a host with a port' 2 "not 'a:80'" --host a:80
fails 'operands' 2 "unexpected operand 'extra': senti-serve takes no operands" extra
echo precious >texts
fails 'a queue by its name, and no broker' 3 'cannot connect to the broker amqp://guest@127.0.0.1:1/' -l 127.0.0.1:0 --queue texts
ok 'is not a file' test "$(cat texts)" = precious
fails 'another queue by its name' 3 'cannot connect to the broker' -l 127.0.0.1:0 --queue other
ok 'makes no file' test ! -e other
fails 'a file for a queue' 2 "not './texts'" --queue ./texts
fails 'stdout for a queue' 2 "not '-'" --queue -
fails 'an unknown kind of queue' 2 "not 'file:texts'" --queue file:texts
fails 'a life of no time' 2 'pending-ttl' --pending-ttl 0s
fails 'a store that cannot be opened' 3 'no/such/senti.db' --store sqlite:no/such/senti.db -l 127.0.0.1:0
finish
