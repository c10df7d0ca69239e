# shellcheck shell=bash
# redis - sourced by scripts/services: one server on a port of loopback and on the socket DIR/redis/sock, nothing saved on disk.
# With the setting replica=OTHER it follows the server of the folder OTHER. With sentinel=OTHER it is a Sentinel that watches that server by the name
# "senti"; two have to agree that it is gone, after half a second, before a replica takes over. So a group that fails over is
#
#     scripts/services start redis A
#     scripts/services start redis B replica=A
#     for i in 1 2 3; do scripts/services start redis S$i sentinel=A; done
#
# and its address redis+sentinel://127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT/senti, with the ports of the Sentinels, each of which prints its own. They
# have found each other when "scripts/services ctl redis S1 sentinel ckquorum senti" begins with "OK 3 usable".

redis_installed() {
	command -v redis-server
}

redis_cli() {
	redis-cli -s "$1/redis/sock" "${@:2}"
}

# Until it answers. Where the caller's configuration has a password, NOAUTH is an answer too; LOADING is none.
redis_ready() {
	local tries=200
	until redis_cli "$1" ping 2>&1 | grep -q -e '^PONG' -e '^NOAUTH'; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

# Until the replica has what the primary has, or does not let us ask.
redis_follows() {
	local tries=200
	until redis_cli "$1" info replication 2>&1 | grep -q -e '^master_link_status:up' -e '^NOAUTH' -e '^NOPERM'; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

redis_launch() {
	local dir=$1/redis tries=100 sentinel=''
	[ ! -f "$dir/sentinel" ] || sentinel=--sentinel
	rm -f "$dir/pid"
	redis-server "$dir/redis.conf" ${sentinel:+"$sentinel"} >"$dir/out.log" 2>&1 </dev/null || true
	until [ -s "$dir/pid" ] && redis_ready "$1"; do
		if ((tries-- <= 0)); then
			tail -n 20 "$dir/out.log" "$dir/log" >&2
			fail 'Redis did not start'
		fi
		sleep 0.05
	done
	note_pid "$1" redis "$(cat "$dir/pid")"
}

redis_port() {
	sed -n 's/^port //p' "$1/redis/redis.conf"
}

# The configuration of a server, and of a Sentinel, beside what both have.
redis_server_conf() {
	cat <<-END
		save ""
		appendonly no
		maxmemory 256mb
		maxmemory-policy allkeys-lfu
		repl-diskless-sync-delay 0
	END
	[ -z "$1" ] || echo "replicaof 127.0.0.1 $(redis_port "$1")"
}

redis_sentinel_conf() {
	cat <<-END
		sentinel monitor senti 127.0.0.1 $(redis_port "$1") 2
		sentinel down-after-milliseconds senti 2000
		sentinel failover-timeout senti 2000
	END
}

# What stands in DIR/redis.conf, if the caller has put one there, is added to the configuration (users, maxmemory, TLS).
redis_start() {
	local dir=$1/redis primary='' watched='' setting port
	for setting in "${@:2}"; do
		case $setting in
		replica=*) primary=${setting#*=} ;;
		sentinel=*) watched=${setting#*=} ;;
		*) fail "redis has no setting '$setting'; there are replica=DIR and sentinel=DIR" ;;
		esac
	done
	[ -z "$primary$watched" ] || [ -f "$primary$watched/redis/redis.conf" ] || fail "no Redis was started in '$primary$watched'"
	mkdir -p "$dir"
	port=$(free_ports 2)
	cat >"$dir/redis.conf" <<-END
		bind 127.0.0.1
		port $port
		unixsocket $dir/sock
		unixsocketperm 700
		dir $dir
		pidfile $dir/pid
		logfile $dir/log
		daemonize yes
	END
	if [ -n "$watched" ]; then
		redis_sentinel_conf "$watched"
	else
		redis_server_conf "$primary"
	fi >>"$dir/redis.conf"
	[ ! -f "$1/redis.conf" ] || sed "s|@TLS_PORT@|$((port + 1))|" "$1/redis.conf" >>"$dir/redis.conf"
	[ -z "$watched" ] || : >"$dir/sentinel"
	redis_launch "$1"
	[ -z "$primary" ] || redis_follows "$1" || fail 'the replica does not follow'
	if [ -n "$watched" ]; then
		echo "SENTI_REDIS='redis+sentinel://127.0.0.1:$port/senti'"
	else
		echo "SENTI_REDIS='redis://127.0.0.1:$port'"
	fi
}

redis_kill() {
	kill_server "$1" redis Redis
}

redis_again() {
	redis_launch "$1"
}

# redis-cli; REDISCLI_AUTH and --user go with a configuration that has users.
redis_ctl() {
	redis_cli "$@"
}

redis_stop() {
	stop_server "$1" redis 10
}
