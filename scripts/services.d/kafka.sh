# shellcheck shell=bash
# kafka - sourced by scripts/services: one broker that is its own controller (KRaft), of what scripts/fetch-kafka has put into build/kafka.
#
# Topics are made when they are first asked for, with three partitions. After kill -9 it is whole again when the session of the old one has ended (4 s).
# ctl is a tool of Kafka by the name of its class: ctl kafka DIR TopicCommand --create --topic t --partitions 6 (or GetOffsetShell, DeleteRecordsCommand)

kafka_installed() {
	compgen -G "${here:?}/../../build/kafka/kafka_*.jar" && command -v java && command -v kcat
}

# The class path's asterisk is for java.
kafka_java() {
	java -Xmx384m -XX:TieredStopAtLevel=1 -cp "$(realpath "$here/../../build/kafka")/*" "$@"
}

kafka_launch() {
	local dir=$1/kafka port tries=100 job
	port=$(cat "$dir/port")
	(
		cd "$dir" || exit
		exec setsid java -Xmx384m -XX:TieredStopAtLevel=1 -cp "$(realpath "$here/../../build/kafka")/*" kafka.Kafka server.properties
	) >>"$dir/log" 2>&1 </dev/null &
	job=$!
	note_pid "$1" kafka $job
	until timeout 5 kcat -b "127.0.0.1:$port" -L -m 1 >/dev/null 2>&1; do
		if ! alive $job || ! ((tries-- > 0)); then
			tail -n 20 "$dir/log" >&2
			fail 'Kafka did not start'
		fi
		sleep 0.1
	done
}

kafka_start() {
	local dir=$1/kafka port
	mkdir -p "$dir"
	port=$(free_ports 2)
	echo "$port" >"$dir/port"
	cat >"$dir/server.properties" <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$((port + 1))
		controller.listener.names=CONTROLLER
		listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
		advertised.listeners=PLAINTEXT://127.0.0.1:$port
		inter.broker.listener.name=PLAINTEXT
		listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
		log.dirs=$dir/data
		broker.session.timeout.ms=4000
		broker.heartbeat.interval.ms=500
		num.partitions=3
		offsets.topic.replication.factor=1
		offsets.topic.num.partitions=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		transaction.state.log.num.partitions=1
	END
	kafka_java kafka.tools.StorageTool format -t "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d =)" -c "$dir/server.properties" \
		>"$dir/log" 2>&1 || {
		cat "$dir/log" >&2
		fail 'Kafka made no storage'
	}
	kafka_launch "$1"
	echo "SENTI_KAFKA='127.0.0.1:$port'"
}

kafka_kill() {
	kill_server "$1" kafka Kafka
}

kafka_again() {
	kafka_launch "$1"
}

kafka_ctl() {
	local port class=$2
	port=$(cat "$1/kafka/port")
	shift 2
	kafka_java "org.apache.kafka.tools.$class" --bootstrap-server "127.0.0.1:$port" "$@" 2>&1
}

kafka_stop() {
	stop_server "$1" kafka 20
}
