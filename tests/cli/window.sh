#!/bin/sh
# senti-window: windows, keys, what is rejected, alerts, charts, merging and states. tests/live/window.py compares figures with a reference.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# r TIME SCORE [SOURCE]: a scored record of 2024-05-01
r() {
	label=neutral
	case $2 in -*) label=negative ;; [1-9]* | 0.*) label=positive ;; esac
	printf '{"time":"2024-05-01T%sZ","sentiment":{"label":"%s","score":%s}%s}\n' "$1" $label "$2" "${3:+,\"source\":\"$3\"}"
}
{
	r 10:00:10 0.5 a
	r 10:01:30 -0.25 b
	r 10:00:50 1 a
	r 10:02:10 0
} >four.jsonl
brief() { jq -c '[.start[11:19],.end[11:19],.key,.count,.mean]'; }

t 'the line of a window' 'r 10:00:10 0.5 a | senti-window --every 1m --by source' 0 <<'END'
{"start":"2024-05-01T10:00:00.000Z","end":"2024-05-01T10:01:00.000Z","key":{"source":"a"},"count":1,"mean":0.5,"stdev":0,"p50":0.5,"p90":0.5,"p99":0.5,"ewm":0.5,"labels":{"positive":1,"neutral":0,"negative":0},"terms":[],"contributing":[],"sketch":{"count":1,"sum":"500000000","squares":"250000000000000000","min":500000000,"max":500000000,"labels":[1,0,0],"buckets":[[1003,1]],"newest":[1,"500000000"],"terms":[],"contributing":[]}}
END
t 'words come from --explain' '
	printf "%s\n" "{\"time\":\"2024-05-01T10:00:00Z\",\"text\":\"GOOD, good and bad\"}" "{\"time\":\"2024-05-01T10:00:01Z\",\"text\":\"a good film\"}" |
	senti-score --explain | senti-window --every 1h --no-sketch --terms 2 | jq -c "[.terms,.contributing[].term]"' 0 <<'END'
[[{"term":"good","count":3},{"term":"bad","count":1}],"good","bad"]
END

if need 'windows by their kind' jq; then
	t 'tumbling windows, late records kept for a minute' 'senti-window --every 1m --late 1m --by source four.jsonl | brief' 0 <<'END'
["10:00:00","10:01:00",{"source":"a"},2,0.75]
["10:01:00","10:02:00",{"source":"b"},1,-0.25]
["10:02:00","10:03:00",{"source":null},1,0]
END
	t 'a late record is rejected' 'senti-window --every 1m --no-sketch --reject late four.jsonl | brief; jq -r .error.code,.error.line late' 0 <<'END'
["10:00:00","10:01:00",{},1,0.5]
["10:01:00","10:02:00",{},1,-0.25]
["10:02:00","10:03:00",{},1,0]
late
3
END
	t 'hopping windows' 'senti-window --every 1m --of 2m --late 1m four.jsonl | brief' 0 <<'END'
["09:59:00","10:01:00",{},2,0.75]
["10:00:00","10:02:00",{},3,0.416667]
["10:01:00","10:03:00",{},2,-0.125]
["10:02:00","10:04:00",{},1,0]
END
	t 'sessions' 'senti-window --gap 41s --late 1m four.jsonl | brief' 0 <<'END'
["10:00:10","10:02:51",{},4,0.3125]
END
	t 'sessions that are just apart' 'senti-window --gap 40s --late 1m four.jsonl | brief' 0 <<'END'
["10:00:10","10:00:50",{},1,0.5]
["10:00:50","10:01:30",{},1,1]
["10:01:30","10:02:10",{},1,-0.25]
["10:02:10","10:02:50",{},1,0]
END
	t 'months of a time zone' 'r 23:30:00 1 | sed s/05-01T/04-30T/ | senti-window --every month --tz Europe/Berlin | jq -c "[.start,.end]"' 0 <<'END'
["2024-05-01T00:00:00.000+02:00","2024-06-01T00:00:00.000+02:00"]
END
	t 'members in the order of --by' 'r 10:00:00 1 a | senti-window --every 1h --by label,source --by n | jq -c .key' 0 <<'END'
{"label":null,"source":"a","n":null}
END
	t 'a repeated id counts once with --dedupe' '
		{ r 10:00:00 1; r 10:00:01 1; r 10:00:02 0; } | sed "s/^{/{\"id\":\"7\",/" | senti-window --every 1h --dedupe 10 --summary 2>said | brief
		jq -c "[.in,.out,.duplicates,.windows,.late]" said' 0 <<'END'
["10:00:00","11:00:00",{},1,1]
[3,1,2,1,0]
END
	senti-window --every 1m --late 1m --by source four.jsonl >whole
	sed -n '1p;3p' four.jsonl | senti-window --every 1m --late 1m --by source >one
	sed -n '2p;4p' four.jsonl | senti-window --every 1m --late 1m --by source >two
	t 'the windows of two workers, merged, are those of one' 'senti-window --merge one two | diff - whole' 0 </dev/null
	t 'in whichever order' 'cat two one | senti-window --merge | diff - whole' 0 </dev/null
	t 'an alert comes once, until it is cleared' '
		{ r 10:00:00 -1; r 10:01:00 -1; r 10:02:00 -0.1; r 10:03:00 -1; r 10:04:00 1; r 10:05:00 -1; } |
		senti-window --every 1m --alert "mean < -0.3 and count >= 1" --clear "mean > 0" | jq -c "[.start[11:16],.alert]"' 0 <<'END'
["10:00","mean < -0.3 and count >= 1"]
["10:05","mean < -0.3 and count >= 1"]
END
fi

t 'a chart' 'senti-window --every 1m --late 1m --chart four.jsonl' 0 <<'END'
2024-05-01 10:00         2  +0.7500                       │████████████████
2024-05-01 10:01         1  -0.2500                 ▐█████│
2024-05-01 10:02         1  +0.0000                       │
END
t 'what cannot be counted is rejected with a reason' '
	printf "%s\n" "{\"sentiment\":{\"label\":\"neutral\",\"score\":0}}" "{\"time\":\"yesterday\",\"sentiment\":{\"label\":\"neutral\",\"score\":0}}" \
		"{\"time\":\"2024-05-01T10:00:00Z\"}" "{\"time\":\"2024-05-01T10:00:00Z\",\"sentiment\":{\"label\":\"good\",\"score\":0}}" \
		"{\"time\":\"2024-05-01T10:00:00Z\",\"sentiment\":{\"label\":\"neutral\",\"score\":1e7}}" \
		"{\"time\":\"2999-05-01T10:00:00Z\",\"sentiment\":{\"label\":\"neutral\",\"score\":0}}" \
		"{\"time\":\"0001-01-01T00:00:00Z\",\"sentiment\":{\"label\":\"neutral\",\"score\":0}}" |
	senti-window --every 1m --of 2m --reject - 2>&1 | sed "s/,\"tool\".*//"; exit 1' 1 <<'END'
{"error":{"code":"no_time","message":"no member 'time'"
{"error":{"code":"bad_time","message":"member 'time' is not a time as in RFC 3339"
{"error":{"code":"no_sentiment","message":"no member 'sentiment' (senti-score adds it)"
{"error":{"code":"no_sentiment","message":"the label of 'sentiment' is neither positive, neutral nor negative"
{"error":{"code":"no_sentiment","message":"the score of 'sentiment' is not within a million of zero"
{"error":{"code":"bad_time","message":"it is too far ahead of the clock (--ahead)"
{"error":{"code":"bad_time","message":"its window is not within the years 1 to 9999"
END
t 'what is no window cannot be merged' '
	{ cat four.jsonl; senti-window --every 1d --no-sketch four.jsonl; senti-window --every 1d four.jsonl | sed "s/\"count\":4,\"sum/\"count\":5,\"sum/"; } |
	senti-window --merge 2>&1 | sed "s/,\"tool\".*//"; exit 1' 1 <<'END'
{"error":{"code":"no_time","message":"no member 'start'"
{"error":{"code":"no_time","message":"no member 'start'"
{"error":{"code":"no_time","message":"no member 'start'"
{"error":{"code":"no_time","message":"no member 'start'"
{"error":{"code":"bad_window","message":"no member 'sketch' (was it left out by --no-sketch?)"
{"error":{"code":"bad_window","message":"'sketch' is not that of a window"
END

usage() {
	t "usage: senti-window $1" "senti-window $1 2>&1 | head -1; exit 2" 2
}
usage '' <<'END'
senti-window: which windows? --every D, --every month, --gap D or --merge
END
usage '--every 7' <<'END'
senti-window: --every takes a duration such as 1m, or hour, day, week, month, quarter or year, not '7'
END
usage '--every 1m --of 90s' <<'END'
senti-window: --of takes a multiple of --every
END
usage '--every day --tz Europe/Nowhere' <<'END'
senti-window: --tz takes a time zone such as Europe/Berlin, not 'Europe/Nowhere'
END
usage "--every day --alert 'mean < -0.3 and cuont > 2'" <<'END'
senti-window: --alert 'mean < -0.3 and cuont > 2': expected a number or one of count, mean, stdev, p50, p90, p99, ewm, positive, neutral, negative at column 17
END
usage "--every day --alert '(mean < 0'" <<'END'
senti-window: --alert '(mean < 0': expected ')' at column 10
END

t 'records beyond --memory are rejected, the others counted' '
	i=0; while [ $i -lt 3000 ]; do r 10:00:00 1 "$i-$(printf %0100d 1)"; i=$((i + 1)); done >many
	senti-window --every 1h --by source --memory 1M --no-sketch --reject full many >out; echo "status $?"
	echo $(($(wc -l <out) + $(grep -c too_many full))); [ -s full ] && [ "$(wc -l <out)" -gt 1000 ] && echo some' 0 <<'END'
status 1
3000
some
END

# A pipe that is silent: the window closes although the input is open.
mkfifo pipe
senti-window --every 1h --idle-close 1s pipe >idle 2>&1 &
window=$!
exec 9>pipe
r 10:00:00 1 >&9
ok '--idle-close closes windows while the input is silent' wait_for '[ -s idle ]'
exec 9>&-
ok 'and the run ends with its input' wait "$window"
ok 'without another line' test "$(wc -l <idle)" -eq 1

# A state: what came before a kill is there after it.
mkfifo source
senti-window --every 1h --state state source >got &
window=$!
exec 9>source
r 10:00:00 1 | sed 's/^{/{"id":"1",/' >&9
ok 'a record is in the state while the window is open' wait_for 'grep -q "\"id\":\"1\"" state'
ok 'one process at a time uses a state' test "$(senti-window --every 1h --state state four.jsonl 2>&1)" = \
	"senti-window: the state 'state' is in use by another process (--state names another)"
kill -9 "$window"
wait "$window" 2>/dev/null
exec 9>&-
t 'other options are refused' 'senti-window --every 2h --state state four.jsonl 2>&1 | cut -c 1-83; exit 3' 3 <<'END'
senti-window: the state 'state' belongs to senti-window --every 1h --terms 10 --res
END
t 'a run goes on after a kill, and knows what comes again' '
	{ r 10:00:00 1 | sed "s/^{/{\"id\":\"1\",/"; r 10:30:00 0; } | senti-window --every 1h --state state --summary 2>said | cut -d, -f 1-5
	grep -o "\"duplicates\":1" said; [ ! -e state ] && echo gone' 0 <<'END'
{"start":"2024-05-01T10:00:00.000Z","end":"2024-05-01T11:00:00.000Z","key":{},"count":2,"mean":0.5
"duplicates":1
gone
END
# A run that is stopped in order has put out what it closed: the next one does not repeat it.
stopped() { # stopped HOUR...: takes a record of each hour, and is stopped once the line of the last but one is out
	mkfifo stream
	senti-window --every 1h --state state stream >got &
	window=$!
	exec 9>stream
	for hour; do
		r "$hour:00:00" 1 | sed "s/^{/{\"id\":\"$hour\",/" >&9
	done
	wait_for '[ -s got ]'
	kill -TERM "$window"
	exec 9>&-
	rm stream
	wait "$window"
	cut -c 1-21 got
}
rm -f state
t 'a run that is stopped' 'stopped 10 11' 0 <<'END'
{"start":"2024-05-01T
END
t 'is gone on with, and repeats no line' 'stopped 10 11 12 | grep -c start; cut -c 11-24 got' 0 <<'END'
1
2024-05-01T11:
END
rm -f state
t 'what is not a state is left alone' 'echo precious >state; senti-window --every 1h --state state four.jsonl; s=$?; cat state; exit $s' 3 <<'END'
precious
--- stderr
senti-window: 'state' is not a state: its first line does not begin with 'senti-window 1'
END
t 'a full disk' 'senti-window --every 1h four.jsonl >/dev/full' 3 <<'END'
--- stderr
senti-window: cannot write to stdout: No space left on device
END

finish
