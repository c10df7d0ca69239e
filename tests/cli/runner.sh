#!/bin/sh
# tests/run counts right, and nothing that is wrong with a test file passes as success.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
unset TEST_TALLY CI

file() { # file NAME LINE...: a test file of these lines
	name=$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$T/$name"
	chmod +x "$T/$name"
}
last() { # last FILE...: the last line of the run, with its status
	"$root/tests/run" "$@" >said
	status=$?
	tail -n 1 said
	return "$status"
}

file good.sh 'echo "ok 1 - a"' 'echo "ok 2 - b"' 'echo 1..2'
file program 'echo "ok 1 - a"' 'echo 1..1'
file bad.sh 'echo "ok 1 - a"' 'echo "not ok 2 - b"' 'echo "# why it failed"' 'echo 1..2' 'exit 1'
file noplan.sh 'echo "ok 1 - a"'
file short.sh 'echo "ok 1 - a"' 'echo 1..3'
file crash.sh 'echo "ok 1 - a"' 'echo 1..1' 'kill -SEGV $$'
file hangs.sh 'echo "ok 1 - a"' 'echo 1..1' 'sleep 600'
file silent.sh 'exit 0'
file skips.sh 'echo "ok 1 - a"' 'echo "ok 2 - b # SKIP no server"' 'echo 1..2'

t 'scripts and programs add up' 'last "$T/good.sh" "$T/program"' 0 <<'END'
3 passed, 0 failed
END
t 'a failure counts, and the rest still runs' 'last "$T/bad.sh" "$T/good.sh"' 1 <<'END'
3 passed, 1 failed
END
ok 'what a failing file said is shown' sh -c '"$0" "$1" | grep -q "# why it failed"' "$root/tests/run" "$T/bad.sh"
ok 'and nothing of what passed' sh -c '! "$0" "$1" | grep -q "ok 1"' "$root/tests/run" "$T/bad.sh"
t 'a missing plan is a failure' 'last "$T/noplan.sh"' 1 <<'END'
1 passed, 1 failed
END
t 'a plan that is not kept is a failure' 'last "$T/short.sh"' 1 <<'END'
1 passed, 1 failed
END
t 'a crash behind the last assertion is a failure' 'last "$T/crash.sh"' 1 <<'END'
1 passed, 1 failed
END
t 'a file that does not end is a failure' 'TEST_SECONDS=1 last "$T/hangs.sh"' 1 <<'END'
1 passed, 1 failed
END
t 'a file that says nothing is a failure' 'last "$T/silent.sh"' 1 <<'END'
0 passed, 1 failed
END
t 'a file that is not there is a failure' 'last "$T/absent.sh"' 1 <<'END'
0 passed, 1 failed
END
t 'no file at all is a failure' 'last' 1 <<'END'
0 passed, 1 failed
END
t 'a skip is not a failure' 'last "$T/skips.sh"' 0 <<'END'
1 passed, 0 failed
END
t 'but where CI=true' 'CI=true last "$T/skips.sh"' 1 <<'END'
1 passed, 1 failed
END
t 'counts are added to the tally' 'TEST_TALLY=$T/tally; export TEST_TALLY; last "$T/good.sh" "$T/skips.sh"; cat tally' 0 <<'END'
3 passed, 0 failed
3 0 1
END
# Each waits for the other's mark: one after the other, the first would wait in vain.
file left.sh 'touch here.left; until [ -e here.right ]; do sleep 0.1; done' 'echo "ok 1 - a"' 'echo 1..1'
file right.sh 'touch here.right; until [ -e here.left ]; do sleep 0.1; done' 'echo "ok 1 - a"' 'echo "not ok 2 - b"' 'echo 1..2'
sed -i "2icd '$T' || exit" left.sh right.sh
t 'two run at a time, and both are counted' 'TEST_JOBS=2 TEST_SECONDS=20 last "$T/left.sh" "$T/right.sh"' 1 <<'END'
2 passed, 1 failed
END

# And the library: an expectation that is not met is told.
file wrong.sh ". '$root/tests/cli/lib.sh'" \
	"t out 'echo a' 0 <<'X'" b X "t err 'echo a >&2' 0" "t status 'exit 3' 0" "ok command false" "t right true 0" finish
# As a file beside lib.sh would find it.
sed -i "s|dirname \"\$0\"|echo '$root/tests/cli'|" wrong.sh
t 'lib.sh tells what differs' 'sh wrong.sh | grep -v "^#"' 0 <<'END'
not ok 1 - out
not ok 2 - err
not ok 3 - status
not ok 4 - command
ok 5 - right
1..5
END
ok 'and ends with status 1' sh -c '! sh wrong.sh >said'
finish
