#!/bin/sh
# senti-store stats in groups, and the filters and orders that it shares with query; the same from senti-serve, by REST and by GraphQL.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

cat >in.jsonl <<'END'
{"id":"1","text":"I love it","source":"a","time":"2024-03-31T00:30:00Z","product":"chair","stars":5,"sentiment":{"label":"positive","score":0.75,"model":"m@1"}}
{"id":"2","text":"awful","source":"b","time":"2024-03-31T22:30:00Z","product":"chair","stars":1,"sentiment":{"label":"negative","score":-0.25,"model":"m@1"}}
{"id":"3","text":"so so","source":"a","time":"2024-04-01T10:00:00Z","product":"table","sentiment":{"label":"neutral","score":0,"model":"m@2"}}
{"id":"4","text":"Love","source":"a","time":"2024-04-30T22:00:00Z","sentiment":{"label":"positive","score":0.25,"model":"m@2"}}
{"id":"5","text":"unscored","source":"b"}
END
ok 'five records' sh -c 'senti-store in.jsonl >/dev/null'

# groups ARGUMENT...: as "KEY|KEY count mean stdev".
cat >groups <<'END'
#!/bin/sh
senti-store stats "$@" | jq -r '"\(.keys | map(. // "-" | sub("T00:00:00.000Z$"; "")) | join("|")) \(.count) \(.mean) \(.stdev)"'
END
chmod +x groups
if need 'groups' jq; then
	t 'one group of all that is asked for' './groups --source a' 0 <<'END'
 3 0.333333 0.311805
END
	t 'by label, the largest first' './groups --by label' 0 <<'END'
positive 2 0.5 0.25
negative 1 -0.25 0
neutral 1 0 0
- 1 null null
END
	t 'by several, months first' './groups --by source,month' 0 <<'END'
a|2024-03-01 1 0.75 0
b|2024-03-01 1 -0.25 0
a|2024-04-01 2 0.125 0.125
END
	t 'in a time zone' './groups --by month --tz Europe/Berlin' 0 <<'END'
2024-02-29T23:00:00.000Z 1 0.75 0
2024-03-31T22:00:00.000Z 2 -0.125 0.125
2024-04-30T22:00:00.000Z 1 0.25 0
END
	t 'by weeks, from Monday on' './groups --by week' 0 <<'END'
2024-03-25 2 0.25 0.5
2024-04-01 1 0 0
2024-04-29 1 0.25 0
END
	t 'by hours' './groups --by hour --until 2024-04-01' 0 <<'END'
2024-03-31 1 0.75 0
2024-03-31T22:00:00.000Z 1 -0.25 0
END
	t 'by steps' './groups --by time --step 1w --source a' 0 <<'END'
2024-03-28 2 0.375 0.375
2024-04-25 1 0.25 0
END
	t 'by members' './groups --by product,stars' 0 <<'END'
-|- 2 0.25 0
chair|1 1 -0.25 0
chair|5 1 0.75 0
table|- 1 0 0
END
	t 'the first groups' './groups --by product,stars --limit 2' 0 <<'END'
-|- 2 0.25 0
chair|1 1 -0.25 0
END
	t 'of messages with a text' './groups --by product --text LOVE' 0 <<'END'
chair 1 0.75 0
- 1 0.25 0
END
	t 'above a score' './groups --by source --score-above 0' 0 <<'END'
a 2 0.5 0.25
END
	t 'with a member' './groups --by label --where product=chair --where stars=1' 0 <<'END'
negative 1 -0.25 0
END
	t 'none' './groups --by label --source nobody' 0 </dev/null
	t 'a line of a group' 'senti-store stats --by source --source a' 0 <<'END'
{"key":"a","keys":["a"],"count":3,"mean":0.333333,"stdev":0.311805,"positive":2,"neutral":1,"negative":0,"labels":{"positive":0.666667,"neutral":0.333333,"negative":0}}
END
	t 'of a period' 'senti-store stats --by day,source --where product=table' 0 <<'END'
{"start":"2024-04-01T00:00:00.000Z","keys":["2024-04-01T00:00:00.000Z","a"],"count":1,"mean":0,"stdev":0,"positive":0,"neutral":1,"negative":0,"labels":{"positive":0,"neutral":1,"negative":0}}
END
	t 'of what has no label' 'senti-store stats --unscored' 0 <<'END'
{"keys":[],"count":1,"mean":null,"stdev":null,"positive":0,"neutral":0,"negative":0,"labels":null}
END
fi

# The ids of the records, on one line.
ids() { sed 's/^{"id":"\([^"]*\)".*/\1/' | paste -sd ' '; }
t 'the worst first, unscored ones last' 'senti-store query --order score | ids' 0 <<'END'
2 3 4 1 5
END
t 'the best first, page by page' 'senti-store query -b 1 --order -score | ids' 0 <<'END'
1 4 3 2 5
END
t 'after one of them' 'senti-store query --order -score --after 4 | ids' 0 <<'END'
3 2 5
END
t 'below a score' 'senti-store query --score-below 0.25 | ids' 0 <<'END'
2 3
END
t 'above one and below another' 'senti-store query --score-above -0.25 --score-below 0.75 | ids' 0 <<'END'
3 4
END
t 'with members' 'senti-store query --where product=chair --where stars=5 | ids' 0 <<'END'
1
END
t 'with a member that is absent' 'senti-store query --where nothing=' 0 </dev/null

usage() { t "usage: $1" "senti-store $1 2>&1 | sed 1q" 0; }
usage 'stats --by label,label' <<'END'
senti-store: --by: messages are grouped by one thing only once
END
usage 'stats --by day,week' <<'END'
senti-store: --by: messages are grouped by one of time, hour, day, week and month
END
usage 'stats --by id' <<'END'
senti-store: --by: messages are not grouped by 'id'
END
usage 'stats --by day --tz Europe/Nowhere' <<'END'
senti-store: --tz: a time zone is a name such as Europe/Berlin, not 'Europe/Nowhere'
END
usage 'stats --by time --step 1y' <<'END'
senti-store: --step takes a duration such as 90s, 15m, 1h, 1d or 1w, not '1y'
END
usage 'query --score-above 2' <<'END'
senti-store: --score-above takes a score from -1 to 1, not '2'
END
usage 'query --where =x' <<'END'
senti-store: --where takes a member and its value, NAME=VALUE, not '=x'
END
usage 'query --by label' <<'END'
senti-store: --by belongs to stats, not to query
END

# More groups than a page of the server has come out all the same.
many='WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT json_object('"'id', 'n' || i, 'text', 'x', 'source', 's' || i) FROM n"
if need '12,000 groups' sqlite3; then
	ok '12,000 sources' sh -c "sqlite3 :memory: \"$many\" | senti-store --store sqlite:many.db >/dev/null"
	t 'are 12,000 groups' 'senti-store stats --by source --store sqlite:many.db | sort | uniq | wc -l' 0 <<'END'
12000
END
	t 'and 11,000 if no more are wanted' 'senti-store stats --by source --limit 11000 --store sqlite:many.db | sort | uniq | wc -l' 0 <<'END'
11000
END
fi

t 'a sample is as large as it can be' 'senti-store query --sample 9 | ids | tr " " "\n" | sort | paste -sd " "' 0 <<'END'
1 2 3 4 5
END
t 'of what is asked for' 'senti-store query -b 1 --sample 9 --source b | ids | tr " " "\n" | sort | paste -sd " "' 0 <<'END'
2 5
END
t 'and no larger' 'senti-store query --sample 3 | ids | tr " " "\n" | sort | uniq | wc -l' 0 <<'END'
3
END
ok 'each may be drawn' sh -c 'for i in $(seq 60); do senti-store query --sample 1; done | sort | uniq | [ "$(wc -l)" = 5 ]'
usage 'query --sample 3 --order id' <<'END'
senti-store: --sample draws at random: it does not go with --after, --limit or --order
END

# --- the same from the server ---
need 'the same from senti-serve' curl jq || finish
start_server --store sqlite:senti.db
get() { curl -sS -g -D headers "$url$1"; }
# same ARGUMENTS QUERY: the lines of senti-store stats are the items of /v1/stats, whole or page by page.
same() {
	eval "senti-store stats $1" >want
	get "/v1/stats?$2" | jq -c '.items[]' >got
	cmp want got || return 1
	: >got
	next="/v1/stats?$2&limit=1"
	while [ -n "$next" ]; do
		get "$next" | jq -c '.items[]' >>got
		next=$(sed -n 's/^[Ll]ink: <\(.*\)>; rel="next".*/\1/p' headers)
	done
	cmp want got
}
ok 'by label' same '--by label' ''
ok 'by several' same '--by source,month --tz Europe/Berlin' 'by=source,month&tz=Europe/Berlin'
ok 'by members of some' same '--by product,stars --where product=chair' 'by=product,stars&where=product%3Dchair'
ok 'by steps' same '--by time --step 1w --text love' 'by=time&step=1w&q=love'
ok 'by hour and more' same '--by label,hour,product,model --since 2024-04-01' 'by=label,hour,product,model&since=2024-04-01T00:00:00Z'
listed() { get "/v1/messages?$1" | jq -r '.items[].id' | paste -sd ' '; }
ok 'the worst first' test "$(listed order=score)" = '2 3 4 1 5'
ok 'the best first' test "$(listed order=-score)" = '1 4 3 2 5'
ok 'by id' test "$(listed order=id)" = '1 2 3 4 5'
ok 'a sample' test "$(listed sample=1000 | tr ' ' '\n' | sort | paste -sd ' ')" = '1 2 3 4 5'
ok 'of some' test "$(listed 'sample=2&source=a' | wc -w)" = 2
walked() { # walked QUERY: the ids of all pages
	next="/v1/messages?$1"
	while [ -n "$next" ]; do
		get "$next" | jq -r '.items[].id'
		next=$(sed -n 's/^[Ll]ink: <\(.*\)>; rel="next".*/\1/p' headers)
	done | paste -sd ' '
}
ok 'the best first, page by page' test "$(walked 'order=-score&limit=1')" = '1 4 3 2 5'
ok 'by id, page by page' test "$(walked 'order=id&limit=2')" = '1 2 3 4 5'
graphql() {
	jq -n --arg q "{ stats($1) { keys key start count mean stdev positive neutral negative } }" '{query: $q}' |
		curl -sS -H 'Content-Type: application/json' --data-binary @- "$url/graphql"
}
# also ARGUMENTS QUERY: GraphQL has the same groups as /v1/stats.
also() {
	get "/v1/stats?$2" | jq -S '[.items[] | {keys, key, start, count, mean, stdev, positive, neutral, negative}]' >want
	graphql "$1" | jq -S .data.stats >got
	cmp want got
}
ok 'GraphQL by label' also 'by: [LABEL]' by=label
ok 'by several in a zone' also 'by: [SOURCE, MONTH], tz: "Europe/Berlin"' 'by=source,month&tz=Europe/Berlin'
ok 'by a member and week of some' also 'by: [MEMBER, WEEK], member: "product", filter: {scoreMin: 0}' 'by=product,week&score_min=0'
ok 'by steps of a text' also 'by: [TIME], step: "1w", filter: {q: "love"}' 'by=time&step=1w&q=love'
ok 'all of them' test "$(graphql 'by: []' | jq -c '.data.stats[] | [.keys, .count]')" = '[[],5]'
ok 'a member without its name' test "$(graphql 'by: [MEMBER]' | jq -r '.errors[0].message')" = 'stats by MEMBER needs the name of one, member'
ok 'a zone that is not one' test "$(graphql 'by: [DAY], tz: "../UTC"' | jq -r '.errors[0].extensions.code')" = BAD_USER_INPUT
for bad in by= by=label,label by=day,week by=id tz=Nowhere tz=/etc/passwd tz= after=x 'after=[1]' limit=0 limit=10001 step=1y; do
	ok "a bad query: $bad" test "$(get "/v1/stats?$bad" | jq -r .type)" = urn:senti:problem:bad_query
done
finish
