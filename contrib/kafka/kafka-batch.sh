#!/bin/bash
# Feeds the messages of a Kafka topic through a filter, at least once: kafka-batch.sh BROKERS TOPIC OUT STATE COMMAND...
#
#     kafka-batch.sh k1:9092,k2:9092 texts scored /var/lib/senti/kafka senti-score
#     kafka-batch.sh k1:9092 texts - /var/lib/senti/kafka sh -c 'senti-score | senti-store put'
#
# Each partition is read from where the last run ended, in batches; what COMMAND writes is published to the topic OUT (with `-` it goes nowhere),
# in the partition of the same number if OUT has as many. Once all of a batch is confirmed, the offset after it is saved in the folder STATE. So a run
# that is killed anywhere repeats at most a batch and loses nothing. (A consumer group would: kcat -G commits what it has read, not what is done.)
# A run ends when it has read all; repeat it by cron or systemd. Runs at the same time, with the same STATE, share the partitions among them.
#
# COMMAND gets a record on each line and must answer or reject each: a batch counts only if its messages are as many as the lines that came out and
# the rejects. Those go to the topic TOPIC.dead, by $SENTI_REJECT: give no --reject. Empty messages are passed over; a line end in a message is a blank.
#
# KAFKA_BATCH        messages in a batch (100000)
# KAFKA_PARTITIONS   the partitions to read, such as "0 3"; all if not set. So each host can have some, with a store of its own
# KCAT_CONFIG        a file with kcat's settings, such as passwords: kcat reads it by itself
#
# COMMAND sees KAFKA_TOPIC, KAFKA_PARTITION and KAFKA_OFFSET, that of the batch's first message, which is the same when it is repeated. So records without
# an id get a stable one by: senti-ingest -F json --source "$KAFKA_TOPIC" --id-path "$KAFKA_TOPIC/$KAFKA_PARTITION/$KAFKA_OFFSET"
#
# Status 0: all done; 1: done, but there were rejects, or messages that Kafka had deleted before they were read; 2: wrong call; 3: Kafka, the command or
# the disk failed, run it again.
set -euo pipefail

if [ $# -lt 5 ]; then
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
export LC_ALL=C KAFKA_TOPIC=$2
brokers=$1 out=$3 state=$4
shift 4
batch=${KAFKA_BATCH:-100000}
worst=0

fail() {
	echo "kafka-batch: $*" >&2
	exit 3
}

kcat() {
	command kcat -b "$brokers" -q -X log_level=3 "$@"
}

partitions() { # partitions TOPIC: their numbers
	kcat -L -t "$1" | sed -n 's/^ *partition \([0-9]*\),.*/\1/p'
}

# One line for each message, and at the end the offset after the last, how many messages and how many lines. Offsets have gaps where messages were compacted away or
# transactions end, so they are read and not counted. The byte 0x1e stands before each, which no JSON text can have.
unwrap() { # unwrap FILE
	awk -v file="$1" 'BEGIN { RS = "\036" }
		NR > 1 {
			tab = index($0, "\t")
			offset = substr($0, 1, tab - 1)
			text = substr($0, tab + 1)
			if (offset !~ /^[0-9]+$/) text = $0 # a message that is no JSON; its filter says so
			else next_offset = offset + 1
			messages++
			gsub(/\n/, " ", text)
			if (text ~ /[^ \t\r]/) {
				print text
				lines++
			}
		}
		END { printf "%.0f %.0f %.0f\n", next_offset, messages, lines >file }'
}

publish() { # publish TOPIC ARGUMENT...
	kcat -P -t "$@" -X acks=all -X enable.idempotence=true -X linger.ms=5
}

deliver() { # deliver FILE PARTITION: publishes what comes, and counts it
	if [ "$out" = - ]; then
		awk -v file="$1" 'END { print NR >file }'
	else
		awk -v file="$1" '{ print } END { print NR >file }' | publish "$out" ${same:+-p "$2"}
	fi
}

# The offset to read from: that of the last run, or the first that there is.
begin() { # begin PARTITION
	local low saved
	low=$(kcat -Q -t "$KAFKA_TOPIC:$1:-2" | sed 's/.* offset //')
	[[ $low =~ ^[0-9]+$ ]] || fail "Kafka does not say where partition $1 of '$KAFKA_TOPIC' begins"
	saved=$(cat "$state/$KAFKA_TOPIC.$1" 2>/dev/null || echo "$low")
	if [ "$saved" -lt "$low" ]; then
		echo "kafka-batch: messages $saved to $((low - 1)) of partition $1 were deleted before they were read" >&2
		worst=1
		saved=$low
	fi
	KAFKA_OFFSET=$saved
}

# One batch of a partition; fails when there is nothing more to read.
work() { # work PARTITION COMMAND...
	local at=$state/$KAFKA_TOPIC.$1 next=0 messages=0 lines=0 answers=0 rejects=0 status
	export KAFKA_PARTITION=$1 KAFKA_OFFSET SENTI_REJECT=$at.rejects
	rm -f "$at".{in,out,rejects}
	# Beyond 100,000 messages kcat would wait a second whenever its queue is full.
	kcat -C -t "$KAFKA_TOPIC" -p "$1" -o "$KAFKA_OFFSET" -c "$batch" -e -f '\x1e%o\t%s' -X auto.offset.reset=error \
		-X queued.min.messages=1000000 -X queued.max.messages.kbytes=65536 |
		unwrap "$at.in" | "${@:2}" | deliver "$at.out" "$1"
	status=("${PIPESTATUS[@]}")
	read -r next messages lines 2>/dev/null <"$at.in" || true
	read -r answers 2>/dev/null <"$at.out" || true
	[ ! -e "$at.rejects" ] || rejects=$(wc -l <"$at.rejects")
	[[ ${status[*]} =~ ^'0 0 '[01]' 0'$ ]] || fail "partition $1 from $KAFKA_OFFSET: kcat, awk, the command and kcat ended with ${status[*]}"
	[ "$lines" = $((answers + rejects)) ] ||
		fail "partition $1 from $KAFKA_OFFSET: $lines messages, but $answers came out and $rejects were rejected"
	[ "$next" -gt 0 ] || return 1
	if [ "$rejects" -gt 0 ]; then
		publish "$KAFKA_TOPIC.dead" <"$at.rejects" || fail "cannot publish to '$KAFKA_TOPIC.dead'"
		worst=1
	fi
	{ echo "$next" >"$at.new" && sync "$at.new" && mv "$at.new" "$at"; } || fail "cannot write '$at'"
	rm -f "$at".{in,out,rejects}
	KAFKA_OFFSET=$next
	[ "$messages" -ge "$batch" ]
}

mkdir -p "$state"
state=$(cd "$state" && pwd)
mapfile -t all < <(partitions "$KAFKA_TOPIC")
[ ${#all[@]} -gt 0 ] || fail "no topic '$KAFKA_TOPIC'"
same=
[ "$out" = - ] || [ "$(partitions "$out" | wc -l)" != ${#all[@]} ] || same=yes
for partition in ${KAFKA_PARTITIONS:-${all[@]}}; do
	exec 9>"$state/$KAFKA_TOPIC.$partition.lock"
	flock -n 9 || continue # another run has it
	begin "$partition"
	while work "$partition" "$@"; do :; done
done
exit "$worst"
