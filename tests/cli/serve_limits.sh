#!/bin/sh
# --memory and --spool of senti-serve: what they take, and what a server with very little of both still does.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need 'the limits of senti-serve' curl jq || finish

json='Content-Type: application/json' lines='Content-Type: application/x-ndjson'

# refused OPTION VALUE WANTED
refused() {
	t "$1 '$2'" "timeout 20 senti-serve -l 127.0.0.1:0 $1 '$2'" 2 <<-END
		--- stderr
		senti-serve: $1 takes $3, not '$2'
		try 'senti-serve --help'
	END
}

size='a size in bytes such as 64K or 2M'
for bad in '' x -1 1.5M 64m 64MB K 0x10M ' 64M' '64M ' 1T 99999999999999999999; do
	refused --memory "$bad" "$size"
	refused --spool "$bad" "$size"
done
for bad in 0 1 1M 15M 16383K 16777215 1048577G 99999999999G; do
	refused --memory "$bad" 'a size from 16M to 1048576G'
done
for bad in 0 1 1023K 1048575 1048577G; do
	refused --spool "$bad" 'a size from 1M to 1048576G'
done
t 'a cache that takes more than half of it' 'timeout 20 senti-serve -l 127.0.0.1:0 --memory 16M --cache memory:9M' 2 <<'END'
--- stderr
senti-serve: a cache in this process is at most half of --memory
try 'senti-serve --help'
END

# is PATH CODE [CURL OPTION...]: the answer's body goes into body.
is() {
	path=$1 want=$2
	shift 2
	code=$(curl -sS -o body -w '%{http_code}' "$@" "$url$path")
	[ "$code" = "$want" ] || {
		echo "status $code, not $want"
		head -c 400 body
		return 1
	}
}
answers() { is /v1/sentiment 200 -H "$json" -d '{"text":"I love it"}'; }

for same in 16M 16384K 16777216; do
	ok "--memory $same" start_server --memory $same --spool 1M
	ok "$same: it answers" answers
	end_server
done

ok 'the least of both' start_server --memory 16M --spool 1M --cache memory:8M
head -c 18000000 /dev/zero | tr '\0' ' ' >blanks
ok 'a body larger than the memory is refused for good' is /v1/sentiment 413 -H "$json" -H Expect: --data-binary @blanks
head -c 8000000 blanks >fewer
ok 'so is one larger than what the cache leaves' is /v1/sentiment 413 -H "$json" -H Expect: --data-binary @fewer
ok 'and says why' jq -e '.detail == "the body is larger than the server'"'"'s memory"' body
ok 'others are served after it' answers
yes 1 | head -n 100000 >ones
ok 'an answer larger than the files may be: 507' is /v1/sentiment 507 -H "$lines" --data-binary @ones
ok 'and says so' jq -e '.type == "urn:senti:problem:no_space"' body
head -n 5000 ones >few
ok 'one that fits is given' is /v1/sentiment 200 -H "$lines" --data-binary @few
ok 'whole' test "$(grep -c '"code":"not_object"' body)" = 5000
ok 'and so is the next' is /v1/sentiment 200 -H "$lines" --data-binary @few
end_server
ok 'with room for it the large answer is given' start_server --memory 16M --spool 64M
ok 'at once' is /v1/sentiment 200 -H "$lines" --data-binary @ones
ok 'and whole' test "$(grep -c '"code":"not_object"' body)" = 100000
end_server

mkdir full
TMPDIR=$T/full/none start_server --memory 16M
ok 'no folder for files: 507' is /v1/sentiment 507 -H "$lines" --data-binary @ones
ok 'small answers need none' answers
end_server

finish
