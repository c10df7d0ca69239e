#!/bin/sh
# senti-cache without a server: records pass, what promises something fails, and usage errors. tests/live/redis.py has the rest.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
unset REDISCLI_AUTH

cat >in.jsonl <<'END'
{"id":"1","text":"I love it","n":1.50}
{ "text" : "so so" }
{"id":"3","text":"x","version":7}
END
away='redis://127.0.0.1:1'

t 'no cache is named: records pass, and it is said once' 'senti-cache get in.jsonl' 0 <<'END'
{"id":"1","text":"I love it","n":1.50}
{ "text" : "so so" }
{"id":"3","text":"x","version":7}
--- stderr
senti-cache: warning: no cache is named (--cache or $SENTI_REDIS): records pass as they are
END
t 'the memory of a process serves no other' 'senti-cache put --cache memory:1M in.jsonl | cmp - in.jsonl' 0 <<'END'
--- stderr
senti-cache: warning: memory: is shared with no other process: records pass as they are
END
t '-q leaves that out' 'senti-cache put -q --cache memory: in.jsonl | cmp - in.jsonl' 0
for verb in get put; do
	t "$verb goes on without a server, and says so once" \
		"senti-cache $verb --cache $away -b 1 --summary in.jsonl 2>err | cmp - in.jsonl; sed 's/,.seconds.*//; s/reason.*/.../' err" 0 <<-END
			senti-cache: warning: the cache is unreachable, going on without it ...
			{"tool":"senti-cache","in":3,"out":3,"rejected":0,$([ $verb = get ] && echo '"hits":0,"misses":0,"skipped":3' || echo '"stored":0,"skipped":1,"refused":0')
		END
done
t 'the environment names the cache' "SENTI_REDIS=$away senti-cache get -q in.jsonl | cmp - in.jsonl" 0
t 'the option beats it' "SENTI_REDIS=http://x senti-cache get -q --cache $away in.jsonl | cmp - in.jsonl" 0
t 'get before senti-score changes nothing' "senti-score in.jsonl >want; senti-cache get -q --cache $away in.jsonl | senti-score | cmp - want" 0

t 'invalidate fails without the server' "senti-cache invalidate --cache $away 1" 3 <<'END'
--- stderr
senti-cache: cannot connect to redis://127.0.0.1:1: Connection refused
END
t 'so does stats' "senti-cache stats --cache $away" 3 <<'END'
--- stderr
senti-cache: cannot connect to redis://127.0.0.1:1: Connection refused
END
t 'the memory has figures' 'senti-cache stats --cache memory:1M' 0 <<'END'
{"entries":0,"results":0,"messages":0,"bytes":8192,"limit":1048576,"evicted":0,"expired":0,"hits":0,"misses":0,"policy":"lru"}
END
t 'a socket that is not there' 'senti-cache invalidate --cache unix:none.sock 1' 3 <<'END'
--- stderr
senti-cache: cannot connect to unix:none.sock: No such file or directory
END

name=$(senti-score -e x | sed 's/.*"model":"\([^"]*\)".*/\1/')
t 'keys of texts and ids' "senti-cache key -e 'I love it' -e '' 17 'a b'" 0 <<END
senti:s:$name:46e89f75dec156c07a8685701e4fa023
senti:s:$name:e3b0c44298fc1c149afbf4c8996fb924
senti:m:17
senti:m:a b
END
t 'keys of records' 'senti-cache key -i in.jsonl' 0 <<END
{"id":"1","text":"I love it","n":1.50,"keys":{"result":"senti:s:$name:46e89f75dec156c07a8685701e4fa023","message":"senti:m:1"}}
{ "text" : "so so" ,"keys":{"result":"senti:s:$name:ebdd7b80aa4838dc4585af7f7d47b643"}}
{"id":"3","text":"x","version":7,"keys":{"result":"senti:s:$name:2d711642b726b04401627ca9fbac32f5","message":"senti:m:3"}}
END
ok 'another model has other keys' sh -c '[ "$(senti-cache key -m plus -e x)" != "$(senti-cache key -e x)" ]'
ok 'so has a model of the environment' sh -c '[ "$(SENTI_MODEL=plus senti-cache key -e x)" = "$(senti-cache key -m plus -e x)" ]'

t 'a record without text is rejected by get, as senti-score would' "echo '{}' | senti-cache get -q --cache $away" 1 <<'END'
--- stderr
{"error":{"code":"no_text","message":"no member 'text' (-f names another)","tool":"senti-cache","line":1},"input":"{}"}
END
t 'put passes it' "echo '{}' | senti-cache put -q --cache $away" 0 <<'END'
{}
END
t 'what is not JSON is rejected by both' "echo '{' | senti-cache put -q --cache $away 2>/dev/null" 1
t 'a full disk is status 3' "senti-cache get -q --cache $away in.jsonl >/dev/full" 3 <<'END'
--- stderr
senti-cache: cannot write to stdout: No space left on device
END
t 'no input is 99 with --exit-if-empty' "senti-cache get -q --cache $away --exit-if-empty" 99
ok 'a closed pipe ends it quietly' sh -c "yes '{\"text\":\"x\"}' | senti-cache get -q --cache $away 2>err | head -n 1 | grep -q x && [ ! -s err ]"

usage() { t "usage: $1" "senti-cache $1" 2; } # what is wanted follows
usage '' <<'END'
--- stderr
senti-cache: a verb is missing: get, put, invalidate, follow, verify, key or stats
try 'senti-cache --help'
END
usage 'in.jsonl' <<'END'
--- stderr
senti-cache: 'in.jsonl' is not a verb; a verb is get, put, invalidate, follow, verify, key or stats
try 'senti-cache --help'
END
usage 'get --cache http://a:geheim@b' <<'END'
--- stderr
senti-cache: 'http://a:***@b' is not a cache that this build knows; it takes redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME, unix:PATH, memory:SIZE
try 'senti-cache --help'
END
usage 'get --cache redis+sentinel://:geheim@host,other' <<'END'
--- stderr
senti-cache: an address of Sentinels ends with the name of their primary, as in redis+sentinel://host,host,host/NAME
try 'senti-cache --help'
END
usage 'get --cache redis://:geheim@host/x' <<'END'
--- stderr
senti-cache: the database of a Redis address is a number as in redis://host/1, not 'x'
try 'senti-cache --help'
END
usage 'get --cache memory:1' <<'END'
--- stderr
senti-cache: 'memory:1' is not a cache: a size is at least 64K, as in memory:64M
try 'senti-cache --help'
END
usage 'put --ttl 0s' <<'END'
--- stderr
senti-cache: --ttl takes a duration such as 90s, 30m, 12h or 7d, not '0s'
try 'senti-cache --help'
END
usage 'put -m vader' <<'END'
--- stderr
senti-cache: --model belongs to get, verify and key, not to put
try 'senti-cache --help'
END
usage 'get -e x' <<'END'
--- stderr
senti-cache: --expression belongs to key, not to get
try 'senti-cache --help'
END
usage 'invalidate 1' <<'END'
--- stderr
senti-cache: invalidate: no cache is named: set --cache or $SENTI_REDIS
try 'senti-cache --help'
END
usage "stats --cache $away 1" <<'END'
--- stderr
senti-cache: unexpected operand '1': stats takes no operands
try 'senti-cache --help'
END
usage 'get -i in.jsonl in.jsonl' <<'END'
--- stderr
senti-cache: -i in.jsonl and operands exclude each other
try 'senti-cache --help'
END
usage 'key -i in.jsonl -e x' <<'END'
--- stderr
senti-cache: -i in.jsonl and -e exclude each other
try 'senti-cache --help'
END
usage 'get -f a --into a' <<'END'
--- stderr
senti-cache: -f and --into name the same member 'a'
try 'senti-cache --help'
END
usage 'get -m nothing --cache memory:' <<'END'
--- stderr
senti-cache: unknown model 'nothing'; known are: vader, textblob, vader-nltk, plus, afinn, linear, and the path of a model file
try 'senti-cache --help'
END
finish
