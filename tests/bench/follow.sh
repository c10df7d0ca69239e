# shellcheck shell=bash disable=SC2154
# follow.sh - the part `follow`, sourced by tests/bench/run: how soon a change by hand has left the cache.
#
# Private servers (scripts/services). One client changes a row in PostgreSQL and commits, then asks Redis for the row's entry until it is gone. The commit
# itself, with the disk's fsync, is told apart. A pause between two changes lets the follower fall asleep.

f_changes=1000

# p50, p99 and the longest, in milliseconds: of the commit, and from its end to the entry being gone.
follow_latency() {
	"$python" - "$SENTI_STORE" "$SENTI_REDIS" $f_changes <<-'EOF'
		import random, socket, sys, time
		import psycopg
		store, cache, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
		redis = socket.create_connection(("127.0.0.1", int(cache.rsplit(":", 1)[1])))
		redis.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		def call(*words):
		    redis.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
		    return redis.recv(65536)
		rng, commits, times = random.Random(7), [], []
		with psycopg.connect(store) as c:
		    c.execute("INSERT INTO senti.message (id, text) SELECT 'f' || i, repeat('x', 60) FROM generate_series(1, %s) i", (count,))
		    c.commit()
		    for i in range(1, count + 1):
		        key = b"senti:m:f%d" % i
		        c.execute("UPDATE senti.message SET text = repeat('y', 60) WHERE id = %s RETURNING version", (f"f{i}",))
		        call(b"SET", key, b"1@bench {}")
		        began = time.perf_counter()
		        c.commit()
		        committed = time.perf_counter()
		        while b"1@bench" in call(b"GET", key):
		            time.sleep(0.0001)
		        times.append((time.perf_counter() - committed) * 1000)
		        commits.append((committed - began) * 1000)
		        time.sleep(rng.uniform(0.002, 0.02))
		for t in commits, times:
		    t.sort()
		    print("%.2f %.2f %.2f" % (t[len(t) // 2], t[int(len(t) * 0.99)], t[-1]))
	EOF
}

part_follow() {
	local dir service settings follower commit gone
	has follow senti-cache senti-store redis-server || return 0
	"$python" -c 'import psycopg' 2>/dev/null || { skip follow "$python has no psycopg"; return 0; }
	compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || { skip follow 'PostgreSQL is not installed'; return 0; }
	dir=$(mktemp -d) || die 'no folder'
	chmod 755 "$dir"
	trap '"$root/scripts/services" stop "$dir"; rm -rf "$dir"' EXIT
	for service in postgresql redis; do
		settings=$("$root/scripts/services" start $service "$dir") || die "$service does not start"
		eval "$settings"
	done
	export SENTI_STORE SENTI_REDIS
	senti-store migrate >/dev/null || die 'no tables'
	senti-cache follow >/dev/null 2>"$data/err" &
	follower=$!
	follow_latency >"$data/follow.times"
	kill -TERM $follower
	wait $follower || die "senti-cache follow failed: $(head -c 300 "$data/err")"
	"$root/scripts/services" stop "$dir"
	rm -rf "$dir"
	trap - EXIT
	unset SENTI_STORE SENTI_REDIS
	{ read -r -a commit && read -r -a gone; } <"$data/follow.times" || die 'the changes were not followed'
	begin follow "$f_changes changes in PostgreSQL" 'median, ms' 'p99, ms' 'longest, ms' limit
	row 'the commit' "${commit[@]}" ''
	row 'from there to the entry being gone: `senti-cache follow`' "${gone[@]}" "p99 20$(verdict "${gone[1]} <= 20")"
}
