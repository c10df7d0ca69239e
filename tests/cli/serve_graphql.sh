#!/bin/sh
# /graphql of senti-serve as a client sees it, on what is built in; and the examples of senti-graphql(7).
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need '/graphql' curl jq || finish

# ask DOCUMENT [CURL OPTION...]: the body into body, the headers into headers, the status into $status.
ask() {
	echo "$1" | jq -Rs '{query: .}' >question
	shift
	post question "$@"
}

# post FILE [CURL OPTION...]
post() {
	file=$1
	shift
	status=$(curl -sS -o body -D headers -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "@$file" "$@" "$url/graphql")
}

# is STATUS JQ: of the last answer.
is() {
	cat headers body
	[ "$status" = "$1" ] && jq -e "$2" body
}

# gives NAME DOCUMENT JQ: the data; refused NAME DOCUMENT CODE: the error.
gives() {
	ask "$2"
	ok "$1" is 200 "(has(\"errors\") | not) and (.data | $3)"
}
refused() {
	ask "$2"
	ok "$1" is 200 "(.errors | any(.extensions.code == \"$3\"))"
}

start_server
# --- the same answers as REST and the command line ---
gives 'a sentiment' '{ sentiment(text: "I love it", explain: true) { label score neg neu pos subjectivity model why { at word value rule } } }' \
	'.sentiment.label == "POSITIVE" and .sentiment.subjectivity == null'
echo '{"text":"I love it"}' | senti-score --explain | jq -S '.sentiment | .label |= ascii_upcase' >want
jq -S '.data.sentiment | del(.subjectivity)' body >got
ok 'is that of senti-score, field by field' cmp want got
gives 'with another model' '{ sentiment(text: "I love it", model: "textblob") { score subjectivity neg model } }' \
	'.sentiment | .score == 0.5 and .subjectivity == 0.6 and .neg == null and (.model | startswith("textblob-"))'
refused 'with none that there is' '{ sentiment(text: "x", model: "nope") { score } }' BAD_USER_INPUT
gives 'sentiments of several texts' '{ sentiments(texts: ["good", "bad", ""]) { label } }' \
	'[.sentiments[].label] == ["POSITIVE", "NEGATIVE", "NEUTRAL"]'
gives 'models' '{ models { name default hash version } }' '.models[0] == {name: "vader", default: true, hash: .models[0].hash, version: "3.3.2"}'

# --- mutations ---
gives 'messages are submitted' 'mutation { submit(messages: [
		{id: "a", text: "I love it", source: "shop", time: "2026-01-01T00:00:00+01:00"}, {id: "b", text: "I hate it"}, {id: "", text: "x"}, {text: "new"}
	], waitMs: 1000) { id error message { id text source time version seq sentiment { label score } } } }' \
	'.submit[0] == {id: "a", error: null, message: {id: "a", text: "I love it", source: "shop", time: "2025-12-31T23:00:00.000Z", version: "1",
		seq: null, sentiment: {label: "POSITIVE", score: 0.6369}}} and (.submit[2].error | startswith("no_id: ")) and .submit[2].message == null and
		(.submit[3].id | length) == 36'
gives 'without waiting' 'mutation { submit(messages: [{id: "c", text: "fine", time: "2026-02-01T00:00:00Z"}]) { id error message { id } } }' \
	'.submit == [{id: "c", error: null, message: null}]'
gives 'none at all' 'mutation { submit(messages: []) { id } }' '.submit == []'
curl -sS "$url/v1/messages/a" | jq -S '{id, text, time, version: (.version | tostring), score: .sentiment.score}' >want
ask '{ message(id: "a") { id text time version sentiment { score } } }'
jq -S '.data.message | .score = .sentiment.score | del(.sentiment)' body >got
ok 'a message is what REST shows' cmp want got
gives 'messages by id, one of which there is not' '{ x: message(id: "a") { id } y: message(id: "none") { id } z: message(id: "b") { id } }' \
	'. == {x: {id: "a"}, y: null, z: {id: "b"}}'
gives 'a label is corrected' 'mutation { correct(id: "b", label: NEUTRAL) { id sentiment { label } } }' '.correct.sentiment.label == "NEUTRAL"'
gives 'and read back' '{ message(id: "b") { sentiment { label } } messages(filter: {corrected: true}) { edges { node { id } } } }' \
	'.message.sentiment.label == "NEUTRAL" and [.messages.edges[].node.id] == ["b"]'
refused 'of a message that there is not' 'mutation { correct(id: "none", label: NEUTRAL) { id } }' NOT_FOUND
gives 'mutations run in order' 'mutation { a: submit(messages: [{id: "d", text: "x"}]) { id } b: delete(id: "d") c: delete(id: "d") }' \
	'.b == true and .c == false'

# --- lists ---
gives 'a page' '{ messages(first: 1) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }' \
	'.messages | [.edges[].node.id] == ["a"] and .pageInfo == {hasNextPage: true, hasPreviousPage: false, startCursor: .edges[0].cursor,
		endCursor: .edges[0].cursor}'
for order in OLDEST NEWEST ID SCORE_ASCENDING SCORE_DESCENDING; do
	: >seen
	after=null
	while [ "$after" != end ]; do
		ask "{ messages(first: 1, order: $order, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }"
		jq -r '.data.messages.edges[].node.id' body | cut -c 1-2 >>seen
		after=$(jq -r '.data.messages.pageInfo | if .hasNextPage then "\"\(.endCursor)\"" else "end" end' body)
	done
	case $order in
	OLDEST) want='a c 01 b' ;;
	NEWEST) want='c a b 01' ;;
	ID) want='01 a b c' ;;
	SCORE_ASCENDING) want='b 01 c a' ;;
	SCORE_DESCENDING) want='a c 01 b' ;;
	esac
	ok "page by page, in the order $order" test "$(tr '\n' ' ' <seen)" = "$want "
done
gives 'with a filter' '{ messages(filter: {label: POSITIVE, source: "shop", since: "2025-01-01T00:00:00Z", q: "LOVE"}) { edges { node { id } } } }' \
	'[.messages.edges[].node.id] == ["a"]'
refused 'with a cursor that is none' '{ messages(after: "zz") { edges { cursor } } }' BAD_USER_INPUT
refused 'with too many a page' '{ messages(first: 1001) { edges { cursor } } }' BAD_USER_INPUT
refused 'with a time that is none' '{ messages(filter: {since: "yesterday"}) { edges { cursor } } }' BAD_USER_INPUT
gives 'by the words of a person' '{ a: messages(filter: {corrected: true}) { edges { node { id } } } b: messages(filter: {corrected: false, q: "i"}, order: ID)
	{ edges { node { id } } } }' '[.a.edges[].node.id] == ["b"] and [.b.edges[].node.id] == ["a", "c"]'
gives 'by score' '{ messages(filter: {scoreMin: 0.5, scoreMax: 1, unscored: false}) { edges { node { id } } } }' '[.messages.edges[].node.id] == ["a"]'
refused 'after a cursor of another order' "{ messages(after: \"$(printf %s '-:b' | od -An -tx1 | tr -d ' \n')\", order: SCORE_ASCENDING) { edges { cursor } } }" \
	BAD_USER_INPUT
gives 'statistics' '{ stats(by: [LABEL]) { key keys count mean stdev positive neutral negative cursor } }' \
	'[.stats[] | [.key, .count, .positive]] | sort == [["neutral", 2, 0], ["positive", 2, 2]]'
gives 'by time' '{ stats(by: [TIME], step: "1d") { start count } }' '.stats == [{start: "2025-12-31T00:00:00.000Z", count: 1},
	{start: "2026-02-01T00:00:00.000Z", count: 1}]'
ask '{ stats(by: [LABEL], first: 1) { cursor } }'
cursor=$(jq -r '.data.stats[0].cursor' body)
gives 'page by page' "{ stats(by: [LABEL], after: \"$cursor\") { key } }" '.stats | length == 1'
gives 'terms' '{ terms(first: 2) { word count contribution } }' '[.terms[].word] == ["love", "hate"] and .terms[1].contribution == -2.7'
gives 'status' '{ status { queueDepth deadLetters cacheHits cacheMisses lagMs } }' '.status | .queueDepth == 0 and .deadLetters == null and
	.cacheHits > 0 and .lagMs >= 0'

# --- over HTTP ---
status=$(curl -sS -o body -D headers -w '%{http_code}' -G --data-urlencode 'query=query ($t: String!) { sentiment(text: $t) { label } }' \
	--data-urlencode 'variables={"t":"good"}' "$url/graphql")
ok 'GET' is 200 '.data.sentiment.label == "POSITIVE"'
status=$(curl -sS -o body -D headers -w '%{http_code}' -G --data-urlencode 'query=mutation { delete(id: "a") }' "$url/graphql")
ok 'makes no change' is 405 '.errors[0].extensions.code == "METHOD_NOT_ALLOWED"'
ok 'and says what does' grep -qi '^allow: POST' headers
ask '{ nope }' -H 'Accept: application/graphql-response+json'
ok 'a document that is wrong is 400' is 400 '.errors[0].extensions.code == "GRAPHQL_VALIDATION_FAILED" and (has("data") | not)'
ok 'as application/graphql-response+json' grep -qi '^content-type: application/graphql-response+json; charset=utf-8' headers
ask '{ nope }'
ok 'and 200 as application/json' is 200 '.errors[0].locations == [{line: 1, column: 3}]'
echo '{"query": 7}' >question
post question
ok 'what is no question is 400' is 400 '.errors[0].extensions.code == "BAD_REQUEST"'
ask '{ models { name } }' -H 'Accept: text/html'
ok 'an answer in no form that is accepted is 406' is 406 '.errors'
curl -sS -o body -D headers -w '%{http_code}' -d 'query={models{name}}' "$url/graphql" >code
ok 'a form is 415' grep -qx 415 code
ask '{ models { name } }' -H 'Sec-Fetch-Site: cross-site'
ok 'a web page of another origin is refused' is 403 '.type | endswith("cross_origin")'
status=$(curl -sS -o body -D headers -w '%{http_code}' -G -H 'Origin: http://example.org' --data-urlencode 'query={ models { name } }' "$url/graphql")
ok 'with GET too' is 403 '.type | endswith("cross_origin")'
end_server

# --- the manual ---
awk '/^\.Bd/ { on = 1; next } /^\.Ed/ { on = 0; print ";" } on' "$root/man/senti-graphql.7" | sed 's/\\e/\\/g' >examples
start_server
split_example() { # split_example N: the Nth
	awk -v RS=';\n' -v n="$1" 'NR == n' examples | sed "s|localhost:8080|$url|"
}
n=0
while [ $n -lt "$(grep -c '^;$' examples)" ]; do
	n=$((n + 1))
	split_example $n >example
	sh example >body 2>headers
	status=$?
	ok "example $n of senti-graphql(7)" is 0 '.data and (has("errors") | not)'
done
ok 'all examples ran' test $n -ge 6
end_server

# --- events ---
start_server
listen() { # listen DOCUMENT: events go to the file `events`; the listener's number in $listener
	: >events
	echo "$1" | jq -Rs '{query: .}' >question
	curl -sSN -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d @question "$url/graphql" >events &
	listener=$!
}
listen 'subscription { scored(filter: {label: NEGATIVE}) { id seq text sentiment { label score } } }'
wait_for 'grep -q "^:" events'
ask 'mutation { submit(messages: [{id: "e1", text: "I hate it"}, {id: "e2", text: "I love it"}, {id: "e3", text: "It is bad"}]) { id } }'
wait_for 'grep -q e3 events'
kill "$listener"
sed -n 's/^data: //p' events | jq -s '[.[].data.scored]' >body
status=0
: >headers
ok 'a subscription hears what it asked for' is 0 '[.[].id] == ["e1", "e3"] and .[0].text == "I hate it" and .[0].sentiment.label == "NEGATIVE"'
ok 'as graphql-sse has it' grep -qx 'event: next' events
seq=$(jq -r '.[0].seq' body)
listen "subscription { scored(after: \"$seq\") { id } }"
wait_for 'grep -q e3 events'
kill "$listener"
sed -n 's/^data: //p' events | jq -s '[.[].data.scored.id]' >body
ok 'and goes on after a seq' is 0 '. == ["e2", "e3"]'
curl -sS -o /dev/null -H 'Content-Type: application/x-ndjson' -d '{"id":"f1","text":"so so","lang":"en"}' "$url/v1/messages"
listen_to() { # listen_to FILTER ID: what the filter lets through ends with this id
	listen "subscription { scored(after: \"$seq\", filter: $1) { id } }"
	wait_for "grep -q '\"$2\"' events"
	kill "$listener"
	sed -n 's/^data: //p' events | jq -r '.data.scored.id' | tr '\n' ' ' >heard
}
listen_to '{scoreMin: -1, scoreMax: -0.1}' e3
ok 'by score' grep -qx 'e3 ' heard
listen_to '{q: "IT"}' e3
ok 'by text' grep -qx 'e2 e3 ' heard
listen_to '{where: [{name: "lang", value: "en"}]}' f1
ok 'by another member' grep -qx 'f1 ' heard
listen_to "{model: \"$(curl -sS "$url/v1/messages/f1" | jq -r .sentiment.model)\", corrected: false, unscored: false}" f1
ok 'by model' grep -qx 'e2 e3 f1 ' heard
gives 'the same of stored messages' '{ messages(filter: {where: [{name: "lang", value: "en"}]}) { edges { node { id } } } }' '[.messages.edges[].node.id] == ["f1"]'
listen '{ sentiment(text: "good") { label } }'
wait "$listener"
ok 'a query is answered by one event, and completed' test "$(tr '\n' '|' <events)" = \
	'event: next|data: {"data":{"sentiment":{"label":"POSITIVE"}}}||event: complete|data: ||'
listen 'subscription { nope }'
wait "$listener"
ok 'an error comes as an event' grep -q '^data: {"errors":.*GRAPHQL_VALIDATION_FAILED' events
ask 'subscription { scored { id } }'
ok 'a subscription needs events' is 200 '.errors[0].extensions.code == "BAD_USER_INPUT"'
end_server

# --- all operations in one stream ---
start_server
reserve() { # reserve [CURL OPTION...]: a token in $token
	status=$(curl -sS -o body -D headers -w '%{http_code}' -X PUT "$@" "$url/graphql")
	token=$(cat body)
}
open_stream() { # open_stream [CURL OPTION...]: events go to the file `events`; the listener's number in $listener
	: >events
	curl -sSN -H "X-GraphQL-Event-Stream-Token: $token" -H 'Accept: text/event-stream' "$@" "$url/graphql" >events &
	listener=$!
	wait_for 'grep -q "^:" events'
}
operate() { # operate ID DOCUMENT [CURL OPTION...]: an operation of the reservation
	echo "$2" | jq -Rs --arg id "$1" '{query: ., extensions: {operationId: $id}}' >question
	shift 2
	post question -H "X-GraphQL-Event-Stream-Token: $token" "$@"
}
end_operation() { # end_operation ID
	status=$(curl -sS -o body -D headers -w '%{http_code}' -X DELETE "$url/graphql?token=$token&operationId=$1")
}
answers() { # answers ID: the payloads so far, as an array
	sed -n 's/^data: //p' events | jq -s --arg id "$1" '[.[] | select(.id == $id and .payload).payload.data]' >body
	status=0
	: >headers
}
reserve
ok 'a reservation is 201' test "$status" = 201
ok 'and its token is text' test "${#token}" = 36
operate q1 '{ models { name } }'
ok 'an operation before the stream is 202' test "$status" = 202
open_stream
wait_for 'grep -q complete events'
answers q1
ok 'and its answer comes first' is 0 '.[0].models[0].name == "vader"'
ok 'and then its end' grep -qx 'data: {"id":"q1"}' events
status=$(curl -sS -o body -D headers -w '%{http_code}' -H "X-GraphQL-Event-Stream-Token: $token" -H 'Accept: text/event-stream' "$url/graphql")
ok 'there is one stream' is 409 '.errors[0].extensions.code == "STREAM_OPEN"'
operate all 'subscription { scored { id seq } }'
operate bad 'subscription { scored(filter: {label: NEGATIVE}) { id sentiment { label } } }'
operate all 'subscription { scored { id } }'
ok 'an id stands for one operation' is 409 '.errors[0].extensions.code == "OPERATION_EXISTS"'
operate wrong '{ nope }'
ok 'a wrong document is 400' is 400 '.errors[0].extensions.code == "GRAPHQL_VALIDATION_FAILED"'
operate '' '{ models { name } }'
ok 'so is one without an id' is 400 '.errors[0].extensions.code == "BAD_REQUEST"'
operate put 'mutation { submit(messages: [{id: "o1", text: "I hate it"}, {id: "o2", text: "I love it"}]) { id } }'
wait_for 'grep -q "\"all\".*o2" events && grep -q "\"bad\".*o1" events'
answers all
ok 'each subscription hears what it asked for' is 0 '[.[].scored.id] == ["o1", "o2"]'
seq=$(jq -r '.[0].scored.seq' body)
answers bad
ok 'and that alone' is 0 '. == [{scored: {id: "o1", sentiment: {label: "NEGATIVE"}}}]'
end_operation all
ok 'an operation is ended' test "$status" = 200
operate put 'mutation { submit(messages: [{id: "o3", text: "It is bad"}]) { id } }'
wait_for 'grep -q "\"bad\".*o3" events'
answers all
ok 'and hears nothing more' is 0 'length == 2'
operate all "subscription { scored(after: \"$seq\") { id } }"
wait_for 'grep -q "\"all\".*o3" events'
answers all
ok 'its id is free again, and it goes on after a seq' is 0 '[.[2:][].scored.id] == ["o2", "o3"]'
kill "$listener"
wait "$listener"
gone() {
	operate late '{ models { name } }'
	[ "$status" = 404 ]
}
wait_for gone
ok 'the reservation ends with its stream' is 404 '.errors[0].extensions.code == "STREAM_NOT_FOUND"'
end_operation all
ok 'for all requests' is 404 '.errors[0].extensions.code == "STREAM_NOT_FOUND"'
reserve
open_stream
kill "$server"
wait "$listener"
ok 'the stream ends well when the server does' test $? = 0
wait "$server"
senti-serve --new-token one:read >tokens 2>one
senti-serve --new-token two:read >>tokens 2>two
start_server --tokens tokens
reserve -H "Authorization: Bearer $(cat one)"
operate a '{ models { name } }' -H "Authorization: Bearer $(cat two)"
ok 'a reservation is of the token that made it' is 404 '.errors[0].extensions.code == "STREAM_NOT_FOUND"'
operate a '{ models { name } }' -H "Authorization: Bearer $(cat one)"
ok 'which may use it' test "$status" = 202
open_stream -H "Authorization: Bearer $(cat one)"
sed -i /^one/d tokens
kill -HUP "$server"
wait "$listener"
ok 'the stream ends with the token' test $? = 0
end_server

# --- trusted documents ---
mkdir docs
printf '{ models { name } }\n' >docs/models.graphql
printf 'query ($t: String!) { sentiment(text: $t) { label } }' >docs/label.graphql
echo '{ nope }' >docs/not-one.txt
start_server --graphql-documents docs
named() { # named HASH [MEMBERS]: a request by hash
	echo "{\"documentId\": \"$1\"${2-}}" >question
	post question
}
hash_of() {
	sha256sum "$@" | cut -d ' ' -f 1
}
named "sha256:$(hash_of docs/models.graphql)"
ok 'a document by its hash' is 200 '.data.models[0].name == "vader"'
named "$(printf '{ models { name } }' | hash_of)"
ok 'and without its line end' is 200 '.data.models[0].name == "vader"'
named "$(hash_of docs/label.graphql)" ', "variables": {"t": "I love it"}'
ok 'with variables' is 200 '.data.sentiment.label == "POSITIVE"'
echo "{\"extensions\": {\"persistedQuery\": {\"version\": 1, \"sha256Hash\": \"$(hash_of docs/models.graphql)\"}}}" >question
post question
ok 'as the extension persistedQuery' is 200 '.data.models[0].name == "vader"'
status=$(curl -sS -o body -D headers -w '%{http_code}' "$url/graphql?documentId=$(hash_of docs/models.graphql)")
ok 'by GET' is 200 '.data.models[0].name == "vader"'
jq -n --rawfile q docs/label.graphql '{query: $q, variables: {t: "bad"}}' >question
post question
ok 'in full' is 200 '.data.sentiment.label == "NEGATIVE"'
ask '{ models { name version } }'
ok 'no other' is 400 '.errors[0].extensions.code == "DOCUMENT_NOT_TRUSTED"'
named "$(hash_of docs/not-one.txt)"
ok 'and no other file' is 400 '.errors[0].extensions.code == "DOCUMENT_NOT_FOUND"'
printf '{ models { name version } }' >docs/more.graphql
kill -HUP "$server"
wait_for 'grep -q "documents read again" log'
named "$(hash_of docs/more.graphql)"
ok 'SIGHUP reads them again' is 200 '.data.models[0].version == "3.3.2"'
echo '{ nope }' >docs/wrong.graphql
kill -HUP "$server"
wait_for 'grep -q "as before" log'
ok 'a wrong one is named' grep -q "docs/wrong.graphql': Cannot query field" log
named "$(hash_of docs/more.graphql)"
ok 'and changes nothing' is 200 '.data.models[0].version == "3.3.2"'
end_server
senti-serve -l 127.0.0.1:0 --graphql-documents docs 2>log
ok 'nor does the server start with it' test $? = 2
start_server
named "$(hash_of docs/more.graphql)"
ok 'without the option there are none' is 400 '.errors[0].extensions.code == "DOCUMENT_NOT_FOUND"'
end_server

# --- limits ---
many() { # many N TEXT: so many times
	awk -v n="$1" -v text="$2" 'BEGIN { for (i = 0; i < n; i++) { t = text; gsub(/#/, i, t); printf "%s ", t } }'
}
start_server
refused '10,000 aliases' "{ $(many 10000 'a#: status { lagMs }') }" GRAPHQL_PARSE_FAILED
refused '31 aliases' "{ $(many 31 'a#: status { lagMs }') }" ALIAS_LIMIT
refused '31 root fields' "{ $(many 31 'status { lagMs }') }" ROOT_FIELD_LIMIT
refused '21 directives' "{ status { $(many 21 'lagMs @include(if: true)') } }" DIRECTIVE_LIMIT
refused '20 levels' "{ __type(name: \"Int\") { $(many 18 'ofType {') name $(many 18 '}') } }" DEPTH_LIMIT
refused 'a page of pages' '{ messages(first: 1000) { edges { node { id text } } } a: messages(first: 1000) { edges { node { id text source time version
	seq sentiment { label score neg neu pos model } } } } b: sentiments(texts: []) { label } c: terms(first: 100000) { word } }' COST_LIMIT
end_server
senti-serve --new-token r:read >tokens 2>reader
senti-serve --new-token w:write >>tokens 2>writer
start_server --tokens tokens --no-introspection
ask '{ models { name } }'
ok 'a token is needed' is 401 '.status == 401'
ask '{ models { name } }' -H "Authorization: Bearer $(cat reader)"
ok 'one that may read does for queries' is 200 '.data.models[0].name == "vader"'
ask 'mutation { delete(id: "a") }' -H "Authorization: Bearer $(cat reader)"
ok 'and not for mutations' is 403 '.errors[0].extensions.code == "FORBIDDEN"'
ask 'mutation { delete(id: "none") }' -H "Authorization: Bearer $(cat writer)"
ok 'for which one that may write does' is 200 '.data.delete == false'
ask '{ __schema { types { name } } }' -H "Authorization: Bearer $(cat reader)"
ok 'introspection is switched off' is 200 '.errors[0].extensions.code == "INTROSPECTION_DISABLED"'
end_server
trap 'cd /; rm -rf "$T"' EXIT
finish
