# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016,SC2034
# cache.sh - sourced by tests/bench/run: looking up results in a Redis of its own, beside what Redis' own benchmark reaches (part cache), and
# beside what scoring costs (part pays).

cache_start() {
	cache_dir=$(mktemp -d) || die 'no temporary folder'
	trap '"$root/scripts/services" stop "$cache_dir"; rm -rf "$cache_dir"' EXIT
	eval "$("$root/scripts/services" start redis "$cache_dir")"
	export SENTI_REDIS
	cache_port=${SENTI_REDIS##*:}
	# Texts that are all different, so that none is known from the batch before.
	[ -s "$data/distinct.jsonl" ] || {
		head -n 300000 "$data/60.jsonl" | LC_ALL=C awk '{ print substr($0, 1, length($0) - 2) " " NR "\"}" }' >"$data/distinct.new" &&
			mv "$data/distinct.new" "$data/distinct.jsonl"
	}
	senti-score <"$data/distinct.jsonl" | senti-cache put >/dev/null || die 'senti-cache put failed'
}

cache_stop() {
	"$root/scripts/services" stop "$cache_dir"
	rm -rf "$cache_dir"
	trap - EXIT
	unset SENTI_REDIS
}

go_cache_get() { senti-cache get <"$data/distinct.jsonl" >/dev/null; }
go_cache_bench() { redis-benchmark -p "$cache_port" -P 64 -t get -n 1000000 -q >/dev/null; }
go_cache_random() { redis-benchmark -p "$cache_port" -P 64 -t get -n 1000000 -r 300000 -q >/dev/null; }
go_cache_put() { senti-cache put <"$data/kept.jsonl" >/dev/null; }
go_cache_score() { senti-score <"$data/distinct.jsonl" >/dev/null; }

part_cache() {
	local n size get bench random put
	has cache redis-server redis-benchmark senti-cache || return 0
	cache_start
	n=$(wc -l <"$data/distinct.jsonl")
	senti-score <"$data/distinct.jsonl" >"$data/kept.jsonl"
	# The values of Redis' benchmark are as long as a result is.
	size=$(head -n 1 "$data/kept.jsonl" | sed 's/.*"sentiment"://; s/}$//' | tr -d '\n' | wc -c)
	redis-benchmark -p "$cache_port" -P 64 -t set -n 600000 -r 300000 -d "$size" -q >/dev/null
	redis-benchmark -p "$cache_port" -P 64 -t set -n 1000 -d "$size" -q >/dev/null
	senti-cache get --summary <"$data/distinct.jsonl" 2>&1 >/dev/null | grep -q "\"hits\":$n," || die 'the cache has lost results'
	race cache_get cache_bench cache_random cache_put cache_score
	get=$(calc %.9f "$n / $(median cache_get)") bench=$(calc %.9f "1000000 / $(median cache_bench)")
	random=$(calc %.9f "1000000 / $(median cache_random)") put=$(calc %.9f "$n / $(median cache_put)")
	begin cache "$n texts, all known; values of $size bytes; over loopback" 'lookups/s' 'senti-cache get does' limit
	row '`senti-cache get`' "$(calc %.0f "$get")" '' ''
	row '`redis-benchmark -P 64 -t get`, one key' "$(calc %.0f "$bench")" "$(calc %.2f "$get / $bench") of it" "0.3, aim 0.6$(verdict "$get >= 0.3 * $bench")"
	row '`redis-benchmark -P 64 -t get -r 300000`, as many keys' "$(calc %.0f "$random")" "$(calc %.2f "$get / $random") of it" ''
	row '`senti-cache put`' "$(calc %.0f "$put")" '' ''
	row '`senti-score`, for comparison' "$(calc %.0f "$n / $(median cache_score)")" "$(calc %.2f "$get * $(median cache_score) / $n") of it" ''
	cache_stop
}

# Seconds of a whole run over FILE, less those over one line, over its texts, in microseconds: us_per_text FILE COMMAND...
us_per_text() {
	local file=$1 n round start
	shift
	n=$(wc -l <"$file")
	: >"$data/t.whole"
	: >"$data/t.one"
	for ((round = 0; round < rounds; round++)); do
		start=$EPOCHREALTIME
		"$@" <"$file" >/dev/null || die "$* failed"
		awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.6f\n", b - a }' >>"$data/t.whole"
		start=$EPOCHREALTIME
		head -n 1 "$file" | "$@" >/dev/null || die "$* failed"
		awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.6f\n", b - a }' >>"$data/t.one"
	done
	calc %.3f "($(median whole) - $(median one)) / ($n - 1) * 1e6"
}

part_pays() {
	local model look alone words
	has pays redis-server jq senti-cache || return 0
	cache_start
	head -n 50000 "$data/distinct.jsonl" >"$data/some.jsonl"
	head -n 3000 "$data/distinct.jsonl" >"$data/few.jsonl"
	# 32 texts in one.
	jq -c -s '[.[].text] as $t | range(0; $t | length; 32) | {text: ($t[.:. + 32] | join(" "))}' "$data/some.jsonl" >"$data/long32.jsonl"
	senti-score <"$data/long32.jsonl" | senti-cache put >/dev/null
	words=$(calc %.0f "$(bytes "$data/long32.jsonl") / $(wc -l <"$data/long32.jsonl")")
	look=$(us_per_text "$data/some.jsonl" senti-cache get)
	alone=$(us_per_text "$data/few.jsonl" senti-cache get -b 1)
	begin pays 'one text' 'microseconds' 'beside a lookup in a batch' 'beside a lookup alone'
	pays() { row "$1" "$2" "$(calc %.2f "$2 / $look")" "$(calc %.3f "$2 / $alone")"; }
	pays 'lookup, in batches of 1000' "$look"
	pays 'lookup, alone (a round trip over loopback)' "$alone"
	for model in vader plus linear textblob vader-nltk afinn:en; do
		pays "\`senti-score -m $model\`" "$(us_per_text "$data/some.jsonl" senti-score -m "$model")"
	done
	look=$(us_per_text "$data/long32.jsonl" senti-cache get)
	alone=$(us_per_text "$data/long32.jsonl" senti-cache get -b 1)
	pays "texts of $words bytes: lookup, in batches" "$look"
	pays "texts of $words bytes: lookup, alone" "$alone"
	pays "texts of $words bytes: \`senti-score -m vader\`" "$(us_per_text "$data/long32.jsonl" senti-score)"
	pays "texts of $words bytes: \`senti-score -m linear\`" "$(us_per_text "$data/long32.jsonl" senti-score -m linear)"
	cache_stop
}
