# shellcheck shell=bash disable=SC2154,SC2016
# graphql.sh - the part `graphql`, sourced by tests/bench/run after serve.sh, whose functions it uses: /graphql beside the REST route for the same
# answer and beside npm's graphql-http on Node; its subscribers beside the listeners of /v1/events; documents that mean harm.

g_listeners=1000

# g_node: npm's graphql-http, which make WITH_WEB=yes installs, with the same schema and a resolver that answers a constant.
g_node() {
	command -v node >/dev/null || return 1
	local at=$root/build/web
	[ -d "$at/node_modules/graphql-http" ] || return 1
	cp "$here/serve/graphql_http.mjs" "$at/" # beside the packages that it imports
	s_start node env NODE_ENV=production node "$at/graphql_http.mjs" "$root/lib/serve/schema.graphql"
}

g_speed() {
	local round node=
	s_serve senti
	jq -c '{query: "query ($t: String!) { sentiment(text: $t) { label score neg neu pos } }", variables: {t: .text}}' "$data/rated.jsonl" >"$s_dir/queries"
	if g_node; then node=1; else skip graphql 'graphql-http is not there; make WITH_WEB=yes installs it'; fi
	s_clear rest graphql node
	for ((round = 0; round <= 2 * rounds; round++)); do
		s_ask rest senti 1 "$s_connections" POST /v1/sentiment "$data/rated.jsonl"
		s_ask graphql senti 1 "$s_connections" POST /graphql "$s_dir/queries"
		[ -z "$node" ] || s_ask node node 1 "$s_connections" POST / "$s_dir/queries"
		[ $round -gt 0 ] || s_clear rest graphql node
	done
	s_row '`POST /v1/sentiment`, a text each' rest '' '' ''
	s_row 'the same of GraphQL, five fields' graphql rest ' of it' 0.6
	[ -z "$node" ] || s_row 'graphql-http on Node, a constant as the result' node '' '' ''
	[ -z "$node" ] || s_row 'GraphQL of senti-serve again' graphql node ' times graphql-http' 10
	[ -z "$node" ] || s_end node
	s_end senti
}

# g_crowd NAME QUERY: listeners of this path and query; memory of each into t.NAME.kib, processor of 1,000 messages told to all of them into t.NAME.ms.
g_crowd() {
	local name=$1 tries before cpu
	s_serve "$name"
	curl -sf -o /dev/null -H 'Content-Type: application/json' -d '{"text":"x"}' "http://127.0.0.1:${s_port[$name]}/v1/messages"
	before=$(s_rss "$name")
	"$s_dir/crowd" "${s_port[$name]}" $g_listeners 0 "$2" >"$s_dir/crowd.log" 2>&1 &
	s_pid[crowd]=$!
	for ((tries = 0; tries < 300; tries++)); do
		! grep -qs ready "$s_dir/crowd.log" || break
		sleep 0.1
	done
	grep -qs ready "$s_dir/crowd.log" || die "the crowd does not get in: $(head -c 300 "$s_dir/crowd.log")"
	calc '%.3f\n' "($(s_rss "$name") - $before) / $g_listeners" >"$data/t.$name.kib"
	cpu=$(s_cpu "$name")
	sed -E 's/^\{"id": *"[^"]*", */{/' "$data/rated.jsonl" | head -n 100 |
		curl -sf -o /dev/null -H 'Content-Type: application/x-ndjson' -H 'Prefer: wait=20' --data-binary @- "http://127.0.0.1:${s_port[$name]}/v1/messages"
	# Idle again: everybody has been told.
	while :; do
		before=$(s_cpu "$name")
		sleep 0.5
		[ "$(calc %d "($(s_cpu "$name") - $before) / 1000000")" -gt 20 ] || break
	done
	calc '%.3f\n' "($(s_cpu "$name") - $cpu) / 1000 / 100 / $g_listeners" >"$data/t.$name.us"
	kill "${s_pid[crowd]}"
	wait "${s_pid[crowd]}" || die "listeners were lost: $(cat "$s_dir/crowd.log")"
	unset 's_pid[crowd]'
	s_end "$name"
}

g_crowds() {
	local kib us
	s_compile crowd
	g_crowd events /v1/events
	g_crowd scored '/graphql?query=subscription%7Bscored%7Bid%20text%20sentiment%7Blabel%20score%7D%7D%7D'
	echo | tee -a "$table"
	row "$g_listeners of each" '`/v1/events`' '`scored`' 'that is' limit
	row --- --- --- --- ---
	kib=$(calc %.1f "$(cat "$data/t.scored.kib") - $(cat "$data/t.events.kib")")
	row 'memory of senti-serve for each, KiB' "$(calc %.1f "$(cat "$data/t.events.kib")")" "$(calc %.1f "$(cat "$data/t.scored.kib")")" "$kib more" "4$(verdict "$kib <= 4")"
	us=$(calc %.1f "$(cat "$data/t.scored.us") / $(cat "$data/t.events.us")")
	row 'processor for each message told, µs' "$(calc %.1f "$(cat "$data/t.events.us")")" "$(calc %.1f "$(cat "$data/t.scored.us")")" "$us times" "3$(verdict "$us <= 3")"
}

# --- documents that mean harm ---

# g_documents: a MiB each, as requests in $s_dir/harm.NAME.
g_documents() {
	"$python" - "$s_dir" <<-'EOF'
		import json, sys
		M, N = 1 << 20, 1 << 14
		harm = {
		    "deep": "{ messages " + "{ edges { node " * (M // 15),
		    "wide": "{ " + "status { lagMs } " * (M // 17) + "}",
		    "aliases": "{ " + " ".join(f"a{i}: models {{ name }}" for i in range(M // 24)) + " }",
		    "bomb": "{ models { ...F0 } } " + " ".join(f"fragment F{i} on Model {{ ...F{i + 1} ...F{i + 1} }}" for i in range(N))
		            + f" fragment F{N} on Model {{ name }}",
		    "circle": "{ models { ...F0 } } " + " ".join(f"fragment F{i} on Model {{ name ...F{(i + 1) % N} }}" for i in range(N)),
		    "overlaps": "{ " + "models { name } " * (M // 16) + "}",
		    "conflicts": "{ " + " ".join(f'a: sentiment(text: "{i}") {{ label }}' for i in range(M // 40)) + " }",
		}
		for name, document in harm.items():
		    with open(f"{sys.argv[1]}/harm.{name}", "w") as f:
		        json.dump({"query": document}, f)
	EOF
}

# g_longest SERVER: the longest that a document took, in ms, and which.
g_longest() {
	local file took round
	for ((round = 0; round < rounds; round++)); do
		for file in "$s_dir"/harm.*; do
			took=$(curl -s -o "$s_dir/answer" -w '%{time_total}' -H 'Content-Type: application/json' --data-binary "@$file" "http://127.0.0.1:${s_port[$1]}/graphql")
			echo "$(calc %.1f "$took * 1000") ${file##*.}" >>"$s_dir/took.$1.${file##*.}"
		done
	done
	for file in "$s_dir/took.$1".*; do
		sort -n "$file" | head -n 1
	done | sort -n | tail -n 1
}

g_harm() {
	local ms name
	g_documents || { skip graphql 'no Python'; return; }
	s_serve limits
	s_serve none --graphql-tokens 0 --graphql-depth 0 --graphql-aliases 0 --graphql-root-fields 0 --graphql-directives 0 --graphql-cost 0 \
		--graphql-answer 0 --graphql-timeout 0
	echo | tee -a "$table"
	row 'a document of 1 MiB that means harm' 'the longest, ms' 'which' limit
	row --- --- --- ---
	read -r ms name <<<"$(g_longest limits)"
	row 'refused by the limits' "$ms" "$name" "20$(verdict "$ms <= 20")"
	read -r ms name <<<"$(g_longest none)"
	row 'without limits' "$ms" "$name" "1000$(verdict "$ms <= 1000")"
	s_end limits none
}

part_graphql() {
	has graphql senti-serve wrk curl jq taskset "${CC:-cc}" || return 0
	[ "$(nproc)" -gt 1 ] || { skip graphql 'it takes two cores'; return 0; }
	s_dir=$(mktemp -d "$data/graphql.XXXXXX") || exit 3
	chmod 755 "$s_dir"
	trap s_stop EXIT
	begin graphql "one core, $s_connections connections" requests/s 'µs of processor each' 'that is' limit
	g_speed
	g_crowds
	g_harm
	s_stop
	trap - EXIT
}
