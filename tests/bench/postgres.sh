# shellcheck shell=bash disable=SC2154
# postgres.sh - the part `postgres`, sourced by tests/bench/run: senti-store put beside COPY and beside psycopg, each into the same table with the same
# indexes and triggers, on a private server (scripts/services) with its own defaults: fsync and synchronous_commit are on.
#
# Before each run the table is emptied, its outbox as well, and the server told to checkpoint: no run pays for the one before it.

pg_rows=100000
pg_slow=1000 # rows one by one

pg_sql() { "$root/scripts/services" ctl postgresql "$pg_dir" "$@"; }

pg_empty() {
	pg_sql -c 'TRUNCATE senti.message, senti.outbox' -c 'TRUNCATE senti.outbox' -c 'CHECKPOINT' >/dev/null
}

# pg_clock NAME ROWS COMMAND...: notes the rows/s of a command that fills the table.
pg_clock() {
	local name=$1 rows=$2 start
	shift 2
	pg_empty
	start=$EPOCHREALTIME
	"$@" >/dev/null 2>"$data/err" || die "$name failed: $(head -c 300 "$data/err")"
	awk -v n="$rows" -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", n / (b - a) }' >>"$data/t.pg_$name"
	[ "$(pg_sql -At -c 'SELECT count(*) FROM senti.message')" = "$rows" ] || die "$name lost rows"
}

pg_put() { senti-store put --store "$pg_url" <"$data/pg.jsonl"; }
pg_large() { senti-store put --store "$pg_url" -b 10000 <"$data/pg.jsonl"; }
# In one transaction.
pg_copy() { pg_sql -c "\\copy senti.message (id, text, source, time, label, score, model, sentiment, extra) FROM '$data/pg.copy'"; }

# Rows one by one over one connection, each a transaction, as a loop in Python does it.
pg_psycopg() {
	"$python" - "$pg_url" "$data/pg.jsonl" "$pg_slow" <<-'EOF'
		import json, sys
		import psycopg
		url, path, count = sys.argv[1:]
		rows = [json.loads(line) for line, _ in zip(open(path, encoding="utf-8"), range(int(count)))]
		with psycopg.connect(url, autocommit=True) as c:
		    for r in rows:
		        s = r["sentiment"]
		        c.execute("INSERT INTO senti.message (id, text, source, time, label, score, model, sentiment) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
		                  " ON CONFLICT (id) DO UPDATE SET text = excluded.text, source = excluded.source, time = excluded.time, label = excluded.label,"
		                  " score = excluded.score, model = excluded.model, sentiment = excluded.sentiment",
		                  (r["id"], r["text"], r["source"], r["time"], s["label"], s["score"], s["model"], json.dumps(s)))
	EOF
}

pg_stop() { "$root/scripts/services" stop "$pg_dir"; rm -rf "$pg_dir"; }

part_postgres() {
	local round settings put copy psycopg
	has postgres senti-store senti-score || return 0
	"$python" -c 'import psycopg' 2>/dev/null || { skip postgres "$python has no psycopg"; return 0; }
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { skip postgres 'PostgreSQL is not installed'; return 0; }
	pg_dir=$(mktemp -d) && chmod 755 "$pg_dir" || return 1
	trap pg_stop EXIT
	settings=$("$root/scripts/services" start postgresql "$pg_dir" shared_buffers=256MB max_wal_size=4GB) || return 1
	pg_url=$(eval "$settings" && echo "$SENTI_STORE")
	[ -s "$data/pg.jsonl" ] || head -n $pg_rows "$data/60.jsonl" | awk '{ sub(/"id":"[^"]*"/, "\"id\":\"" NR "\""); sub(/}$/, ""); s = NR % 86400
		printf "%s,\"time\":\"2024-05-%02dT%02d:%02d:%02d.000Z\",\"source\":\"bench\"}\n", $0, 1 + NR % 28, s / 3600, s % 3600 / 60, s % 60 }' |
		senti-score >"$data/pg.jsonl" || die 'cannot score'
	pg_put >/dev/null || die 'senti-store put failed'
	# The very rows that senti-store wrote, in the order of writing.
	pg_sql -c "\\copy (SELECT id, text, source, time, label, score, model, sentiment, extra FROM senti.message ORDER BY version) TO '$data/pg.copy'"
	rm -f "$data"/t.pg_*
	for ((round = 0; round < rounds; round++)); do
		pg_clock put $pg_rows pg_put
		pg_clock copy $pg_rows pg_copy
		pg_clock large $pg_rows pg_large
		pg_clock psycopg $pg_slow pg_psycopg
	done
	put=$(median pg_put) copy=$(median pg_copy) psycopg=$(median pg_psycopg)
	begin postgres "$pg_rows records into PostgreSQL: same table, indexes, triggers" rows/s 'senti-store put does' limit
	row '`senti-store put`' "$(calc %.0f "$put")" '' ''
	row '`senti-store put -b 10000`' "$(calc %.0f "$(median pg_large)")" '' ''
	row '`\copy` in one transaction' "$(calc %.0f "$copy")" "$(calc %.2f "$put / $copy") of its rows/s" "0.5$(verdict "$put >= 0.5 * $copy")"
	row "psycopg, INSERT … ON CONFLICT row by row ($pg_slow rows)" "$(calc %.0f "$psycopg")" "$(calc %.1f "$put / $psycopg") times as many" \
		"20$(verdict "$put >= 20 * $psycopg")"
	trap - EXIT
	pg_stop
}
