# shellcheck shell=bash
# postgresql - sourced by scripts/services: one cluster of its own, on TCP alone. Its superuser postgres needs no password, all others do.
#
#     scripts/services start postgresql DIR [SETTING=VALUE...]    settings of postgresql.conf, such as max_connections=200
#     scripts/services start postgresql DIR standby=OTHER         a standby of the server in the folder OTHER, named standby in its pg_stat_replication
#
# Where DIR has data of a server that was killed and OTHER has taken its place, what it alone has is undone (OTHER needs wal_log_hints=on).
# Whether commits wait for the standby, and when it is promoted, its caller decides by ctl. A server that was a primary starts as one with `again`.
#
# The default collation is that of a language, as on most servers, so nothing can lean on the order of bytes unasked. fsync is on.

postgresql_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

postgresql_installed() {
	[ -x "$postgresql_bin/postgres" ]
}

# The server refuses root; its folder would be no place to stand in for everybody.
postgresql_as() (
	cd / || exit
	as postgres "$@"
)

postgresql_prepare() {
	local dir=$1/postgresql port setting
	shift
	mkdir -p "$dir"
	[ "$(id -u)" != 0 ] || chown postgres: "$dir"
	postgresql_as test -w "$dir" || fail "the user postgres cannot reach '$dir'"
	port=$(free_ports 1)
	postgresql_as "$postgresql_bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
		--locale-provider=icu --icu-locale=en-US --no-sync --no-instructions >"$dir/initdb.log" 2>&1 || {
		cat "$dir/initdb.log" >&2
		fail 'initdb failed'
	}
	printf '%s\n' "host all,replication postgres 127.0.0.1/32 trust" "host all all 127.0.0.1/32 scram-sha-256" >"$dir/data/pg_hba.conf"
	{
		printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = ''" "shared_buffers = 64MB" "max_connections = 100"
		for setting; do
			printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
		done
	} >>"$dir/data/postgresql.conf"
	echo "$port" >"$dir/port"
}

# The data of a killed server once more, if they can be rewound, else a copy. Both leave standby.signal and the way to the primary.
postgresql_follow() {
	local dir=$1/postgresql primary
	primary="postgresql://postgres@127.0.0.1:$(cat "$2/postgresql/port")/postgres?application_name=standby"
	mkdir -p "$dir"
	[ "$(id -u)" != 0 ] || chown postgres: "$dir"
	[ -f "$dir/port" ] || free_ports 1 >"$dir/port"
	! [ -d "$dir/data" ] || ! postgresql_as "$postgresql_bin/pg_rewind" -D "$dir/data" --source-server "$primary" -R --no-sync >>"$dir/log" 2>&1 || return 0
	rm -rf "$dir/data"
	postgresql_as "$postgresql_bin/pg_basebackup" -D "$dir/data" -d "$primary" -R -c fast --no-sync >>"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log" >&2
		fail 'pg_basebackup failed'
	}
}

postgresql_launch() {
	local dir=$1/postgresql tries=600 job
	postgresql_as setsid "$postgresql_bin/postgres" -D "$dir/data" -p "$(cat "$dir/port")" >>"$dir/log" 2>&1 </dev/null &
	job=$!
	until "$postgresql_bin/pg_isready" -q -h 127.0.0.1 -p "$(cat "$dir/port")"; do
		if ! alive $job || ! ((tries-- > 0)); then
			tail -n 20 "$dir/log" >&2
			fail 'PostgreSQL did not start'
		fi
		sleep 0.1
	done
	note_pid "$1" postgresql "$(postgresql_as head -n 1 "$dir/data/postmaster.pid")"
}

postgresql_start() {
	case ${2:-} in
	standby=*) postgresql_follow "$1" "$(realpath "${2#*=}")" ;;
	*) postgresql_prepare "$@" ;;
	esac
	postgresql_launch "$1"
	echo "SENTI_STORE='postgresql://postgres@127.0.0.1:$(cat "$1/postgresql/port")/postgres'"
}

# All of its processes at once, as a power cut would: the first is held while the others are looked up, so that it starts none.
postgresql_kill() {
	local pid
	pid=$(our_pid "$1" postgresql) || fail 'PostgreSQL does not run'
	kill -STOP "$pid"
	# shellcheck disable=SC2046
	kill_pids PostgreSQL "$pid" $(cat "/proc/$pid/task/$pid/children")
}

postgresql_again() {
	postgresql_launch "$1"
}

# ctl: psql as the superuser, without anybody's psqlrc.
postgresql_ctl() {
	local port
	port=$(cat "$1/postgresql/port")
	shift
	"$postgresql_bin/psql" -X -q -h 127.0.0.1 -p "$port" -U postgres -d postgres "$@"
}

postgresql_stop() {
	local pid
	if pid=$(our_pid "$1" postgresql); then
		kill -CONT "$pid"
		kill -INT "$pid" # ends sessions, keeps what is committed
		wait_gone "$pid" 30 || kill -QUIT "$pid"
		wait_gone "$pid" 10 || postgresql_kill "$1"
	fi
	rm -f "$1/pids/postgresql"
}
