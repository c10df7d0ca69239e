#!/bin/sh
# The web pages of senti-serve over HTTP, if it was built with them; what it says if not. tests/live/dashboard.py and graphiql.py have them in a browser.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
need 'the pages' curl jq || finish

# shellcheck disable=SC2119
start_server

# gets STATUS PATH [CURL OPTION...]: the body into body, the headers into headers.
gets() {
	want=$1
	path=$2
	shift 2
	status=$(curl -sS -o body -D headers -w '%{http_code}' "$@" "$url$path")
	[ "$status" = "$want" ] || {
		cat headers body
		return 1
	}
}

# header NAME: its value in the last answer.
header() {
	sed -n "s/^$1: \(.*\)\r$/\1/ip" headers
}

status=$(curl -sS -o body -w '%{http_code}' "$url/graphiql")
if [ "$status" = 404 ]; then
	ok 'without pages, /graphiql says how to get them' jq -e '.type == "urn:senti:problem:no_pages" and (.detail | contains("make WITH_WEB=yes"))' body
	ok 'and so does the dashboard' gets 404 /
	ok 'which names the reference instead' jq -e '.type == "urn:senti:problem:no_pages" and (.detail | contains("/docs"))' body
	ok 'and what they would load' gets 404 /assets/THIRD-PARTY.txt
	finish
fi

for page in / /graphiql; do
	ok "a page: $page" gets 200 "$page"
	ok 'in HTML' test "$(header content-type)" = 'text/html; charset=utf-8'
	ok 'which is asked for again each time' test "$(header cache-control)" = no-cache
	tag=$(header etag)
	ok 'its policy lets only what is from here run' sh -c "echo \"$(header content-security-policy)\" |
		grep -F \"default-src 'none'; script-src 'self'; connect-src 'self';\" | grep -F \"frame-ancestors 'none'\" | grep -v \"unsafe-eval\\|script-src[^;]*unsafe\""
	[ $page = /graphiql ] || ok 'and no style but its own' sh -c "! echo \"$(header content-security-policy)\" | grep unsafe"
	ok 'it names nothing of elsewhere' sh -c '! grep -E "(src|href)=\"(https?:|/)" body'
	ok 'has neither script nor style in itself' sh -c '! grep -E "<script[^>]*>[^<]|<style| (style|on[a-z]+)=" body'
	grep -oE '(src|href)="assets/[^"]*' body | cut -d '"' -f 2 | sort -u >some
	kinds=$(sed 's/.*\.//' some | sort | uniq -c | tr -s ' \n' ' ')
	ok 'but scripts, a style and licences' test "$kinds" = " 1 css $([ $page = / ] && echo 2 || echo 1) js 1 txt "
	cat some >>all
done
sort -u all >assets
ok 'unchanged, it is not sent again' gets 304 /graphiql -H "If-None-Match: $tag"
ok 'nor to who has it compressed' gets 304 /graphiql -H "If-None-Match: \"$(echo "$tag" | tr -d '"')-gzip\""
ok 'under the same policy' grep -qi '^content-security-policy: ' headers
ok 'a link from another site leads there' gets 200 /graphiql -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: navigate'
ok 'but not one that is rebound to here' gets 421 /graphiql -H 'Host: evil.example'

while read -r asset; do
	ok "$asset" gets 200 "/$asset"
	ok 'has a type, which browsers may not guess anew' sh -c "grep -qi '^content-type: text/' headers && grep -qi '^x-content-type-options: nosniff' headers"
	mv body plain
	plain_tag=$(header etag)
	ok 'compressed' gets 200 "/$asset" -H 'Accept-Encoding: gzip'
	ok 'is the same' sh -c "[ '$(header content-encoding)' = gzip ] && gzip -dc body | cmp - plain && [ \$(wc -c <body) -lt \$(wc -c <plain) ]"
	ok 'under another tag' test "$(header etag)" = "${plain_tag%\"}-gzip\""
	case $asset in
	*.txt) ok 'is asked for again' test "$(header cache-control)" = no-cache ;;
	*) ok 'is kept for ever' test "$(header cache-control)" = 'public, max-age=31536000, immutable' ;;
	esac
done <assets
gets 200 /assets/THIRD-PARTY.txt
ok 'the licences of all packages' sh -c "grep -q '^graphiql 3.*(MIT)$' body && grep -q '^uplot 1.*(MIT)$' body && [ \$(grep -c 'Permission is hereby granted' body) -gt 50 ]"
ok 'no other file is there' gets 404 /assets/none.js
ok 'nothing can be sent there' gets 405 /graphiql -X POST -H 'Content-Type: application/json' -d '{}'
finish
