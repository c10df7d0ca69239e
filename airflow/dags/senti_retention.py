"""An Airflow DAG that backs the store up, deletes what is old, and trims the log of changes.

$SENTI_DATA/backup/2024-05-01.jsonl.gz is `senti-store export` of that day's run; `zcat FILE | senti-store put` restores it. Nothing is deleted before
the back-up is whole. Records without a time stay.
"""
from datetime import datetime, timedelta

from senti_shell import DAG, bash

# The summary of the export is the last line; gzip says nothing.
BACKUP = r"""
backup=$SENTI_DATA/backup
mkdir -p "$backup" || exit 3
trap 'rm -f "$backup/$DAY.part"' EXIT
senti-store export --retry "$RETRY" --summary | gzip >"$backup/$DAY.part"
worst "${PIPESTATUS[@]}" || exit
sync "$backup/$DAY.part" && mv "$backup/$DAY.part" "$backup/$DAY.jsonl.gz" || exit 3
ls "$backup" | grep -E '^[0-9-]{10}\.jsonl\.gz$' | head -n "-$KEEP_BACKUPS" | while read -r old; do
	rm -f "$backup/$old"
done
"""

EXPIRE = r"""
before=$(date -u -d "$DAY - $KEEP_DAYS days" +%F) || exit 2
senti-store query --until "$before" --retry "$RETRY" | senti-store delete --exit-if-empty --retry "$RETRY" --summary >/dev/null
worst "${PIPESTATUS[@]}"
"""

PRUNE = r"""
senti-store prune --dead "$DEAD" --retry "$RETRY" --summary
"""

ENV = {
    "DAY": "{{ ds }}",
    "KEEP_DAYS": "{{ params.keep_days }}",
    "KEEP_BACKUPS": "{{ params.keep_backups }}",
    "DEAD": "{{ params.dead }}",
    "RETRY": "{{ params.retry }}",
}

with DAG(
    dag_id="senti_retention",
    description="Back up, delete what is old, prune the log of changes",
    schedule="30 2 * * *",
    start_date=datetime(2024, 5, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=5), "execution_timeout": timedelta(hours=6)},
    params={"keep_days": 365, "keep_backups": 14, "dead": "7d", "retry": "60"},
    tags=["senti"],
) as dag:
    # Where nothing was old enough, the log is trimmed all the same.
    prune = bash("prune", PRUNE, ENV, trigger_rule="none_failed")
    bash("backup", BACKUP, ENV) >> bash("expire", EXPIRE, ENV) >> prune
