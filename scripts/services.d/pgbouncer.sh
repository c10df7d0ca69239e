# shellcheck shell=bash
# pgbouncer - sourced by scripts/services: a pooler in transaction mode before the PostgreSQL of the same DIR, which is started first.
#
#     scripts/services start pgbouncer DIR [SETTING=VALUE...]    settings of pgbouncer.ini
#
# Few connections to the server are shared by many clients, so what a session keeps shows itself as an error soon.

PATH=$PATH:/usr/sbin

pgbouncer_installed() {
	command -v pgbouncer
}

pgbouncer_launch() {
	local dir=$1/pgbouncer tries=100 job
	(
		cd / || exit
		as postgres setsid pgbouncer "$dir/pgbouncer.ini"
	) >>"$dir/log" 2>&1 </dev/null &
	job=$!
	until listens "$(cat "$dir/port")"; do
		if ! alive $job || ! ((tries-- > 0)); then
			tail -n 20 "$dir/log" >&2
			fail 'pgbouncer did not start'
		fi
		sleep 0.1
	done
	note_pid "$1" pgbouncer "$(cat "$dir/pid")"
}

pgbouncer_start() {
	local top=$1 dir=$1/pgbouncer port setting
	shift
	our_pid "$top" postgresql >/dev/null || fail "start postgresql in '$top' first"
	mkdir -p "$dir"
	port=$(free_ports 1)
	echo "$port" >"$dir/port"
	echo '"postgres" ""' >"$dir/users"
	{
		printf '%s\n' '[databases]' "* = host=127.0.0.1 port=$(cat "$top/postgresql/port")" '[pgbouncer]' 'listen_addr = 127.0.0.1' \
			"listen_port = $port" 'unix_socket_dir =' 'auth_type = trust' "auth_file = $dir/users" "pidfile = $dir/pid" 'admin_users = postgres' \
			'pool_mode = transaction' 'default_pool_size = 5' 'max_client_conn = 200'
		for setting; do
			echo "${setting%%=*} = ${setting#*=}"
		done
	} >"$dir/pgbouncer.ini"
	[ "$(id -u)" != 0 ] || chown -R postgres: "$dir"
	pgbouncer_launch "$top"
	echo "SENTI_POOLER='postgresql://postgres@127.0.0.1:$port/postgres'"
}

pgbouncer_kill() {
	kill_server "$1" pgbouncer pgbouncer
}

pgbouncer_again() {
	pgbouncer_launch "$1"
}

# ctl: psql at its administration console.
pgbouncer_ctl() {
	local port
	port=$(cat "$1/pgbouncer/port")
	shift
	psql -X -q -h 127.0.0.1 -p "$port" -U postgres -d pgbouncer "$@"
}

pgbouncer_stop() {
	stop_server "$1" pgbouncer 10
}
