# shellcheck shell=bash disable=SC2154,SC2016
# serve.sh - the part `serve`, sourced by tests/bench/run: senti-serve under wrk, beside a libmicrohttpd program that answers a constant, beside
# FastAPI with vaderSentiment, and beside senti-score.
#
# The server has one core, with -j1, and wrk another, with one thread. All servers of a comparison run at once and are asked in turn, a second each, so that
# a busy moment hits them alike; ratios are medians of those within one round. tests/bench/serve has the contenders and wrk's script.

s_connections=64
s_listeners=9000 s_slow=1000
s_kib=32 # of memory for each of them

# s_start NAME COMMAND...: a server on the first core; its process in s_pid[NAME] and its port, which it says itself, in s_port[NAME].
declare -A s_pid s_port
s_start() {
	local name=$1 tries
	shift
	: >"$s_dir/$name.log"
	taskset -c 0 "$@" >"$s_dir/$name.log" 2>&1 &
	s_pid[$name]=$!
	for ((tries = 0; tries < 300; tries++)); do
		s_port[$name]=$(grep -oE '127\.0\.0\.1:[1-9][0-9]*' "$s_dir/$name.log" | head -n 1 | cut -d: -f2)
		[ -z "${s_port[$name]}" ] || return 0
		[ -e "/proc/$!" ] || break
		sleep 0.1
	done
	die "$name does not start: $(head -c 300 "$s_dir/$name.log")"
}

# s_serve NAME OPTION...: a senti-serve with a database of its own.
s_serve() {
	local name=$1
	shift
	s_start "$name" senti-serve -v -j1 -l 127.0.0.1:0 --store "sqlite:$s_dir/$name.db" "$@"
}

s_end() {
	local name
	for name; do
		kill -CONT "${s_pid[$name]}" 2>/dev/null
		kill "${s_pid[$name]}" 2>/dev/null
		wait "${s_pid[$name]}" 2>/dev/null
		unset "s_pid[$name]"
	done
}

s_stop() {
	s_end "${!s_pid[@]}"
	"$root/scripts/services" stop "$s_dir"
	rm -rf "$s_dir"
}

# Nanoseconds that its threads have been on a processor.
s_cpu() { cat "/proc/${s_pid[$1]}/task/"*/schedstat | awk '{ t += $1 } END { printf "%.0f", t }'; }
s_rss() { awk '/^VmRSS/ { print $2 }' "/proc/${s_pid[$1]}/status"; }

# s_ask NAME SERVER SECONDS CONNECTIONS METHOD PATH FILE: notes the rate (t.NAME), the time of processor for a request (t.NAME.us) and the
# 99th percentile (t.NAME.p99).
s_ask() {
	local name=$1 server=$2 seconds=$3 connections=$4 said before requests took p99 failed
	shift 4
	before=$(s_cpu "$server")
	said=$(taskset -c $(($(nproc) - 1)) wrk -t1 -c"$connections" -d"${seconds}s" --timeout 20s -s "$here/serve/requests.lua" \
		"http://127.0.0.1:${s_port[$server]}" -- "$@" 2>"$data/err" | sed -n 's/^result //p')
	[ -n "$said" ] || die "wrk failed: $(head -c 300 "$data/err")"
	read -r requests took p99 failed <<<"$said"
	[ "$failed" = 0 ] || die "$server: $failed of $requests requests failed: $(tail -n 3 "$s_dir/$server.log")"
	calc '%.3f\n' "$requests / $took" >>"$data/t.$name"
	calc '%.3f\n' "($(s_cpu "$server") - $before) / 1000 / $requests" >>"$data/t.$name.us"
	echo "$p99" >>"$data/t.$name.p99"
}

s_clear() {
	local name
	for name; do rm -f "$data/t.$name" "$data/t.$name.us" "$data/t.$name.p99"; done
}

# s_ratio A B: the median of A's figure by B's in the same round.
s_ratio() {
	paste "$data/t.$1" "$data/t.$2" | awk '{ print $1 / $2 }' >"$data/t.ratio"
	median ratio
}

# s_row TITLE NAME OTHER WORDS LIMIT: its rate as a multiple of OTHER's.
s_row() {
	local ratio=
	[ -z "$3" ] || ratio=$(s_ratio "$2" "$3")
	row "$1" "$(calc %.0f "$(median "$2")")" "$(calc %.1f "$(median "$2.us")")" "${ratio:+$(calc %.2f "$ratio")$4}" "${5:+$5$(verdict "$ratio >= $5")}"
}

s_constant() { # NAME FILE [HEADER VALUE]...
	local name=$1
	shift
	s_start "$name" "$s_dir/constant" 0 "$@"
}

# s_compile NAME [FLAG...]: a program of tests/bench/serve.
s_compile() {
	local name=$1
	shift
	"${CC:-cc}" -O2 -std=c17 -D_GNU_SOURCE -o "$s_dir/$name" "$here/serve/$name.c" "$@" || die "cannot compile $name.c"
}

# --- POST /v1/sentiment ---

s_sentiment() {
	local round fastapi=
	# shellcheck disable=SC2046
	s_compile constant $(pkg-config --cflags --libs libmicrohttpd)
	s_serve senti --cache memory:64M
	# A constant as long as the answers are in the middle.
	awk '{ print length($0) "\t" $0 }' "$data/rated.jsonl" | sort -n | sed -n "$(($(wc -l <"$data/rated.jsonl") / 2))s/.*\t//p" >"$s_dir/one.json"
	curl -sf -D "$s_dir/headers" -o "$s_dir/answer.json" -H 'Content-Type: application/json' --data-binary "@$s_dir/one.json" \
		"http://127.0.0.1:${s_port[senti]}/v1/sentiment" || die 'senti-serve does not answer'
	s_constant constant "$s_dir/answer.json" Content-Type application/json \
		X-Request-Id "$(sed -n 's/^X-Request-Id: *\([^\r]*\).*/\1/Ip' "$s_dir/headers")"
	if "$root/scripts/fetch-fastapi"; then
		fastapi=1
		s_start fastapi "$root/build/fastapi/bin/python" -m uvicorn --app-dir "$here/serve" app:app --port 0 --no-access-log --loop uvloop --http httptools
	else
		skip serve 'FastAPI cannot be fetched'
	fi
	s_clear constant senti fastapi
	for ((round = 0; round <= 2 * rounds; round++)); do
		s_ask constant constant 1 $s_connections POST /v1/sentiment "$data/rated.jsonl"
		s_ask senti senti 1 $s_connections POST /v1/sentiment "$data/rated.jsonl"
		[ -z "$fastapi" ] || s_ask fastapi fastapi 1 $s_connections POST /v1/sentiment "$data/rated.jsonl"
		[ $round -gt 0 ] || s_clear constant senti fastapi
	done
	s_row 'a constant, by libmicrohttpd' constant '' '' ''
	s_row '`POST /v1/sentiment`, a text each' senti constant ' of the constant' 0.8
	[ -z "$fastapi" ] || s_row 'FastAPI, uvicorn and vaderSentiment, one worker' fastapi '' '' ''
	[ -z "$fastapi" ] || s_row 'the same route of senti-serve again' senti fastapi ' times FastAPI' 12
	[ -z "$fastapi" ] || s_end fastapi
	s_end constant
}

s_score() {
	local start
	start=$EPOCHREALTIME
	taskset -c 0 senti-score <"$data/60.jsonl" >/dev/null || die 'senti-score failed'
	calc '%.3f\n' "$(wc -l <"$data/60.jsonl") / ($EPOCHREALTIME - $start)" >>"$data/t.s_score"
}

s_arrays() {
	local round
	awk 'NR % 100 == 1 { line = "[" } NR % 100 != 1 { line = line "," } { line = line $0 } NR % 100 == 0 { print line "]" }' "$data/rated.jsonl" >"$s_dir/arrays"
	s_clear arrays s_score
	for ((round = 0; round <= rounds; round++)); do
		s_ask arrays senti 1 $s_connections POST /v1/sentiment "$s_dir/arrays"
		s_score
		[ $round -gt 0 ] || s_clear arrays s_score
	done
	awk '{ print $1 * 100 }' "$data/t.arrays" >"$data/t.array_texts"
	row '`senti-score` on the same core, texts' "$(calc %.0f "$(median s_score)")" '' '' ''
	row '`POST /v1/sentiment`, arrays of 100: texts' "$(calc %.0f "$(median array_texts)")" "$(calc %.2f "$(median arrays.us) / 100")" \
		"$(calc %.2f "$(s_ratio array_texts s_score)") of \`senti-score\`" "0.5$(verdict "$(s_ratio array_texts s_score) >= 0.5")"
}

# --- GET /v1/messages/{id} ---

# s_fill NAME: the messages that are asked for, each once seen, so that the cache has it.
s_fill() {
	local base=http://127.0.0.1:${s_port[$1]}/v1/messages
	head -n "$s_kept" "$data/rated.jsonl" >"$s_dir/kept"
	curl -sf -o /dev/null -H 'Content-Type: application/x-ndjson' --data-binary "@$s_dir/kept" "$base" || die "$1 takes no messages"
	sed -E 's/^\{"id": *"([^"]*)".*/\1/' "$s_dir/kept" >"$s_dir/ids"
	sed "s|.*|url = \"$base/&\"|" "$s_dir/ids" | curl -sf -K - >/dev/null || die "$1 has lost messages"
}

s_messages() {
	local round redis='' settings
	s_kept=2000
	s_fill senti
	curl -sf -D "$s_dir/headers" -o "$s_dir/answer.json" "http://127.0.0.1:${s_port[senti]}/v1/messages/7" || die 'a message is lost'
	s_constant constant "$s_dir/answer.json" Content-Type application/json Vary Accept-Encoding Cache-Status 'senti; hit' ETag '"1"' \
		X-Request-Id "$(sed -n 's/^X-Request-Id: *\([^\r]*\).*/\1/Ip' "$s_dir/headers")"
	if command -v redis-server >/dev/null; then
		settings=$("$root/scripts/services" start redis "$s_dir") || die 'Redis does not start'
		redis=$(sed -n "s/^SENTI_REDIS=//p" <<<"$settings" | tr -d "'")
		s_serve redis --cache "$redis"
		s_fill redis
	else
		skip serve 'Redis is not installed'
	fi
	s_clear constant get redis
	for ((round = 0; round <= rounds; round++)); do
		s_ask constant constant 1 $s_connections GET /v1/messages/ "$s_dir/ids"
		s_ask get senti 1 $s_connections GET /v1/messages/ "$s_dir/ids"
		[ -z "$redis" ] || s_ask redis redis 1 $s_connections GET /v1/messages/ "$s_dir/ids"
		[ $round -gt 0 ] || s_clear constant get redis
	done
	s_row 'a constant as long as a message' constant '' '' ''
	s_row '`GET /v1/messages/{id}`, memory cache' get constant ' of the constant' 0.6
	[ -z "$redis" ] || s_row 'the same, Redis' redis constant ' of the constant' ''
	s_end constant ${redis:+redis} senti
}

# --- POST /v1/messages ---

s_durable() {
	local round
	s_serve batches
	s_serve single -b 1
	s_clear batches single
	# Ids are the server's: with those of the file the second round would find each message stored.
	sed -E 's/^\{"id": *"[^"]*", */{/' "$data/rated.jsonl" >"$s_dir/texts"
	for ((round = 0; round <= rounds; round++)); do
		s_ask single single 1 $s_connections POST /v1/messages "$s_dir/texts"
		s_ask batches batches 1 $s_connections POST /v1/messages "$s_dir/texts"
		[ $round -gt 0 ] || s_clear batches single
	done
	s_row "\`POST /v1/messages\`, $s_connections connections, SQLite, a transaction each (\`-b 1\`)" single '' '' ''
	s_row 'the same, gathered into batches' batches single ' times as many' 4
	s_end batches single
}

# --- a crowd ---

s_crowd_row() { # TITLE ROUTE
	local ratio
	paste "$data/t.$2.with.p99" "$data/t.$2.alone.p99" | awk '{ print $1 / $2 }' >"$data/t.ratio"
	ratio=$(median ratio)
	row "$1" "$(calc %.2f "$(median "$2.alone.p99")") ms" "$(calc %.2f "$(median "$2.with.p99")") ms" "$(calc %.2f "$ratio") times" "3$(verdict "$ratio <= 3")"
}

# Two servers, one of them with the crowd, which stands still while the other is asked.
s_crowd() {
	local round before after kib tries
	s_compile crowd
	s_serve alone
	s_serve with
	s_clear score.alone score.with page.alone page.with
	s_kept=100
	s_fill alone
	s_fill with
	echo >"$s_dir/nothing"
	s_ask score.with with 1 $s_connections POST /v1/sentiment "$data/rated.jsonl"
	s_clear score.with
	before=$(s_rss with)
	"$s_dir/crowd" "${s_port[with]}" $s_listeners $s_slow >"$s_dir/crowd.log" 2>&1 &
	s_pid[crowd]=$!
	for ((tries = 0; tries < 300; tries++)); do
		! grep -qs ready "$s_dir/crowd.log" || break
		sleep 0.1
	done
	grep -qs ready "$s_dir/crowd.log" || die "the crowd does not get in: $(head -c 300 "$s_dir/crowd.log")"
	sleep 2
	after=$(s_rss with)
	for ((round = 0; round < rounds; round++)); do
		kill -STOP "${s_pid[crowd]}"
		s_ask score.alone alone 1 16 POST /v1/sentiment "$data/rated.jsonl"
		s_ask page.alone alone 1 16 GET '/v1/messages?limit=1' "$s_dir/nothing"
		kill -CONT "${s_pid[crowd]}"
		s_ask score.with with 1 16 POST /v1/sentiment "$data/rated.jsonl"
		s_ask page.with with 1 16 GET '/v1/messages?limit=1' "$s_dir/nothing"
	done
	kill "${s_pid[crowd]}"
	wait "${s_pid[crowd]}" || die "listeners were lost: $(cat "$s_dir/crowd.log")"
	unset 's_pid[crowd]'
	echo | tee -a "$table"
	row "$s_listeners idle listeners, $s_slow slow clients" without with 'that is' limit
	row --- --- --- --- ---
	kib=$(calc %.1f "($after - $before) / ($s_listeners + $s_slow)")
	row 'memory of senti-serve' "$(calc %.1f "$before / 1024") MiB" "$(calc %.1f "$after / 1024") MiB" "$kib KiB each" "$s_kib$(verdict "$kib <= $s_kib")"
	s_crowd_row '99th percentile of `POST /v1/sentiment`, 16 connections' score
	s_crowd_row '99th percentile of `GET /v1/messages?limit=1`, 16 connections' page
	s_end alone with
}

part_serve() {
	has serve senti-serve senti-score wrk curl taskset pkg-config "${CC:-cc}" || return 0
	[ "$(nproc)" -gt 1 ] || { skip serve 'it takes two cores'; return 0; }
	s_dir=$(mktemp -d "$data/serve.XXXXXX") || exit 3
	chmod 755 "$s_dir"
	trap s_stop EXIT
	begin serve "one core, $s_connections connections" requests/s 'µs of processor each' 'that is' limit
	s_sentiment
	s_arrays
	s_messages
	s_durable
	s_crowd
	s_stop
	trap - EXIT
}
