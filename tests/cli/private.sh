#!/bin/sh
# What other users of the machine may read of what senti writes by itself, and that no link of theirs leads it to another file.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

umask 022
echo untouched >victim
chmod 644 victim
mode() { stat -c %a "$1"; }
# keeps NAME: the victim of a link is as it was.
keeps() { ok "$1: the victim is untouched" sh -c '[ "$(cat victim)" = untouched ] && [ "$(stat -c %a victim)" = 644 ]'; }

# --- stores ---
t 'a store is made' 'echo "{\"id\":\"1\",\"text\":\"private\"}" | senti-store put --store sqlite:new.db' 0 <<'END'
{"id":"1","text":"private","version":1}
END
ok 'for its owner alone' test "$(mode new.db)" = 600
chmod 640 new.db
t 'a store is used' 'senti-store migrate --store sqlite:new.db >out' 0
ok 'and keeps its mode' test "$(mode new.db)" = 640
senti-serve -v -l 127.0.0.1:0 --store sqlite:open.db 2>log &
server=$!
trap 'kill $server 2>/dev/null; cd /; rm -rf "$T"' EXIT
wait_for 'grep -q listening log'
for f in open.db open.db-wal open.db-shm; do
	ok "$f is its owner's alone" test "$(mode $f)" = 600
done
kill $server
wait $server
ln -s nowhere planted.db
t 'a link to nothing is not a store' 'senti-store migrate --store sqlite:planted.db' 3 <<'END'
--- stderr
senti-store: cannot open the store 'planted.db': it is a symbolic link to nothing
END
ok 'and nothing is made there' test ! -e nowhere
ln -s new.db linked.db
t 'a link of the owner to a store is one' 'senti-store get 1 --store sqlite:linked.db' 0 <<'END'
{"id":"1","text":"private","version":1}
END

# --- the place of a reader that follows a file ---
echo '{"id":"1","text":"x"}' >followed
follow() { timeout 60 senti-worker -i followed --follow --state "$1" -- head -n 1; }
ln -s victim place
t 'a state that is a link' 'follow place 2>&1' 3 <<'END'
senti-worker: the state 'place' is a symbolic link; name the file itself
END
keeps 'a link for a state'
rm place
ln -s victim place.new
senti-worker -i followed --follow --state place -- cat >out 2>err &
worker=$!
ok 'a place is kept' wait_for 'test -s place'
ok "it is its owner's alone" test "$(mode place)" = 600
kill $worker
wait $worker
keeps 'a link beside the state'
ok 'nothing else is left there' test "$(echo place*)" = 'place place.new'

# --- models ---
for i in $(seq 20); do
	printf '{"text":"good %s","label":"positive"}\n{"text":"bad %s","label":"negative"}\n' "$i" "$i"
done >labelled
ln -s victim model
t 'a model over a link' 'senti-train -q -o model labelled >out 2>err' 0
keeps 'a link for a model'
ok 'takes the place of the link' test -f model -a ! -L model
chmod 600 model
t 'a model over a model' 'senti-train -q -o model labelled >out 2>err' 0
ok 'keeps its mode' test "$(mode model)" = 600
ok 'nothing else is left there' test "$(echo model*)" = model
finish
