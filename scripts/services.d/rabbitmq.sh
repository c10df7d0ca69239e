# shellcheck shell=bash
# rabbitmq - sourced by scripts/services: one node with its own name, cookie, epmd and ports. Debian's wrappers would use the system's.
# With the setting cluster=OTHER it joins the cluster of the node in the folder OTHER, whose cookie and epmd it then shares. With metrics=PORT its
# plugin for Prometheus answers there; plugin=NAME enables another one. schedulers=NUMBER bounds the cores that it uses.

rabbit_bin=/usr/lib/rabbitmq/bin

rabbitmq_installed() {
	[ -x $rabbit_bin/rabbitmq-server ]
}

rabbit_env() {
	local dir=$1/rabbitmq port epmd bound=''
	port=$(cat "$dir/port")
	epmd=$(cat "$dir/epmd")
	[ ! -f "$dir/schedulers" ] || bound=$(sed 's/.*/ +S &:&/' "$dir/schedulers")
	export HOME=$dir RABBITMQ_NODENAME=senti$port@localhost RABBITMQ_NODE_PORT=$port \
		RABBITMQ_DIST_PORT=$((port + 1)) ERL_EPMD_PORT=$epmd ERL_EPMD_ADDRESS=127.0.0.1 \
		RABBITMQ_BASE=$dir RABBITMQ_MNESIA_BASE=$dir/data RABBITMQ_LOG_BASE=$dir/log RABBITMQ_PID_FILE=$dir/pid \
		RABBITMQ_CONFIG_FILE=$dir/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$dir/none.config \
		RABBITMQ_CONF_ENV_FILE=$dir/env.conf RABBITMQ_ENABLED_PLUGINS_FILE=$dir/plugins \
		RABBITMQ_GENERATED_CONFIG_DIR=$dir/generated LANG=C.UTF-8 \
		RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none$bound" \
		RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
}

# What stands in DIR/rabbitmq.conf, if the caller has put one there, is added to the configuration (TLS, limits).
rabbit_prepare() {
	local dir=$1/rabbitmq other=$2 metrics=$3 plugins=$4 port
	mkdir -p "$dir"
	port=$(free_ports 4)
	echo "$port" >"$dir/port"
	if [ -n "$other" ]; then
		cp "$other/rabbitmq/epmd" "$dir/epmd"
		(umask 077 && cat "$other/rabbitmq/.erlang.cookie" >"$dir/.erlang.cookie")
	else
		echo $((port + 2)) >"$dir/epmd"
		(umask 077 && head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$dir/.erlang.cookie")
	fi
	chmod 400 "$dir/.erlang.cookie"
	cat >"$dir/rabbitmq.conf" <<-END
		listeners.tcp.1 = 127.0.0.1:$port
		vm_memory_high_watermark.absolute = 512MB
		disk_free_limit.absolute = 50MB
	END
	[ ! -f "$1/rabbitmq.conf" ] || sed "s|@TLS_PORT@|$((port + 3))|" "$1/rabbitmq.conf" >>"$dir/rabbitmq.conf"
	: >"$dir/env.conf"
	echo "[$plugins${metrics:+${plugins:+,}rabbitmq_prometheus}]." >"$dir/plugins"
	if [ -n "$metrics" ]; then
		printf '%s\n' 'prometheus.tcp.ip = 127.0.0.1' "prometheus.tcp.port = $metrics" >>"$dir/rabbitmq.conf"
	fi
	[ "$(id -u)" != 0 ] || chown -R rabbitmq: "$dir"
	# The server must reach its folder through those above it.
	as rabbitmq test -r "$dir/port" || fail "the user rabbitmq cannot reach '$dir'"
}

rabbit_launch() {
	local dir=$1/rabbitmq pid='' tries=1200
	rm -f "$dir/pid"
	(
		cd "$dir" || exit
		rabbit_env "$1"
		as rabbitmq setsid $rabbit_bin/rabbitmq-server >"$dir/out.log" 2>&1 </dev/null &
	)
	until [ -n "$pid" ] && listens "$(cat "$dir/port")"; do
		pid=$(cat "$dir/pid" 2>/dev/null || true)
		[ -z "$pid" ] || alive "$pid" || break
		((tries-- > 0)) || break
		sleep 0.1
	done
	if [ -z "$pid" ] || ! alive "$pid"; then
		tail -n 20 "$dir/out.log" >&2
		fail 'RabbitMQ did not start'
	fi
	note_pid "$1" rabbitmq "$pid"
}

rabbitmq_ctl() {
	local dir=$1
	shift
	(
		cd "$dir/rabbitmq" || exit
		rabbit_env "$dir"
		as rabbitmq $rabbit_bin/rabbitmqctl -q "$@"
	)
}

# The listener opens a moment before the node is whole; the tool may also answer too early, so it is asked again.
rabbit_ready() {
	local tries=60
	until rabbitmq_ctl "$1" await_startup --timeout 60 >/dev/null 2>&1; do
		((tries-- > 0)) || fail 'RabbitMQ does not answer'
		sleep 0.3
	done
}

rabbit_join() {
	local log=$1/rabbitmq/join.log
	if ! { rabbitmq_ctl "$1" stop_app && rabbitmq_ctl "$1" join_cluster "senti$(cat "$2/rabbitmq/port")@localhost" &&
		rabbitmq_ctl "$1" start_app; } >"$log" 2>&1; then
		cat "$log" >&2
		fail 'RabbitMQ did not join the cluster'
	fi
	rabbit_ready "$1"
}

rabbitmq_start() {
	local dir=$1 setting other='' metrics='' plugins=''
	shift
	mkdir -p "$dir/rabbitmq"
	for setting; do
		case $setting in
		cluster=*) other=${setting#*=} ;;
		metrics=*) metrics=${setting#*=} ;;
		plugin=*) plugins=$plugins${plugins:+,}${setting#*=} ;;
		schedulers=*) echo "${setting#*=}" >"$dir/rabbitmq/schedulers" ;;
		*) fail "rabbitmq has no setting '$setting'; there are cluster=DIR, metrics=PORT, plugin=NAME and schedulers=NUMBER" ;;
		esac
	done
	[ -z "$other" ] || [ -f "$other/rabbitmq/epmd" ] || fail "no RabbitMQ was started in '$other'"
	rabbit_prepare "$dir" "$other" "$metrics" "$plugins"
	rabbit_launch "$dir"
	rabbit_ready "$dir"
	[ -z "$other" ] || rabbit_join "$dir" "$other"
	echo "SENTI_AMQP='amqp://guest:guest@127.0.0.1:$(cat "$dir/rabbitmq/port")'"
}

rabbitmq_kill() {
	kill_server "$1" rabbitmq RabbitMQ
}

# The only member of a queue may not elect itself after a kill: whoever asks it waits for ever. (RabbitMQ 3.10; #10070 of its issues is open.)
rabbit_elect() {
	rabbitmq_ctl "$1" eval '[ra:trigger_election({Q, node()}) ||
		{Q, _} <- ra_directory:list_registered(quorum_queues), ra_leaderboard:lookup_leader(Q) =:= undefined].' >>"$1/rabbitmq/elect.log" 2>&1 || true
}

rabbitmq_again() {
	rabbit_launch "$1"
	rabbit_ready "$1"
	rabbit_elect "$1"
}

rabbitmq_stop() {
	stop_server "$1" rabbitmq 30
	# The name server is ours as well; it stays while a node of the cluster is there.
	(
		cd /
		rabbit_env "$1"
		as rabbitmq epmd -kill >/dev/null 2>&1 || true
	)
}
