# shellcheck shell=bash
# airflow - sourced by scripts/services: the web server and API, the scheduler and what parses DAGs, with those of airflow/dags, all paused.
#
#     scripts/services start airflow DIR [version=3.3]    one that scripts/fetch-airflow has put into build
#
# Its database is a PostgreSQL of its own below DIR/airflow, since its scheduler ends where SQLite says that it is locked. Tasks run in the environment
# of the caller (SENTI_STORE, SENTI_DATA, PATH). `airflow standalone` would listen on all addresses, and run more than is needed.
# kill leaves the database; ctl is the command airflow: ctl airflow DIR dags list-import-errors

airflow_default=3.3

# shellcheck source=scripts/services.d/postgresql.sh
. "${here:?}/postgresql.sh"

# Of any version: which one is wanted is not known yet.
airflow_installed() {
	set -- "$here"/../../build/airflow-*/bin/airflow
	[ -x "$1" ]
}

# airflow_set NAME VALUE: an option SECTION__KEY
airflow_set() {
	export "AIRFLOW__$1=$2"
}

airflow_env() {
	local dir=$1/airflow port version secret='' jwt='' fernet=''
	port=$(cat "$dir/port")
	version=$(cat "$dir/version")
	# shellcheck source=/dev/null
	. "$dir/secrets"
	unset PYTHONPATH PYTHONSAFEPATH
	PATH=$(realpath "$here/../../build/airflow-$version")/bin:$PATH
	export AIRFLOW_HOME=$dir NO_COLOR=1 PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1
	airflow_set CORE__DAGS_FOLDER "$(realpath "$here/../../airflow/dags")"
	airflow_set CORE__LOAD_EXAMPLES False
	airflow_set CORE__PARALLELISM 4
	airflow_set CORE__FERNET_KEY "$fernet"
	airflow_set CORE__EXECUTOR LocalExecutor
	airflow_set DATABASE__SQL_ALCHEMY_CONN "postgresql+psycopg2://postgres@127.0.0.1:$(cat "$dir/db/postgresql/port")/postgres"
	airflow_set SCHEDULER__SCHEDULER_HEARTBEAT_SEC 1
	airflow_set USAGE_DATA_COLLECTION__ENABLED False
	case $version in
	2.*)
		airflow_set API__AUTH_BACKENDS airflow.api.auth.backend.basic_auth
		# One place decides what follows a task: two that do so at once may find a run whose tasks are done a failure.
		airflow_set SCHEDULER__SCHEDULE_AFTER_TASK_EXECUTION False
		airflow_set WEBSERVER__WEB_SERVER_HOST 127.0.0.1
		airflow_set WEBSERVER__WEB_SERVER_PORT "$port"
		airflow_set WEBSERVER__WORKERS 1
		airflow_set WEBSERVER__SECRET_KEY "$secret"
		;;
	*)
		airflow_set CORE__EXECUTION_API_SERVER_URL "http://127.0.0.1:$port/execution/"
		airflow_set CORE__SIMPLE_AUTH_MANAGER_USERS admin:admin
		airflow_set CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE "$dir/passwords.json"
		airflow_set API__HOST 127.0.0.1
		airflow_set API__PORT "$port"
		airflow_set API__BASE_URL "http://127.0.0.1:$port"
		airflow_set API__WORKERS 1
		airflow_set API__SECRET_KEY "$secret"
		airflow_set API_AUTH__JWT_SECRET "$jwt$jwt"
		;;
	esac
}

# The processes of this Airflow by their names, and what answers when all are well.
airflow_parts() {
	case $(cat "$1/airflow/version") in
	2.*) echo 'webserver scheduler' ;;
	*) echo 'api-server scheduler dag-processor' ;;
	esac
}

airflow_well() {
	local port path=/api/v2/monitor/health
	port=$(cat "$1/airflow/port")
	case $(cat "$1/airflow/version") in 2.*) path=/health ;; esac
	curl -fsS --max-time 5 "http://127.0.0.1:$port$path" 2>/dev/null | tr -d ' \n' |
		grep -q '"scheduler":{[^}]*"status":"healthy"'
}

airflow_launch() {
	local dir=$1/airflow part tries=2000 options
	listens "$(cat "$dir/port")" && fail 'the port of Airflow is taken' # the scheduler would not survive a stranger's answers
	for part in $(airflow_parts "$1"); do
		options=''
		[ "$part" != scheduler ] || options=--skip-serve-logs
		(
			cd "$dir" || exit
			airflow_env "$1"
			exec setsid airflow "$part" $options
		) >>"$dir/$part.log" 2>&1 </dev/null &
		note_pid "$1" "airflow-$part" $!
	done
	until airflow_well "$1"; do
		for part in $(airflow_parts "$1"); do
			if ! our_pid "$1" "airflow-$part" >/dev/null || ! ((tries-- > 0)); then
				tail -n 20 "$dir/$part.log" >&2
				fail "Airflow did not start: $part"
			fi
		done
		sleep 0.1
	done
}

airflow_prepare() {
	local dir=$1/airflow
	[ -x "$here/../../build/airflow-$2/bin/airflow" ] || fail "Airflow $2 is not installed: scripts/fetch-airflow $2"
	mkdir -p "$dir"
	echo "$2" >"$dir/version"
	free_ports 1 >"$dir/port"
	(
		umask 077
		printf '%s=%s\n' secret "$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')" jwt "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" \
			fernet "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')" >"$dir/secrets"
		echo '{"admin":"admin"}' >"$dir/passwords.json"
	)
	(postgresql_start "$dir/db" fsync=off) >/dev/null # in a subshell: else the server's would keep a copy of our stdout open
	airflow_note_database "$1"
	{
		airflow_ctl "$1" db migrate
		case $2 in 2.*) airflow_ctl "$1" users create -u admin -p admin -r Admin -f A -l A -e admin@localhost ;; esac
	} >"$dir/migrate.log" 2>&1 || {
		tail -n 20 "$dir/migrate.log" >&2
		fail 'Airflow made no database'
	}
}

airflow_start() {
	local dir=$1 setting version=$airflow_default
	shift
	for setting; do
		case $setting in
		version=*) version=${setting#*=} ;;
		*) fail "airflow has no setting '$setting'; the only one is version=VERSION" ;;
		esac
	done
	airflow_prepare "$dir" "$version"
	airflow_launch "$dir"
	echo "AIRFLOW='http://127.0.0.1:$(cat "$dir/airflow/port")' AIRFLOW_USER='admin' AIRFLOW_PASSWORD='admin'"
}

# All processes: the sessions of its parts, and what tasks run, each in a session of its own but with our folder in its environment.
airflow_pids() {
	local pid env
	sessions "$1"/pids/airflow-*
	for env in /proc/[0-9]*/environ; do
		pid=${env#/proc/}
		pid=${pid%/environ}
		if grep -qzxF "AIRFLOW_HOME=$1/airflow" "$env" 2>/dev/null; then
			echo "$pid"
		fi
	done
}

airflow_kill() {
	local pids
	pids=$(airflow_pids "$1")
	[ -n "$pids" ] || fail 'Airflow does not run'
	# shellcheck disable=SC2086
	kill_pids Airflow $pids
}

airflow_again() {
	our_pid "$1/airflow/db" postgresql >/dev/null || postgresql_again "$1/airflow/db"
	airflow_note_database "$1"
	airflow_launch "$1"
}

# Its database is one of the processes that DIR knows.
airflow_note_database() {
	note_pid "$1" metadata "$(our_pid "$1/airflow/db" postgresql)"
}

airflow_ctl() {
	local dir=$1
	shift
	(
		cd "$dir/airflow" || exit
		airflow_env "$dir"
		airflow "$@"
	)
}

# In order, and then whatever is left: a scheduler waits for its tasks.
airflow_stop() {
	local part pid tries=100
	for part in scheduler dag-processor api-server webserver; do
		pid=$(our_pid "$1" "airflow-$part") && kill -TERM "$pid"
	done
	while [ -n "$(airflow_pids "$1")" ] && ((tries-- > 0)); do
		sleep 0.1
	done
	[ -z "$(airflow_pids "$1")" ] || airflow_kill "$1"
	postgresql_stop "$1/airflow/db"
	rm -f "$1"/pids/airflow-* "$1/pids/metadata"
}
