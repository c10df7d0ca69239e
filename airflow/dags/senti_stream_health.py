"""An Airflow DAG that looks after the stream: waiting messages, dead letters, the cache beside the store, and how far followers lag.

$SENTI_METRICS names what to ask, separated by blanks: RabbitMQ's own metrics (http://HOST:15692/metrics/per-object, its plugin rabbitmq_prometheus),
and /metrics of each senti-serve or senti-cache follow. A task fails beyond its limit; its XCom has the figure.
"""
from datetime import datetime, timedelta

from senti_shell import DAG, bash

# Prints all samples; an address that does not answer fails the task.
METRICS = r"""
metrics() {
	[ -n "${SENTI_METRICS:-}" ] || fail 'SENTI_METRICS names no addresses'
	local url
	for url in $SENTI_METRICS; do
		curl -fsS --max-time 20 "$url" || fail "cannot read $url"
	done
}
samples=$(metrics) || fail "$samples"
"""

# The messages of a queue: ready ones and those that a worker has not acknowledged. Of several nodes each shows the queues that it leads.
QUEUE = METRICS + r"""
printf '%s\n' "$samples" | awk -v queue="$QUEUE" -v limit="$LIMIT" '
	/^rabbitmq_queue_messages_(ready|unacked)[{]/ && index($0, "queue=\"" queue "\"") { found = 1; sum += $NF }
	END {
		if (!found) { print "no queue " queue " in the metrics"; exit 3 }
		printf "{\"queue\":\"%s\",\"messages\":%d,\"limit\":%d}\n", queue, sum, limit
		exit sum > limit
	}'
"""

LAG = METRICS + r"""
printf '%s\n' "$samples" | awk -v limit="$LIMIT" '
	/^senti_follow_lag_seconds / { found = 1; if ($NF > lag) lag = $NF }
	END {
		if (!found) { print "no follower in the metrics"; exit 3 }
		printf "{\"lag\":%.3f,\"limit\":%d}\n", lag, limit
		exit lag > limit
	}'
"""

# Its last line are the totals.
CACHE = r"""
senti-cache verify --sample "$SAMPLE" --retry "$RETRY"
"""

with DAG(
    dag_id="senti_stream_health",
    description="Queue depth, dead letters, cache and lag of the stream",
    schedule="*/10 * * * *",
    start_date=datetime(2024, 5, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(minutes=5)},
    params={"queue": "texts", "max_depth": 10000, "max_dead": 0, "max_lag": 30, "sample": 1000, "retry": "60"},
    tags=["senti"],
) as dag:
    bash("depth", QUEUE, {"QUEUE": "{{ params.queue }}", "LIMIT": "{{ params.max_depth }}"})
    bash("dead_letters", QUEUE, {"QUEUE": "{{ params.queue }}.dead", "LIMIT": "{{ params.max_dead }}"})
    bash("lag", LAG, {"LIMIT": "{{ params.max_lag }}"})
    bash("cache", CACHE, {"SAMPLE": "{{ params.sample }}", "RETRY": "{{ params.retry }}"})
