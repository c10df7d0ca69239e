#!/bin/sh
# senti-worker on files and stdin: answers, rejects inside the command, and commands that die, hang, leave out, reorder, repeat and babble.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# records N: with ids r1 to rN.
records() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "{\"id\":\"r%d\",\"text\":\"fine %d\"}\n", i, i }'
}
records 50 >fifty
sed 's/fine 7"/poison 7"/; s/fine 30"/poison 30"/' fifty >poison
sed '/poison/d' poison >healthy

# run STATUS ARG...: senti-worker with the output in out and err.
run() {
	want=$1
	shift
	senti-worker --summary "$@" >out 2>err
	status=$?
	[ "$status" -eq "$want" ] || {
		echo "status $status, not $want"
		cat err
		return 1
	}
}

# sums IN OUT REJECTED: as the summary has them.
sums() {
	tail -n 1 err | grep -q "\"in\":$1,\"out\":$2,\"rejected\":$3,\"restarts\"" || {
		cat err
		return 1
	}
}

codes() { # the codes of the rejects, in one line
	sed -n 's/^{"error":{"code":"\([^"]*\)".*/\1/p' err | tr '\n' ' '
}

# rejects CODES
rejects() {
	[ "$(codes)" = "$1" ] || {
		echo "codes: $(codes)"
		cat err
		return 1
	}
}

# filter BODY: a shell program that answers each line $l as it came, but for what BODY does before.
filter() {
	printf 'while IFS= read -r l; do %s\nprintf "%%s\\n" "$l"; done' "$1"
}

# --- answers ---

ok 'cat answers all' run 0 -i fifty -- cat
ok 'byte for byte' cmp fifty out
ok 'and the sums hold' sums 50 50 0
ok 'stdin is a source' sh -c 'senti-worker -i - -- cat <fifty | cmp - fifty'
senti-score fifty >scored
ok 'a pipeline of three tools' run 0 -i fifty -- sh -c 'cat | senti-score | cat'
ok 'says what the tool says by itself' cmp scored out
records 20000 >many
ok 'three commands side by side' run 0 -i many -j 3 -b 100 -o ordered -- sh -c 'senti-score | cat'
senti-score many >scored
ok 'keep the order' cmp scored ordered
ok 'an empty input starts nothing' run 99 -i /dev/null --exit-if-empty -- cat
ok 'a record without an id is matched by its place' sh -c 'printf "{\"text\":\"a\"}\n{\"text\":\"b\"}\nplain\n" >no_ids; senti-worker -i no_ids -- cat | cmp - no_ids'
ok 'an answer may be far longer than its record' sh -c 'senti-worker -i fifty -- perl -ne '\''$|=1; s/fine/"x" x 100000/e; print'\'' | sed s/xxxxx*/fine/ | cmp - fifty'

# --- rejects of the tools inside ---

printf '{"id":"a","text":"x"}\n{"id":"b"}\nno json\n{"id":"c","text":"x","time":"never"}\n{"text":"\377"}\n{"id":"d","text":"x"}\n' >mixed
ok 'rejects inside the pipeline' run 1 -i mixed -- sh -c 'senti-score | senti-store put'
ok 'keep their codes' rejects 'no_text bad_json bad_time bad_utf8 '
ok 'their tools' grep -q '"bad_time".*"tool":"senti-store"' err
ok 'the line as it came' grep -qF '"input":"{\"id\":\"c\",\"text\":\"x\",\"time\":\"never\"}"' err
ok 'all others are answered' sums 6 2 4
ok 'nothing is left in TMPDIR' sh -c 'mkdir tmp && TMPDIR=$PWD/tmp senti-worker -i fifty -- cat >/dev/null && rmdir tmp'
# shellcheck disable=SC2016
ok 'the socket is private' sh -c 'senti-worker -i fifty -- sh -c '\''stat -c %a "$(dirname "$SENTI_REJECT")" >mode; cat'\'' >/dev/null; grep -qx 700 mode'

# --- commands that die ---

# shellcheck disable=SC2016
dies=$(filter 'case $l in *poison*) echo "dying of $l" >&2; exit 7;; esac')
ok 'two records kill the command' run 1 -i poison -- sh -c "$dies"
ok 'they alone are rejected' rejects 'command_failed command_failed '
ok 'with the exit status and the last words' grep -qF '"status":"7","stderr":"dying of {\"id\":\"r7\",' err
ok 'the others are answered once, in their order' cmp healthy out
# shellcheck disable=SC2016
ok 'by a signal' run 1 -i poison -- sh -c "$(filter 'case $l in *poison*) kill -9 $$;; esac')"
ok 'the same' grep -qF '"code":"command_failed","message":"the command died 3 times with no other record in flight: signal 9' err
# shellcheck disable=SC2016
ok 'a record that kills a command twice is tried a third time' run 0 -i poison -- sh -c \
	"$(filter 'case $l in *poison*) echo >>deaths; [ $(wc -l <deaths) -ge 3 ] || exit 1;; esac')"
ok 'and is answered' cmp poison out
ok 'a command that answers one record and ends' run 0 -i healthy -- sh -c "IFS= read -r l; printf '%s\n' \"\$l\""
ok 'is started for each' cmp healthy out
# shellcheck disable=SC2016
ok 'status 3 blames no record' run 3 -i poison --max-failures 4 -- sh -c "$(filter 'case $l in *poison*) exit 3;; esac')"
ok 'and nothing comes out of such a batch' test ! -s out
ok 'a command that always fails' run 3 -i fifty --max-failures 4 -- false
ok 'is given up, with a reason' grep -q "'false' failed 4 times without an answer; at last it died, with exit status 1" err
ok 'and nothing counts as done' sums 0 0 0
t 'a command that is not there' 'senti-worker -i fifty -- nonesuch' 3 <<'END'
--- stderr
senti-worker: cannot run 'nonesuch': no such command in PATH
END
t 'nor there' 'senti-worker -i fifty -- ./nonesuch' 3 <<'END'
--- stderr
senti-worker: cannot run './nonesuch': No such file or directory
END
t 'nor a program' 'senti-worker -i fifty -- ./fifty' 3 <<'END'
--- stderr
senti-worker: cannot run './fifty': Permission denied
END

# --- commands that answer strangely ---

# shellcheck disable=SC2016
ok 'two records are swallowed' run 1 -i poison -- sh -c "$(filter 'case $l in *poison*) continue;; esac')"
ok 'they are lost by the pipeline' rejects 'lost_by_pipeline lost_by_pipeline '
ok 'and the others there' cmp healthy out
echo '{"id":"x"}' >one
ok 'one is swallowed alone' run 1 -i one --timeout 1 -- sh -c 'cat >swallowed'
ok 'lost too' rejects 'lost_by_pipeline '
ok 'given to the command only once' cmp one swallowed
# shellcheck disable=SC2016
ok 'one makes it hang' run 1 -i poison --timeout 1 -- sh -c "$(filter 'case $l in *"poison 7"*) sleep 1000;; esac')"
ok 'it is lost' rejects 'lost_by_pipeline '
ok 'after three tries' sums 50 49 1
ok 'answers in another order' run 0 -i fifty -- perl -e '$|=1; while (1) { my @l; for (1..5) { my $l = <STDIN>; push @l, $l if defined $l } last unless @l; print reverse @l }'
ok 'are put in order again' cmp fifty out
ok 'two answers to each' run 0 -i fifty -- perl -ne '$|=1; print; print'
ok 'count once' cmp fifty out
ok 'and are counted' grep -q '"duplicates":[1-9]' err
ok 'what is not an answer' run 3 -i fifty --max-failures 3 -- perl -ne '$|=1; print "Loading\n"'
ok 'is shown' grep -q "having written 'Loading'" err
# Once it has its record: what comes before that is only unasked, and the command is restarted.
ok 'an answer to nobody' run 1 -i one -- sh -c "IFS= read -r l; echo '{\"id\":\"strange\"}'; cat"
ok 'rejects the record' rejects 'command_failed '
ok 'much on stderr' sh -c 'senti-worker -i fifty -- perl -ne '\''$|=1; print STDERR "x" x 100000, "\n"; print'\'' 2>err | cmp - fifty && [ "$(grep -c "^x*$" err)" -ge 50 ]'
ok 'a command that never reads' run 3 -i many --timeout 1 --max-failures 1 -- sleep 1000
ok 'is given up' grep -q 'gave no answer in time' err
ok 'a command that answers at its end only' run 0 -i fifty --timeout 1 -- perl -ne 'print'
ok 'answers in the end' cmp fifty out
ok 'and is told how' grep -q 'make it flush each line' err
ok 'a command that closes its input early' run 0 -i healthy -- sh -c "IFS= read -r l; exec <&-; printf '%s\n' \"\$l\""
ok 'still answers' cmp healthy out

# --- ends ---

ok 'a full disk is status 3' sh -c 'senti-worker -i fifty -o /dev/full -- cat 2>err; [ $? -eq 3 ]'
ok 'so is one for rejects' sh -c 'senti-worker -i mixed --reject /dev/full -- senti-score >out 2>err; [ $? -eq 3 ]'
ok 'a closed pipe ends it' sh -c 'senti-worker -i many -- cat 2>err | head -n 1 >out; [ -s out ] && [ ! -s err ]'
for usage in '-- cat' '-i fifty' '-i fifty -q texts -- cat' '-i - --follow -- cat' '-i fifty --state s -- cat' '-i fifty --timeout x -- cat'; do
	# shellcheck disable=SC2086
	ok "usage: $usage" run 2 $usage
done
t '-q is the queue, --quiet still quiet' 'senti-worker --quiet -q' 2 <<'END'
--- stderr
senti-worker: option '-q' takes an argument
try 'senti-worker --help'
END

finish
