# shellcheck shell=bash
# redis - sourced by scripts/services: one server on a port of loopback and on the socket DIR/redis/sock, nothing saved on disk.

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

redis_launch() {
	local dir=$1/redis tries=100
	rm -f "$dir/pid"
	redis-server "$dir/redis.conf" >"$dir/out.log" 2>&1 </dev/null || true
	until [ -s "$dir/pid" ] && redis_ready "$1"; do
		if ((tries-- <= 0)); then
			tail -n 20 "$dir/out.log" "$dir/log" >&2
			fail 'Redis did not start'
		fi
		sleep 0.05
	done
	note_pid "$1" redis "$(cat "$dir/pid")"
}

# What stands in DIR/redis.conf, if the caller has put one there, is added to the configuration (users, maxmemory).
redis_start() {
	local dir=$1/redis port
	mkdir -p "$dir"
	port=$(free_ports 1)
	cat >"$dir/redis.conf" <<-END
		bind 127.0.0.1
		port $port
		unixsocket $dir/sock
		unixsocketperm 700
		dir $dir
		pidfile $dir/pid
		logfile $dir/log
		daemonize yes
		save ""
		appendonly no
		maxmemory 256mb
		maxmemory-policy allkeys-lfu
	END
	[ ! -f "$1/redis.conf" ] || cat "$1/redis.conf" >>"$dir/redis.conf"
	redis_launch "$1"
	echo "SENTI_REDIS='redis://127.0.0.1:$port'"
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
