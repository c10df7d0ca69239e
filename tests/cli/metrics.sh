#!/bin/sh
# --metrics: what a running tool shows to a scraper, and how it fails. Waits for values, never for a time.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

[ ! -x "$root/build/promtool" ] || PATH=$PATH:$root/build

# request METHOD PATH [HEADERS_AND_BODY]: one answer of the endpoint at $port, on a connection of its own.
request() {
	bash -c '
		exec 3<>"/dev/tcp/$1/$2" || exit 1
		printf "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%b" "$3" "$4" "$5" >&3
		cat <&3' - "${host:-127.0.0.1}" "$port" "$1" "$2" "${3:-\r\n}" | tr -d '\r'
}

scrape() { # the figures, into $T/figures
	request GET /metrics | sed '1,/^$/d' >figures
}

# value NAME: of the sample with this name and labels, in the last scrape
value() {
	awk -v name="$1" '$1 == name { print $2 }' figures
}

# becomes NAME VALUE: scrapes until it is so.
becomes() {
	wait_for "scrape; [ \"\$(value '$1')\" = '$2' ]" || {
		cat figures err
		return 1
	}
}

# start TOOL ARG...: in the background, with --metrics on a free port, fed through descriptor 9.
start() {
	tool=$1
	shift
	rm -f feed
	mkfifo feed
	: >err
	port=
	"$tool" -v --metrics "${listen:-0}" "$@" <feed >out 2>err &
	pid=$!
	exec 9>feed
	wait_for "port=\$(sed -n 's|.*serving metrics.*:\([0-9]*\)/metrics\$|\1|p' err); [ -n \"\$port\" ]" || {
		cat err
		return 1
	}
}

# ends STATUS: at the end of its input
ends() {
	exec 9>&-
	wait "$pid"
	status=$?
	[ "$status" -eq "$1" ] || {
		echo "status $status, not $1"
		cat err
		return 1
	}
}

is() { # is NAME VALUE, in the last scrape
	[ "$(value "$1")" = "$2" ] || {
		echo "$1 is '$(value "$1")'"
		return 1
	}
}

# --- the figures of a tool that waits ---

ok 'senti-score starts' start senti-score
ok 'and shows its counts before there is any input' becomes senti_records_in_total 0
ok 'with its version' is "senti_build_info{version=\"$(sed -n 's/^VERSION = //p' "$root/config.mk")\",tool=\"senti-score\"}" 1
printf '{"text":"good"}\n{"text":7}\n{"no":1}\n{"text":"bad"}\n' >&9
ok 'what came in is counted while it waits for more' becomes senti_records_in_total 4
ok 'what went out' is senti_records_out_total 2
ok 'what was rejected' is 'senti_records_rejected_total{code="bad_text"}' 1
ok 'by its code' is 'senti_records_rejected_total{code="no_text"}' 1
model=$(sed -n '1s/.*"model":"\([^"]*\)".*/\1/p' out)
ok 'texts by model' is "senti_score_texts_total{model=\"$model\"}" 2
ok 'results by label' is "senti_results_total{label=\"negative\",model=\"$model\"}" 1
ok 'each of them' is "senti_results_total{label=\"positive\",model=\"$model\"}" 1
ok 'also those that did not come' is "senti_results_total{label=\"neutral\",model=\"$model\"}" 0
ok 'the size of the batch' is 'senti_batch_size_sum' 4
ok 'why it was closed' is 'senti_batch_flush_total{reason="idle"}' "$(value senti_batch_size_count)"
ok 'no queue where there is none' sh -c '! grep -q queue figures'
ok 'what every process tells' sh -c 'for n in start_time_seconds resident_memory_bytes virtual_memory_bytes open_fds max_fds cpu_seconds_total; do grep -q "^process_$n [0-9]" figures || exit 1; done'
# shellcheck disable=SC2016
ok 'the start is that of the process' sh -c 's=$(sed -n "s/^process_start_time_seconds \([0-9]*\).*/\1/p" figures); w=$(date +%s); [ $((w - s)) -ge 0 ] && [ $((w - s)) -lt 3600 ]'
if need 'a scraper takes the text' promtool; then
	ok 'a scraper takes the text' sh -c 'promtool check metrics <figures'
fi

# --- HTTP ---

t 'the head of an answer' 'request GET /metrics | sed "/^$/,\$d; /^Date/d; /^Content-Length/d"' 0 <<'END'
HTTP/1.1 200 OK
Connection: close
Content-Type: text/plain; version=0.0.4; charset=utf-8
END
t 'HEAD has no body' 'request HEAD /metrics | sed "1!d"; request HEAD /metrics | sed "1,/^$/d"' 0 <<'END'
HTTP/1.1 200 OK
END
t 'it lives' 'request GET /livez | sed "1,/^$/d"' 0 <<'END'
ok
END
t 'a question mark changes nothing' 'request GET "/livez?x=1" | sed "1,/^$/d"' 0 <<'END'
ok
END
for path in / /metrics/ /metric /metrics2 /favicon.ico '/%00' "/$(printf '%04000d' 0)"; do
	ok "404: $(echo "$path" | cut -c 1-20)" sh -c "[ \"\$1\" = 'HTTP/1.1 404 Not Found' ]" - "$(request GET "$path" | head -n 1)"
done
for method in POST PUT DELETE PATCH OPTIONS; do
	t "405: $method" "request $method /metrics 'Content-Length: 3\r\n\r\nabc' | sed -n '1p; /^Allow/p'" 0 <<-'END'
		HTTP/1.1 405 Method Not Allowed
		Allow: GET, HEAD
	END
done
ok 'a body that nobody asked for' sh -c '[ "$1" = "HTTP/1.1 200 OK" ]' - "$(request GET /livez 'Content-Length: 3\r\n\r\nabc' | head -n 1)"
# shellcheck disable=SC2016
two='exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3; grep -c "^ok" <&3'
ok 'two requests on one connection' sh -c '[ "$1" = 2 ]' - "$(bash -c "$two" - "$port")"
for noise in 'GET\r\n\r\n' '\0\0\0\0\r\n\r\n' '\377\376 / HTTP/1.1\r\n\r\n' 'GET /metrics HTTP/9.9\r\n\r\n' ''; do
	# shellcheck disable=SC2016
	ok "and after noise: $noise" sh -c 'bash -c '\''exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "%b" "$2" >&3'\'' - "$1" "$2"' - "$port" "$noise"
done
ok 'it still answers' becomes senti_records_in_total 4

# Connections that say nothing, more than it takes: they cost the work nothing.
# shellcheck disable=SC2016
bash -c 'for fd in $(seq 20 69); do eval "exec $fd<>/dev/tcp/127.0.0.1/$1"; done; touch held; exec sleep 600' - "$port" &
holder=$!
wait_for 'test -e held'
echo '{"text":"still fine"}' >&9
wait_for '[ "$(wc -l <out)" -ge 3 ]'
ok 'fifty silent connections do not keep records waiting' sh -c 'tail -n 1 out | grep -q "still fine"'
kill "$holder"
wait "$holder" 2>/dev/null
ok 'and when they are gone it answers' becomes senti_records_in_total 5
senti-score --metrics "$port" --summary -o not_touched </dev/null >second 2>&1
ok 'a port that is taken is status 3' sh -c '[ "$1" -eq 3 ] && grep -qx "senti-score: cannot listen at '"'$port'"' (--metrics): Address already in use" second' - $?
ok 'before anything is opened' test ! -e not_touched
ok 'the end of input ends it' ends 1

# --- while it works ---

awk 'BEGIN { for (i = 0; i < 60000; i++) printf i % 10 ? "{\"text\":\"good %d\"}\n" : "{\"none\":%d}\n", i }' >many
ok 'senti-score in two threads' start senti-score -j 2 -b 50 --max-rejects 10%
cat many >&9 &
feeder=$!
ok 'every scrape balances, and none goes back' sh -c '
	last=0 n=0
	while [ "$n" -lt 60000 ]; do
		bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; printf \"GET /metrics HTTP/1.0\r\n\r\n\" >&3; cat <&3" | tr -d "\r" >now
		sums=$(awk "/^senti_records_in/ { i = \$2 } /^senti_records_(out|rejected)/ { o += \$2 } /^senti_batch_size_sum/ { b = \$2 } END { print i, o, b }" now)
		n=${sums%% *}
		[ "$sums" = "$n $n $n" ] && [ "$n" -ge "$last" ] || { echo "after $last: $sums"; cat now; exit 1; }
		last=$n
	done' - "$port"
wait "$feeder"
ok 'and the end is a good one' ends 0
ok 'in order' sh -c 'senti-score many 2>/dev/null | cmp - out'

# --- addresses ---

for bad in '' x 65536 -1 ' 1' 9100x :9100 ::1 ::1:9100 '[::1]' '[::1]:' '[]:1' '[127.0.0.1]:1' 127.0.0.1: 1:2:3 'http://127.0.0.1:1'; do
	t "no address: '$bad'" "senti-score --metrics '$bad' -e x" 2 <<-END
		--- stderr
		senti-score: --metrics takes PORT, HOST:PORT or [ADDRESS]:PORT with a port up to 65535, as in 9100, not '$bad'
		try 'senti-score --help'
	END
done
t 'an address that is not ours' 'senti-score --metrics 192.0.2.1:1 -e x' 3 <<'END'
--- stderr
senti-score: cannot listen at '192.0.2.1:1' (--metrics): Cannot assign requested address
END
ok 'a host that is not known' sh -c 'senti-score --metrics no-such-host.invalid:1 -e x >said 2>&1; [ $? -eq 3 ] && grep -q "^senti-score: cannot find the host .no-such-host.invalid. of --metrics: " said'
listen=localhost:0
ok 'a host by name' start senti-score
host=$(sed -n 's|.*url=http://\(.*\):[0-9]*/metrics$|\1|p' err | tr -d '[]')
ok 'answers' becomes senti_records_in_total 0
ok 'and ends' ends 0
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
	listen='[::1]:0' host=::1
	ok 'IPv6 in brackets' start senti-score
	ok 'is in brackets in the log' grep -q 'url=http://\[::1\]:[0-9]*/metrics$' err
	ok 'and answers' becomes senti_records_in_total 0
	ok 'and ends so' ends 0
fi
listen='' host=''

# --- names: a page whose name is rebound to this machine must not read them ---

# asks HOST CODE
asks() {
	code=$(curl -s -o body -w '%{http_code}' -H "Host: $1" "http://127.0.0.1:$port/metrics")
	figures=$(grep -c ^senti_records_in_total body)
	[ "$code/$figures" = "$2/$((code == 200))" ] || {
		echo "status $code with $figures figures, not $2"
		return 1
	}
}
ok 'with a name' start senti-score --host scraped.example --host other.example
for h in 127.0.0.1 "localhost:$port" LOCALHOST '[::1]:1' 127.9.9.9 scraped.example "other.example:$port"; do
	ok "Host: $h is served" asks "$h" 200
done
for h in attacker.example "attacker.example:$port" scraped.example.attacker.example localhost.attacker.example 192.0.2.1 localhost:x 0.0.0.0; do
	ok "Host: $h is not" asks "$h" 421
done
ok 'nor is the other page' sh -c '[ "$(curl -s -H "Host: a.example" "http://127.0.0.1:$1/livez")" = "not the name of this host; --host adds one" ]' - "$port"
ok 'a client without a Host, of HTTP/1.0, is served' sh -c 'curl -s -0 -H Host: "http://127.0.0.1:$1/livez" | grep -qx ok' - "$port"
ok 'and ends with names' ends 0
listen=0.0.0.0:0 host=127.0.0.1
ok 'on all addresses' start senti-score
ok 'any address in digits is served' asks 192.0.2.1 200
ok 'no other name is' asks attacker.example 421
ok 'and ends there' ends 0
listen='' host=''
t 'no host' 'senti-score --host a:1 -e x' 2 <<'END'
--- stderr
senti-score: --host takes a host name such as example.org, without a port, not 'a:1'
try 'senti-score --help'
END

# --- other tools, and all names ---

: >names
keep() { sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' figures >>names; }
ok 'senti-ingest' start senti-ingest -F text -
echo 'a text' >&9
ok 'counts' becomes senti_records_out_total 1
keep
ok 'and ends, too' ends 0
ok 'senti-store' start senti-store put --store sqlite:s.db
echo '{"id":"1","text":"a"}' >&9
ok 'counts what is new' becomes 'senti_writes_total{result="stored"}' 1
echo '{"id":"1","text":"a"}' >&9
ok 'and what is not' becomes 'senti_writes_total{result="unchanged"}' 1
keep
[ ! "$(command -v promtool)" ] || ok 'a scraper takes that, too' sh -c 'promtool check metrics <figures'
ok 'and ends as well' ends 0
# Ends of the worker's own must not reach its command: the descriptors are the same with the endpoint and without.
# shellcheck disable=SC2016
command='ls /proc/self/fd >fds; while IFS= read -r l; do case $l in *die*) [ -e died ] || { touch died; exit 1; };; esac; printf "%s\n" "$l"; done'
echo '{"id":"1"}' | senti-worker -i - -- sh -c "$command" >/dev/null
mv fds fds.without
ok 'senti-worker' start senti-worker -i - -- sh -c "$command"
echo '{"id":"1"}' >&9
ok 'counts its records' becomes senti_records_out_total 1
ok 'no restart' is senti_command_restarts_total 0
ok 'its command inherits nothing' cmp fds fds.without
echo '{"id":"die"}' >&9
ok 'a restart' becomes senti_command_restarts_total 1
keep
# A scraper that keeps its connection does not keep the tool.
# shellcheck disable=SC2016
bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" >&3; read -r l <&3; kill "$2"; cat <&3 >/dev/null' - "$port" "$pid"
ok 'SIGTERM ends it with status 0' ends 0
grep -o '"senti_[a-z_]*[a-z]"' "$root/lib/metrics/counts.c" | tr -d '"' | sort -u - names >all
ok 'the manual names every figure' sh -c '[ -s all ] && while read -r n; do grep -q "$n" "$1" || { echo "$n"; exit 1; }; done <all' - "$root/man/senti.7"

# --- without the library ---

mkdir lib
echo 'no library' >lib/libmicrohttpd.so.12
ok 'a missing library is status 3' sh -c 'LD_LIBRARY_PATH=$PWD/lib senti-score --metrics 0 -e x >said 2>&1; [ $? -eq 3 ] && grep -q "^senti-score: --metrics needs libmicrohttpd (Debian: libmicrohttpd12): " said'
ok 'and costs nothing where nobody asks' sh -c 'LD_LIBRARY_PATH=$PWD/lib senti-score -e good | grep -q positive'
ok 'no tool links it' sh -c 'for f in "$SENTI_BIN"/senti-score "$SENTI_BIN"/senti-ingest "$SENTI_BIN"/senti-worker; do ! readelf -d "$f" | grep -qE "NEEDED.*(microhttpd|gnutls)" || exit 1; done'

finish
