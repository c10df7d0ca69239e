"""An Airflow DAG that makes a model anew: train, evaluate, promote if good enough, and rescore what another model has scored.

It learns from $SENTI_DATA/labelled.jsonl and from the labels that people have corrected in the store; $SENTI_DATA/held-out.jsonl decides. The model
is $SENTI_DATA/models/current.senti, replaced in one move, the one before it previous.senti. Programs that run keep what they have read: start workers
and senti-serve again, one after another, with SENTI_MODEL naming it.
"""
from datetime import datetime, timedelta

from senti_shell import DAG, bash

PATHS = r"""
models=$SENTI_DATA/models
candidate=$models/$DAY.senti
current=$models/current.senti
"""

TRAIN = PATHS + r"""
mkdir -p "$models" || exit 3
{ cat "$SENTI_DATA/labelled.jsonl" && senti-store query --corrected --retry "$RETRY"; } |
	senti-train -o "$candidate" ${MAP:+--map "$MAP"} --max-rejects "$MAX_REJECTS" --summary >/dev/null
worst "${PIPESTATUS[@]}"
"""

# The report is one line; below the limit the status is 1.
EVALUATE = PATHS + r"""
senti-eval -m "$candidate" --json --min-f1 "$MIN_F1" ${MAP:+--map "$MAP"} --max-rejects "$MAX_REJECTS" --no-progress "$SENTI_DATA/held-out.jsonl"
"""

PROMOTE = PATHS + r"""
promoted=false
if ! cmp -s "$candidate" "$current"; then
	cp "$candidate" "$current.new" && sync "$current.new" || exit 3
	[ ! -e "$current" ] || ln -f "$current" "$models/previous.senti" || exit 3
	mv -f "$current.new" "$current" || exit 3
	promoted=true
fi
echo "{\"model\":\"$current\",\"promoted\":$promoted}"
"""

# Corrected labels stay. Nothing to rescore is a skip.
RESCORE = PATHS + r"""
name=$(senti-score -m "$current" -e x | sed -n 's/.*"model":"\([^"]*\)".*/\1/p')
[ -n "$name" ] || fail "no model in $current"
senti-store query --not-model "$name" --retry "$RETRY" | senti-score -m "$current" --exit-if-empty --summary |
	senti-store put --retry "$RETRY" --summary >/dev/null
worst "${PIPESTATUS[@]}"
"""

ENV = {
    "DAY": "{{ ds }}",
    "MIN_F1": "{{ params.min_f1 }}",
    "MAP": "{{ params.map }}",
    "MAX_REJECTS": "{{ params.max_rejects }}",
    "RETRY": "{{ params.retry }}",
}

with DAG(
    dag_id="senti_retrain",
    description="Train, evaluate, promote and rescore",
    schedule="0 3 * * 0",
    start_date=datetime(2024, 5, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=5), "execution_timeout": timedelta(hours=6)},
    params={"min_f1": 0.6, "map": "", "max_rejects": "1%", "retry": "60"},
    tags=["senti"],
) as dag:
    # A model that is not good enough today is not better at a second try.
    evaluate = bash("evaluate", EVALUATE, ENV, retries=0)
    bash("train", TRAIN, ENV) >> evaluate >> bash("promote", PROMOTE, ENV) >> bash("rescore", RESCORE, ENV)
