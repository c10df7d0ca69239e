#!/bin/sh
# What those see of senti-serve who operate it: /metrics, /readyz, and its end, on what is built in.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need 'operating senti-serve' curl jq || finish
PATH=$PATH:$root/build

json='Content-Type: application/json'

# status PATH [CURL OPTION...]: the body goes into body.
status() {
	status_path=$1
	shift
	curl -sS -o body -w '%{http_code}' "$@" "$url$status_path"
}

is() {
	[ "$1" = "$2" ] || {
		echo "'$1', not '$2'"
		cat body
		return 1
	}
}

# figure NAME VALUE: the sample in the file metrics.
figure() {
	grep -qFx "$1 $2" metrics || {
		grep -F "${1%%\{*}" metrics
		return 1
	}
}

start_server
ok 'it is ready' is "$(status /readyz)" 200
ok 'and tells of what it needs by name' jq -e '. == {status: "ok", checks: {store: "ok", cache: "ok", news: "ok"}}' body

for i in 1 2 3; do
	status /v1/sentiment -H "$json" -d '[{"text":"I love it"},{"text":"I hate it"},{"id":1}]' >/dev/null
	status /v1/messages -H "$json" -d "{\"id\":\"m$i\",\"text\":\"I love it\"}" >/dev/null
	status "/v1/messages/m$i" >/dev/null
	status "/v1/messages/none$i" >/dev/null
	status "/nowhere/$i" >/dev/null
	status "/v1/models" -X "METHOD$i" >/dev/null
done
status '/v1/sentiment?model=textblob' -H "$json" -d '{"text":"I love it"}' >/dev/null
ok 'metrics' is "$(status /metrics)" 200
cp body metrics
ok 'requests by route and code' figure 'senti_http_requests_total{route="/v1/messages",code="202",method="POST"}' 3
ok 'the route is that of the table, not the path' figure 'senti_http_requests_total{route="/v1/messages/{id}",code="404",method="GET"}' 3
ok 'all unknown paths share one' figure 'senti_http_requests_total{route="other",code="404",method="other"}' 3
ok 'so do all unknown methods' figure 'senti_http_requests_total{route="other",code="405",method="other"}' 3
ok 'each request has its time' figure 'senti_http_request_duration_seconds_count{route="/v1/sentiment",method="POST"}' 4
ok 'and is in the widest bucket' figure 'senti_http_request_duration_seconds_bucket{route="/v1/sentiment",method="POST",le="+Inf"}' 4
ok 'texts by model, of both ways' grep -Eq '^senti_score_texts_total\{model="vader-[^"]*"\} 9$' metrics
ok 'results by label and model' grep -Eq '^senti_results_total\{label="positive",model="vader-[^"]*"\} [1-9]' metrics
ok 'and of another model' grep -Eq '^senti_score_texts_total\{model="textblob-[^"]*"\} 1$' metrics
ok 'what the cache said' figure 'senti_cache_requests_total{result="hit"}' 3
ok 'what it did not know' figure 'senti_cache_requests_total{result="miss"}' 3
ok 'records of all batches' figure senti_batch_size_sum 3
ok 'nothing waits' figure senti_queue_unacked 0
ok 'what it needs' figure 'senti_dependency_up{dependency="store"}' 1
ok 'nobody listens' figure senti_events_listeners 0
curl -sSN "$url/v1/events" >stream 2>&1 &
listener=$!
wait_for "curl -sS $url/metrics | grep -qx 'senti_events_listeners 1'"
status /metrics >/dev/null
ok 'one listens' grep -qx 'senti_events_listeners 1' body
if command -v promtool >/dev/null; then
	ok 'promtool finds nothing wrong' sh -c 'promtool check metrics <body'
else
	skip 'promtool finds nothing wrong' 'no promtool'
fi

end_server
ok 'it ends well, with a listener' is $? 0
wait "$listener"

# --- told to end, it serves for the delay; this one is not over before it is killed ---
start_server --drain-delay 600
curl -sSN "$url/v1/events" >stream 2>&1 &
listener=$!
wait_for 'grep -q retry stream'
kill "$server"
wait_for "[ \$(curl -s -o body -w '%{http_code}' $url/readyz) = 503 ]"
ok 'told to end, it is not ready' jq -e '.type == "urn:senti:problem:draining" and .status == 503 and .checks.store == "ok"' body
ok 'and serves for the delay nonetheless' is "$(status /v1/sentiment -H "$json" -d '{"text":"I love it"}')" 200
wait "$listener"
ok 'event streams end at once' is "$(status /livez)" 200
kill -KILL "$server"
wait "$server" 2>/dev/null

# --- a server that only reads; and one that would write, on a disk that is read-only ---
mkdir disk
printf '{"id":"a","text":"I love it"}\n' | senti-score | senti-store put --store sqlite:disk/senti.db >/dev/null
start_server --read-only --store sqlite:disk/senti.db
ok 'a server that only reads is ready' is "$(status /readyz)" 200
ok 'and reads' is "$(status /v1/messages/a)" 200
ok 'and scores' is "$(status /v1/sentiment -H "$json" -d '{"text":"I love it"}')" 200
refused() { # refused PATH [CURL OPTION...]
	is "$(status "$@")" 403 && jq -e '.type == "urn:senti:problem:read_only"' body
}
ok 'but takes no message' refused /v1/messages -H "$json" -d '{"id":"b","text":"I hate it"}'
ok 'corrects none' refused /v1/messages/a -X PATCH -H "$json" -d '{"label":"neutral"}'
ok 'and deletes none' refused /v1/messages/a -X DELETE
ok 'nor by GraphQL' is "$(status /graphql -H "$json" -H 'Accept: application/graphql-response+json' \
	-d '{"query":"mutation { delete(id: \"a\") }"}')" 403
ok 'which says why' jq -e '.errors[0].extensions.code == "READ_ONLY"' body
printf '{"id":"c","text":"so sad"}\n' | senti-score | senti-store put --store sqlite:disk/senti.db >/dev/null
wait_for "[ \$(status /v1/messages/c) = 200 ]"
ok 'what others store is there' jq -e '.sentiment.label == "negative"' body
end_server
ok 'it ends well' is $? 0
ends() { # ends STATUS COMMAND...
	wanted=$1
	shift
	"$@"
	[ $? = "$wanted" ]
}
ok 'a store that is missing is not made' ends 3 senti-serve --read-only --store sqlite:disk/none.db -l 127.0.0.1:0
ok 'a store in memory has nobody to share it' ends 2 senti-serve --store :memory:
ok 'no file is there' test ! -e disk/none.db
ok 'a queue is of no use to it' ends 2 senti-serve --read-only --queue texts --store sqlite:disk/senti.db
ok 'nor is a cache of others' ends 2 senti-serve --read-only --cache redis://127.0.0.1:1 --store sqlite:disk/senti.db
if unshare -m mount --bind disk disk 2>/dev/null; then
	mkdir apart
	printf '#!/bin/sh\nexec unshare -m %s "$@"\n' "$(command -v senti-serve)" >apart/senti-serve
	chmod +x apart/senti-serve
	PATH=$PWD/apart:$PATH start_server --store sqlite:disk/senti.db
	ok 'a store that can be written is ready' is "$(status /readyz)" 200
	nsenter -m -t "$server" mount --bind "$PWD/disk" "$PWD/disk"
	nsenter -m -t "$server" mount -o remount,bind,ro "$PWD/disk"
	wait_for "[ \$(status /readyz) = 503 ]"
	ok 'on a disk that has become read-only it is not' jq -e '.checks.store == "failing"' body
	ok 'the log says why' grep -q 'cannot write the store .*Read-only file system' log
	ok 'it reads nonetheless' is "$(status /v1/messages/a)" 200
	nsenter -m -t "$server" mount -o remount,bind,rw "$PWD/disk"
	wait_for "[ \$(status /readyz) = 200 ]"
	end_server
else
	skip 'a disk that becomes read-only' 'no mount name space'
fi

# --- a token that is removed ends the streams that it has opened, those that catch up too ---
for name in gone.read gone.catching stays.read writer.write; do
	senti-serve --new-token "${name%.*}-${name#*.}:$([ "${name#*.}" = write ] && echo write || echo read)" >>tokens 2>"$name"
done
bearer() { echo "Authorization: Bearer $(cat "$1")"; }
start_server --tokens tokens --store sqlite:revoked.db
curl -sSN -m 60 -H "$(bearer gone.read)" "$url/v1/events" >gone 2>gone.err &
gone=$!
curl -sSN -m 60 -H "$(bearer gone.catching)" -H 'Last-Event-ID: 0' "$url/v1/events" >catching 2>catching.err &
catching=$!
curl -sSN -m 60 -H "$(bearer stays.read)" "$url/v1/events" >stays 2>stays.err &
stays=$!
curl -sS -H "$(bearer writer.write)" -H "$json" -d '{"id":"before","text":"seen by all"}' "$url/v1/messages" >body
for f in gone catching stays; do
	ok "$f listens" wait_for "grep -q before $f || { [ $f != catching ] && grep -q retry $f; }"
done
grep -v '^gone' tokens >fewer && cat fewer >tokens
kill -HUP $server
wait $gone
ok 'the stream of a removed token ends, and well' is $? 0
wait $catching
ok 'so does one that began in the past' is $? 0
ok 'its token is refused' is "$(status /v1/events -H "$(bearer gone.read)")" 401
curl -sS -H "$(bearer writer.write)" -H "$json" -d '{"id":"after","text":"seen by one"}' "$url/v1/messages" >body
ok 'a stream of another token goes on' wait_for 'grep -q \"after\" stays'
ok 'no other has what came then' sh -c '! grep after gone catching'
kill -TERM $server
wait $stays
wait $server

# --- tickets: for an event stream, once, and no longer than the token that they are of ---
for name in gone.read stays.read writer.write; do
	senti-serve --new-token "${name%.*}:$([ "${name#*.}" = write ] && echo write || echo read)" 2>"$name"
done >tokens
chmod 644 tokens
start_server --tokens tokens --store sqlite:tickets.db --access-log
ok 'a file of tokens that everybody may read is remarked on' grep -q 'warn.*chmod o-r.*file=tokens' log
ok 'a ticket needs a token' is "$(status /v1/tickets -X POST)" 401
# get_ticket TOKEN FILE
get_ticket() {
	is "$(status /v1/tickets -X POST -H "$(bearer "$1")" -D headers)" 201 || return 1
	grep -qi '^cache-control: no-store' headers && jq -e 'keys == ["expires_in","ticket"] and .expires_in == 60' body &&
		jq -r .ticket body >"$2"
}
for name in gone stays; do
	ok "and one of the scope read will do ($name)" get_ticket $name.read $name.ticket
done
ok 'it is for nothing but events' is "$(status "/v1/messages?ticket=$(cat stays.ticket)")" 401
ok 'not for another ticket' is "$(status "/v1/tickets?ticket=$(cat stays.ticket)" -X POST)" 401
ok 'nor is it a token' is "$(status /v1/events -H "$(bearer stays.ticket)")" 401
ok 'a mistake costs no ticket' is "$(status "/v1/events?label=good&ticket=$(cat stays.ticket)")" 400
for name in gone stays; do
	# Basic: what a browser sends to a proxy that asks for a password.
	curl -sSN -m 60 -H 'Authorization: Basic YTpi' "$url/v1/events?source=shop&ticket=$(cat $name.ticket)" >$name.page 2>$name.err &
	eval "$name=\$!"
	ok "opens a stream ($name)" wait_for "grep -q retry $name.page"
done
is_refused() { # is_refused KIND WORDS: the body
	jq -e --arg kind "$1" --arg words "$2" '.type == "urn:senti:problem:" + $kind and (.detail | contains($words))' body
}
ok 'and no other' is "$(status "/v1/events?ticket=$(cat gone.ticket)" -D headers -m 20)" 401
ok 'because it is used' is_refused bad_ticket 'is used'
ok 'as the challenge says' grep -qi '^www-authenticate: Bearer .*invalid_token' headers
ok 'a token beside a ticket is what counts' is "$(status "/v1/events?ticket=$(cat gone.ticket)" -I -m 20 -H "$(bearer gone.read)")" 200
for bad in '' ticket_ "$(tr a-y b-z <stays.ticket)" "$(cat stays.ticket)A" "$(cat stays.read)" "$(printf %09000d 0)"; do
	ok "a forged ticket of ${#bad} characters is refused" is "$(status "/v1/events?ticket=$bad" -m 20)" 401
	ok 'without a word of it' is_refused bad_ticket 'none of this server'
done
curl -sS -H "$(bearer writer.write)" -H "$json" -d '{"id":"before","text":"seen by all","source":"shop"}' "$url/v1/messages" >body
for name in gone stays; do
	ok "what is asked for is sent ($name)" wait_for "grep -q before $name.page"
done
ok 'a second ticket' get_ticket gone.read unused.ticket
grep -v '^gone' tokens >fewer && cat fewer >tokens
kill -HUP $server
# shellcheck disable=SC2154 # assigned by eval
wait $gone
ok 'the stream ends with the token' is $? 0
ok 'and its tickets are worth nothing' is "$(status "/v1/events?ticket=$(cat unused.ticket)" -m 20)" 401
curl -sS -H "$(bearer writer.write)" -H "$json" -d '{"id":"after","text":"seen by one","source":"shop"}' "$url/v1/messages" >body
ok 'that of another goes on' wait_for 'grep -q \"after\" stays.page'
ok 'metrics' is "$(status /metrics -H "$(bearer writer.write)")" 200
cp body metrics
kill -TERM $server
# shellcheck disable=SC2154
wait $stays
wait $server
ok 'no ticket is in the log, nor in the metrics' sh -c '! grep ticket_ log metrics'
ok 'but that they were used' grep -q 'path=/v1/events .*token=gone' log
start_server
ok 'without tokens a ticket is given too' is "$(status /v1/tickets -X POST)" 201
curl -sSN -m 60 "$url/v1/events?ticket=any" >any.page 2>&1 &
ok 'and none is looked at' wait_for 'grep -q retry any.page'
kill -TERM $server
wait $server

# --- -l unix:PATH: the socket is the server's own, and nothing else is touched ---
serve_unix() {
	: >log
	senti-serve -v -l unix:socket --store sqlite:unix.db 2>log &
	server=$!
	wait_for "grep -q listening log"
}
echo precious >socket
fails_with() { [ "$1" = "$2" ] && grep -q "$3" log; }
senti-serve -l unix:socket --store sqlite:unix.db 2>log
ok 'a file in the place of the socket is refused' fails_with $? 2 'not a socket'
ok 'and left as it was' is "$(cat socket)" precious
rm socket
serve_unix
ok 'for any Host' is "$(curl -sS --unix-socket socket -o body -w '%{http_code}' http://any.example/livez)" 200
ok 'it answers on its socket' is "$(curl -sS --unix-socket socket -o body -w '%{http_code}' http://localhost/livez)" 200
kill -9 "$server"
wait "$server" 2>/dev/null
ok 'what a killed server leaves' test -S socket
serve_unix
ok 'is replaced' is "$(curl -sS --unix-socket socket -o body -w '%{http_code}' http://localhost/livez)" 200
mv socket elsewhere
echo precious >socket
kill "$server"
wait "$server"
ok 'at its end, what is not its own stays' is "$(cat socket)" precious
mv elsewhere socket
serve_unix
kill "$server"
wait "$server"
ok 'and its own goes' test ! -e socket
finish
