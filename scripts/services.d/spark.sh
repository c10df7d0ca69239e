# shellcheck shell=bash
# spark - sourced by scripts/services: a standalone master and its workers, of what scripts/fetch-spark has put into build/spark-3.5.
#
#     scripts/services start spark DIR [workers=2]    each with one core and 700 MiB, on an address of its own (127.0.0.1, 127.0.0.2, ...)
#
# Were they on one address, no task would ever run twice (speculation wants another host). What tasks leave is below DIR/spark.
# ctl is spark-submit for this master: ctl spark DIR PROGRAM.py ARGUMENT...

spark_home() {
	realpath "${here:?}"/../../build/spark-3.5/lib/python3*/site-packages/pyspark 2>/dev/null
}

spark_installed() {
	[ -x "$(spark_home)/bin/spark-class" ] && command -v java
}

spark_env() {
	local dir=$1/spark
	unset PYTHONPATH PYTHONSAFEPATH
	SPARK_HOME=$(spark_home)
	PYSPARK_PYTHON=$(realpath -s "$here/../../build/spark-3.5/bin/python")
	export SPARK_HOME PYSPARK_PYTHON SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_DIRS=$dir/tmp SPARK_DAEMON_MEMORY=256m SPARK_NO_DAEMONIZE=1 \
		PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 SPARK_CONF_DIR=$dir
}

# spark_run DIR NAME ADDRESS ARGUMENT...
spark_run() {
	local dir=$1 name=$2 address=$3
	shift 3
	(
		cd "$dir/spark" || exit
		spark_env "$dir"
		SPARK_LOCAL_IP=$address exec setsid "$SPARK_HOME/bin/spark-class" "$@"
	) >>"$dir/spark/$name.log" 2>&1 </dev/null &
	note_pid "$dir" "spark-$name" $!
}

spark_launch() {
	local top=$1 dir=$1/spark port workers n tries=600 name
	port=$(cat "$dir/port")
	workers=$(cat "$dir/workers")
	spark_run "$top" master 127.0.0.1 org.apache.spark.deploy.master.Master --host 127.0.0.1 --port "$port" --webui-port $((port + 1))
	for ((n = 1; n <= workers; n++)); do
		spark_run "$top" "worker$n" "127.0.0.$n" org.apache.spark.deploy.worker.Worker --host "127.0.0.$n" --cores 1 --memory 700m \
			--webui-port $((port + 1 + n)) --work-dir "$dir/work$n" "spark://127.0.0.1:$port"
	done
	until curl -fs "http://127.0.0.1:$((port + 1))/json/" 2>/dev/null | tr -d ' ' | grep -q "\"aliveworkers\":$workers,"; do
		for name in master $(seq -f 'worker%g' "$workers"); do
			if ! our_pid "$top" "spark-$name" >/dev/null || ! ((tries-- > 0)); then
				tail -n 20 "$dir/$name.log" >&2
				fail "Spark did not start: $name"
			fi
		done
		sleep 0.1
	done
}

spark_start() {
	local top=$1 dir=$1/spark setting workers=2
	shift
	for setting; do
		case $setting in
		workers=*) workers=${setting#*=} ;;
		*) fail "spark has no setting '$setting'; the only one is workers=NUMBER" ;;
		esac
	done
	mkdir -p "$dir/tmp"
	echo "$workers" >"$dir/workers"
	free_ports $((2 + workers)) >"$dir/port"
	printf '%s\n' "spark.master spark://127.0.0.1:$(cat "$dir/port")" 'spark.ui.enabled false' 'spark.driver.memory 512m' \
		'spark.executor.memory 512m' "spark.local.dir $dir/tmp" >"$dir/spark-defaults.conf"
	cat >"$dir/log4j2.properties" <<-'END'
		rootLogger.level = warn
		rootLogger.appenderRef.stderr.ref = console
		appender.console.type = Console
		appender.console.name = console
		appender.console.target = SYSTEM_ERR
		appender.console.layout.type = PatternLayout
		appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
	END
	spark_launch "$top"
	echo "SENTI_SPARK='spark://127.0.0.1:$(cat "$dir/port")'"
}

# The sessions of the master and its workers, which their executors are in as well.
spark_pids() {
	sessions "$1"/pids/spark-*
}

spark_kill() {
	local pids
	pids=$(spark_pids "$1")
	[ -n "$pids" ] || fail 'Spark does not run'
	# shellcheck disable=SC2086
	kill_pids Spark $pids
}

spark_again() {
	spark_launch "$1"
}

spark_ctl() {
	local dir=$1
	shift
	(
		spark_env "$dir"
		exec "$SPARK_HOME/bin/spark-submit" "$@"
	)
}

# Workers first: each ends its executors.
spark_stop() {
	local file pid tries=200
	for file in "$1"/pids/spark-worker* "$1"/pids/spark-master; do
		pid=$(our_pid "$1" "$(basename "$file")") && kill -TERM "$pid"
	done
	while [ -n "$(spark_pids "$1")" ] && ((tries-- > 0)); do
		sleep 0.1
	done
	[ -z "$(spark_pids "$1")" ] || spark_kill "$1"
	rm -f "$1"/pids/spark-*
}
