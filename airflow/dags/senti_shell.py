"""What the DAGs of senti share: names that Airflow 2.10, 2.11 and 3 keep in different places, and the head of every command.

The environment of Airflow's workers says where things are, and holds what is secret:

    PATH            has the senti tools
    SENTI_DATA      a folder that all workers see (default /var/lib/senti)
    SENTI_STORE     the database; its password belongs in PGPASSWORD or ~/.pgpass
    SENTI_REDIS     the cache
    SENTI_METRICS   for senti_stream_health: addresses of metrics

What changes from run to run goes by `env`, which no shell reads as code; a command never holds a template. Airflow shows `env` to everybody who may
see the run, so nothing secret goes there. A task's output, stdout and stderr together, ends with one line of JSON, which becomes its XCom.
"""
try:
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG
try:
    from airflow.sdk import CronDataIntervalTimetable
except ImportError:  # 2, and 3.0 to 3.2
    from airflow.timetables.interval import CronDataIntervalTimetable
try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:
    from airflow.operators.bash import BashOperator

__all__ = ["DAG", "CronDataIntervalTimetable", "bash"]

# The status of a pipeline is that of its worst command (pipefail would take the last bad one, so that a 1 hides a 3 before it). 99, no input, which
# Airflow shows as skipped, is less than any failure; 141 only says that the reader of a command's output was gone.
HEAD = r"""
set -u
SENTI_DATA=${SENTI_DATA:-/var/lib/senti}
worst() {
	local s w=0
	for s; do
		case $s in
		0 | 141) ;;
		99) [ $w -ne 0 ] || w=99 ;;
		*) { [ $w -ne 99 ] && [ $w -ge $s ]; } || w=$s ;;
		esac
	done
	return $w
}
fail() {
	echo "$*"
	exit 3
}
"""


def bash(task_id, command, env, **more):
    """A BashOperator: `env` comes on top of the worker's environment."""
    return BashOperator(task_id=task_id, bash_command=HEAD + command, env=env, append_env=True, **more)
