"""An Airflow DAG that stores a dated file a day: $SENTI_DATA/2024-05-01.csv is ingested, scored, stored and verified.

A run may be repeated at any time: ids follow from the file, so a repeat stores nothing twice and gives no row a new version. Rejected rows of a try
are in $SENTI_DATA/rejects/TIME.TRY.jsonl while it runs and if it fails; those of the last complete one in $SENTI_DATA/rejects/2024-05-01.jsonl.
A day without rows is skipped; a day without a file fails, and is tried again.
"""
from datetime import datetime, timedelta

from senti_shell import DAG, CronDataIntervalTimetable, bash

# A killed tool needs no care of its own: what reads from it ends as after a short file, and its status fails the try, whatever was stored until then.
INGEST = r"""
file=$SENTI_DATA/$FILE
rejects=$SENTI_DATA/rejects
ingest() {
	senti-ingest --text "$TEXT" ${ID:+--id "$ID"} ${TIME:+--time "$TIME"} --source "$SOURCE" --id-path "$FILE" \
		--exit-if-empty --no-progress --max-rejects "$MAX_REJECTS" "$@" "$file"
}
[ -r "$file" ] || fail "cannot read $file"
"""

# Each tool ends with its summary before its reader sees the end of the input, so the last line is that of the store.
LOAD = INGEST + r"""
mkdir -p "$rejects" || exit 3
export SENTI_REJECT=$rejects/$RUN.$TRY.jsonl
: >"$SENTI_REJECT" || exit 3
ingest ${RATE:+--rate "$RATE"} --summary |
	senti-score --max-rejects "$MAX_REJECTS" --summary |
	senti-store put --retry "$RETRY" --max-rejects "$MAX_REJECTS" --summary >/dev/null
worst "${PIPESTATUS[@]}"
status=$?
[ -s "$SENTI_REJECT" ] || rm -f "$SENTI_REJECT"
if [ $status -eq 0 ]; then
	rm -f "$rejects/$DAY.jsonl"
	[ ! -e "$SENTI_REJECT" ] || mv "$SENTI_REJECT" "$rejects/$DAY.jsonl"
fi
exit $status
"""

# Asks for every record of the file by its id. Only as many may be missing as tools after senti-ingest have rejected.
VERIFY = INGEST + r"""
missing=$(grep -cv '"tool":"senti-ingest"' "$rejects/$DAY.jsonl" 2>/dev/null)
ingest --reject /dev/null | senti-store get --retry "$RETRY" --max-rejects "${missing:-0}" --summary >/dev/null
worst "${PIPESTATUS[@]}"
"""

ENV = {
    "DAY": "{{ ds }}",
    "RUN": "{{ ts_nodash }}",
    "TRY": "{{ ti.try_number }}",
    "FILE": "{{ ds }}{{ params.suffix }}",
    "SOURCE": "{{ params.source }}",
    "TEXT": "{{ params.text }}",
    "ID": "{{ params.id }}",
    "TIME": "{{ params.time }}",
    "MAX_REJECTS": "{{ params.max_rejects }}",
    "RATE": "{{ params.rate }}",
    "RETRY": "{{ params.retry }}",
}

with DAG(
    dag_id="senti_batch",
    description="Ingest, score, store and verify the file of a day",
    # A run begins when its day is over and the file is whole: with "@daily" Airflow 3 would begin it with the day. The day is the logical date (ds),
    # which is the same for scheduled, manual, test and back-fill runs; data_interval_start is a day earlier in manual ones.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2024, 5, 1),
    catchup=False,
    max_active_runs=2,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=5), "execution_timeout": timedelta(hours=1)},
    params={
        "suffix": ".csv",
        "source": "batch",
        "text": "text",  # columns, as for senti-ingest
        "id": "",
        "time": "",
        "max_rejects": "1%",
        "rate": "",  # such as 2000/s, to spare a shared database
        "retry": "60",  # seconds for a database that is away
    },
    tags=["senti"],
) as dag:
    bash("load", LOAD, ENV) >> bash("verify", VERIFY, ENV)
