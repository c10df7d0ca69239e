# shellcheck shell=bash disable=SC2154
# queues.sh - the part `queues`, sourced by tests/bench/run: senti's filters on RabbitMQ, beside RabbitMQ's PerfTest and beside pika.
#
# A private broker (scripts/services); all clients on the same machine. All queues are durable quorum queues, all messages persistent, published with
# `mandatory` and confirms, and acknowledged. Batches of 1,000 make a window of 1,000 confirms, acknowledgements of 1,000 at once and a prefetch of
# 3,000; PerfTest gets the same by --confirm, --multi-ack-every and --qos. With packs a batch is 4,000 records: 40 messages.

q_batch=1000 q_prefetch=3000
q_pack_batch=4000
q_idle=1500 # --idle: so long after the last delivery a filter ends
q_records=100000
q_packed=400000
q_blocking=2000
q_windowed=20000
q_lone=500
q_bodies_n=200 # that PerfTest sends in turn
q_three='senti-ingest -F json | senti-score | senti-score -m plus'

q_ctl() { "$root/scripts/services" ctl rabbitmq "$q_dir" "$@"; }
q_rate() { echo "$2" >>"$data/t.q_$1"; }

# q_clock NAME RECORDS BATCH COMMAND...: notes the rate of a filter that ends by --idle. When the last delivery has come, all batches but the last are
# acknowledged: so many records in the time up to then.
q_clock() {
	local name=$1 records=$2 batch=$3 start
	shift 3
	start=$EPOCHREALTIME
	"$@" 2>"$data/err" || die "$name failed: $(head -c 300 "$data/err")"
	q_rate "$name" "$(calc %.1f "($records - $batch) / ($EPOCHREALTIME - $start - $q_idle / 1000)")"
}

# Ids of records, in their order.
q_ids() { sed -E 's/^\{"id": *"([^"]*)".*/\1/' "$1"; }
# q_same FILE N WHO: the ids of FILE must be those of the first N records.
q_same() {
	q_ids "$1" | cmp -s - <(q_ids "$data/queue.$2.jsonl") || die "$3: not each record came out once, in order"
}
# q_check N WHO: the same of what stands in the queue `scored`, which is empty then.
q_check() {
	senti-score -i amqp:scored --idle $q_idle >"$data/queue.out" 2>"$data/err" || die "cannot read what $2 wrote: $(head -c 300 "$data/err")"
	q_same "$data/queue.out" "$1" "$2"
}
# q_fill N [OPTION...]: the first N records into the queue `texts`.
q_fill() {
	local n=$1
	shift
	senti-ingest -F json -o amqp:texts "$@" <"$data/queue.$n.jsonl" 2>"$data/err" || die "cannot fill a queue: $(head -c 300 "$data/err")"
}

# PerfTest's own rate of receiving, without the first three seconds, in which the virtual machine warms up (of all where it is done by then).
q_perftest() {
	local rate
	java -cp "$root/build/perftest/*" com.rabbitmq.perf.PerfTest --uri "$SENTI_AMQP" --quorum-queue --queue "perftest$1" --flag persistent --flag mandatory \
		--qos $q_prefetch --confirm $q_batch --multi-ack-every $q_batch --body "$q_bodies" --body-content-type application/json --producers 1 --consumers 1 \
		--pmessages $((2 * q_records)) --cmessages $((2 * q_records)) --interval 1 >"$data/perftest.out" 2>&1 || die "PerfTest failed: $(tail -n 3 "$data/perftest.out")"
	grep -q 'Producer reached message limit, Consumer reached message limit' "$data/perftest.out" || die 'PerfTest did not move all messages'
	rate=$(sed -n 's/.* time \([0-9.]*\) s, .* received: \([0-9]*\) msg.*/\1 \2/p' "$data/perftest.out" |
		awk '$1 > 3.5 { n++; sum += $2 } END { if (n) printf "%.1f", sum / n }')
	q_rate perftest "${rate:-$(sed -n 's/.*receiving rate avg: \([0-9]*\) msg.*/\1/p' "$data/perftest.out")}"
	q_ctl delete_queue "perftest$1" >/dev/null
}

# What PerfTest does: a producer and a consumer, through one queue.
q_pair() {
	local producer
	senti-ingest -F json -o amqp:texts <"$data/queue.$q_records.jsonl" 2>"$data/err.producer" &
	producer=$!
	q_clock pair $q_records $q_batch senti-score -b $q_batch -i amqp:texts --idle $q_idle -o "$data/queue.out"
	wait $producer || die "senti-ingest failed: $(head -c 300 "$data/err.producer")"
	q_same "$data/queue.out" $q_records pair
}

q_filter() {
	q_fill $q_records
	q_clock filter $q_records $q_batch senti-score -b $q_batch -i amqp:texts --idle $q_idle -o amqp:scored
	q_check $q_records filter
}

q_worker() {
	q_fill $q_records
	q_clock worker $q_records $q_batch senti-worker -b $q_batch -q texts --idle $q_idle --to amqp:scored -- sh -c "$q_three"
	q_check $q_records worker
}

q_packs() {
	q_fill $q_packed --pack 100
	q_clock packs $q_packed $q_pack_batch senti-score -b $q_pack_batch -i amqp:texts --idle $q_idle -o amqp:scored --pack 100
	q_check $q_packed packs
}

# q_pika HOW RECORDS [OPTION...]: these are for filling the queue.
q_pika() {
	local how=$1 records=$2 rate
	shift 2
	q_fill "$records" "$@"
	rate=$("$python" "$here/queues/pika_filter.py" "$how" "$SENTI_AMQP" texts scored "$records" $q_prefetch 2>"$data/err") || die "pika failed: $(tail -n 1 "$data/err")"
	q_rate "$how" "$rate"
	q_check "$records" "$how"
}

# q_lone COMMAND: median, 99th percentile and longest in ms
q_lone() {
	BENCH_RECORDS=$data/queue.$q_records.jsonl "$python" "$here/queues/lone.py" "$SENTI_AMQP" $q_lone "$data/lone.out" "$1" 2>"$data/err" ||
		die "a lone record: $(tail -n 1 "$data/err")"
}

q_rounds() {
	local name round
	for name in perftest pair filter worker packs blocking windowed packed; do : >"$data/t.q_$name"; done
	for ((round = 1; round <= q_times; round++)); do
		q_perftest "$round"
		q_pair
		q_filter
		q_worker
		q_packs
		q_pika blocking $q_blocking
		q_pika windowed $q_windowed
		q_pika packed $q_windowed --pack 100
	done
}

q_tables() {
	local perftest pair filter worker packs blocking windowed packed name sizes
	for name in perftest pair filter worker packs blocking windowed packed; do printf -v "$name" %s "$(median "q_$name")"; done
	sizes="$(calc %.0f "$(bytes "$data/queue.$q_records.jsonl") / $q_records - 1") bytes a record (PerfTest: $(calc %.0f "$(cat "$data"/bodies/* | wc -c) / $q_bodies_n"))"
	begin queues "$sizes, medians of $q_times" records/s 'that is' limit
	line() { row "$1" "$(calc %.0f "$2")" "$3" "$4"; }
	times() { calc %.2f "$1 / $2"; }
	line 'PerfTest, a producer and a consumer' "$perftest" '' ''
	line '`senti-ingest` and `senti-score`, file to queue to file' "$pair" "$(times "$pair" "$perftest") of PerfTest" "0.8$(verdict "$pair >= 0.8 * $perftest")"
	line '`senti-score`, queue to queue' "$filter" "$(times "$filter" "$perftest") of PerfTest" "0.8$(verdict "$filter >= 0.8 * $perftest")"
	line '`senti-worker`, queue to queue, with three tools' "$worker" "$(times "$worker" "$filter") of \`senti-score\`" "0.6$(verdict "$worker >= 0.6 * $filter")"
	line '`senti-score --pack 100`, queue to queue' "$packs" "$(times "$packs" "$perftest") times PerfTest" "10$(verdict "$packs >= 10 * $perftest")"
	line 'pika and vaderSentiment, queue to queue' "$blocking" "\`senti-score\` does $(times "$filter" "$blocking") times as many" "10$(verdict "$filter >= 10 * $blocking")"
	line 'the same with a window of confirms and packs of 100' "$packed" "\`senti-score --pack 100\` does $(times "$packs" "$packed") times as many" \
		"10$(verdict "$packs >= 10 * $packed")"
	line 'the same with a window of confirms, message by message' "$windowed" "\`senti-score\` does $(times "$filter" "$windowed") times as many" ''
}

# q_lone_row NAME LIMIT COMMAND
q_lone_row() {
	local said median p99 longest
	rm -f "$data"/lone.db*
	said=$(SENTI_STORE=sqlite:$data/lone.db q_lone "$3") || exit 3
	read -r median p99 longest <<<"$said"
	row "$1" "$median" "$p99" "$longest" "$2${2:+$(verdict "$p99 <= $2")}"
}

# A second table of the part.
q_lone_table() {
	echo | tee -a "$table"
	row "a lone record through \`senti-worker\`, $q_lone times" 'median, ms' '99th percentile' longest limit
	row --- --- --- --- ---
	q_lone_row 'four tools, one of them `senti-store put` (SQLite, `synchronous=FULL`)' 20 'senti-ingest -F json | senti-score | senti-store put | senti-score -m plus'
	q_lone_row 'four tools, none of which keeps anything' '' 'senti-ingest -F json | senti-score | senti-score -m afinn:en | senti-score -m plus'
}

# The records, and of them the bodies that PerfTest sends in turn.
q_data() {
	local n
	for n in $q_packed $q_records $q_windowed $q_blocking; do
		head -n "$n" "$data/60.jsonl" | senti-ingest -F json >"$data/queue.$n.jsonl" || die 'cannot make the records'
	done
	rm -rf "$data/bodies"
	mkdir "$data/bodies" && awk -v folder="$data/bodies" -v every=$((q_records / q_bodies_n)) \
		'NR % every == 0 { file = folder "/" NR ".json"; printf "%s", $0 >file; close(file) }' "$data/queue.$q_records.jsonl"
	q_bodies=$(printf '%s,' "$data"/bodies/*.json)
	q_bodies=${q_bodies%,}
}

q_stop() {
	"$root/scripts/services" stop "$q_dir"
	rm -rf "$q_dir"
}

part_queues() {
	local settings
	has queues senti-ingest senti-worker senti-store java sha256sum || return 0
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || { skip queues 'RabbitMQ is not installed'; return 0; }
	"$python" -c 'import pika, vaderSentiment' 2>/dev/null || { skip queues "$python has no pika or no vaderSentiment"; return 0; }
	"$root/scripts/fetch-perftest" || { skip queues 'PerfTest cannot be fetched'; return 0; }
	q_times=$((rounds < 3 ? rounds : 3))
	q_data
	q_dir=$(mktemp -d) || exit 3
	# The server runs as a user of its own. With less memory it would stop those who publish while a queue is full.
	chmod 755 "$q_dir"
	trap q_stop EXIT
	echo 'vm_memory_high_watermark.absolute = 4GB' >"$q_dir/rabbitmq.conf"
	settings=$("$root/scripts/services" start rabbitmq "$q_dir") || die 'RabbitMQ does not start'
	eval "$settings"
	export SENTI_AMQP
	q_rounds
	q_tables
	q_lone_table
	q_stop
	trap - EXIT
}
