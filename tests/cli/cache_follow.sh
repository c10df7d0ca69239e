#!/bin/sh
# senti-cache follow and verify where there is no cache: what they refuse, and that a failure loses no change. (tests/system/pipeline.py has the rest.)
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
nowhere=redis://127.0.0.1:1

# refused NAME COMMAND WORDS: a usage error that says so.
refused() {
	ok "$1" sh -c "$2 >out 2>err; test \$? = 2 && test ! -s out && grep -qF -- \"\$1\" err" - "$3"
}
echo '{"id":"a","text":"x"}' | senti-store >/dev/null

for verb in follow verify; do
	refused "$verb without a cache" "senti-cache $verb" 'no cache is named'
	refused "$verb of a cache that nobody else sees" "senti-cache $verb --cache memory:" 'shared with no other process'
	refused "$verb takes no operands" "senti-cache $verb --cache $nowhere a" 'takes no operands'
	refused "$verb reads no records" "senti-cache $verb --cache $nowhere -i x" 'does not go with'
	refused "$verb of a store that is none" "senti-cache $verb --cache $nowhere --store mysql:x" 'not a store'
	ok "$verb of a store that is not there" sh -c "senti-cache $verb --cache $nowhere --store sqlite:none.db 2>/dev/null; test \$? = 3 && test ! -e none.db"
done
refused 'a sample of none' "senti-cache verify --cache $nowhere --sample 0" '--sample takes'
refused 'a reader without a name' "senti-cache follow --cache $nowhere --reader ''" '--reader takes a NAME that is not empty'
refused 'options of follow elsewhere' "senti-cache verify --cache $nowhere --once" '--once belongs to follow, not to verify'
refused 'options of verify elsewhere' "senti-cache follow --cache $nowhere --sample 1" '--sample belongs to verify, not to follow'
refused 'the model is not for follow' "senti-cache follow --cache $nowhere -m vader" '--model belongs to get, verify and key, not to follow'
refused 'a model that is none' "senti-cache verify --cache $nowhere -m none" "'none'"

t 'verify fails without the cache' "senti-cache verify --cache $nowhere" 3 <<'END'
--- stderr
senti-cache: cannot connect to redis://127.0.0.1:1: Connection refused
END
t 'follow --once fails without the cache' "senti-cache follow --once --reader r --cache $nowhere" 3 <<'END'
--- stderr
senti-cache: cannot connect to redis://127.0.0.1:1: Connection refused
END
ok 'and leaves the change in the outbox' sh -c 'senti-store prune | grep -qx "{\"pruned\":0}" ||
	test "$(senti-store stats | sed "s/.*\"outbox\":\([0-9]*\).*/\1/")" = 1'

# Without --once it waits for the cache, and for a store as long as --retry says.
senti-cache follow --reader r --cache $nowhere >out 2>err &
pid=$!
ok 'follow waits for the cache' wait_for 'grep -q "the cache is unreachable; trying again" err'
kill -TERM $pid
wait $pid
ok 'a stop with a change that is not buried: status 3' test $? = 3
ok 'which has not come out' test ! -s out
ok 'and is still in the outbox' sh -c 'test "$(senti-store prune)" = "{\"pruned\":0}"'
ok 'the reader is known' sh -c 'senti-store stats | grep -q "\"readers\":1"'
ok 'prune drops a reader that is long dead, and what only it had not seen' wait_for 'senti-store prune --dead 0s >pruned; grep -qx "{\"pruned\":1}" pruned'
finish
