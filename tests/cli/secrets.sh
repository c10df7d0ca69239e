#!/bin/sh
# No message, log line or file name holds the password of an address, whatever option it is given to and however it is written. (The list of
# processes does: that is for the user to avoid, by a setting or a file.)
. "$(dirname "$0")/lib.sh"

secret=tops3cret
XDG_STATE_HOME=$T/state
export XDG_STATE_HOME
mkdir state

# Ways to write an address, rightly and wrongly; none of them leads to a server.
addresses="redis://u:$secret@127.0.0.1:1/0 mysql://u:$secret@h/db mysql:u:$secret@h u:$secret@h/db user:$secret@h/db AMQP://u:$secret@h
	postgres://u:1/$secret@h/db amqp:u:$secret@127.0.0.1:1 amqp://u:$secret@127.0.0.1:1/?queue=q amqp:redis://u:$secret@h
	rediss://u:$secret@127.0.0.1:1?cacertfile=/none redis+sentinel://u:$secret@127.0.0.1:1,127.0.0.1:2/x redis+sentinel://u:$secret@h,,h/x
	http://h/?password=$secret mongodb+srv://u:a'$secret'b@h redis://u:1/$secret@h postgresql://h:1/db?password=$secret&x=y"

# hides NAME COMMAND...: fails or not, but neither tells the secret nor names a file by it, and what it logs at most is looked at too.
hides() {
	name=$1
	shift
	timeout 20 "$@" </dev/null >said 2>&1
	status=$?
	find . >>said
	ok "$name (status $status)" sh -c '[ "$1" -le 3 ] && ! grep -F "$2" said' - "$status" "$secret"
	# Paths without a scheme are made as they are named.
	rm -rf u:* user:* state/*
}

for a in $addresses; do
	case $a in
	u:* | user:*) path= ;; # the path of a file, which is made
	*) path=1 ;;
	esac
	hides "senti-score $a" senti-score -vvv --retry 0 "$a"
	hides "senti-score -i $a" senti-score -vvv --retry 0 -i "$a"
	[ ! "$path" ] || hides "senti-score -o $a" senti-score -vvv --retry 0 -e x -o "$a"
	[ ! "$path" ] || hides "senti-score --reject $a" senti-score -vvv --retry 0 -e x --reject "$a"
	hides "senti-score -m $a" senti-score -vvv -m "$a" -e x
	hides "senti-score --lexicon $a" senti-score --lexicon "$a" -e x
	hides "senti-score --metrics $a" senti-score --metrics "$a" -e x
	hides "senti-score --jobs $a" senti-score --jobs "$a" -e x
	hides "senti-score --quiet=$a" senti-score "--quiet=$a" -e x
	hides "senti-ingest $a" senti-ingest -vvv --retry 0 -F text "$a"
	hides "senti-ingest -F $a" senti-ingest -F "$a"
	hides "senti-store $a" senti-store "$a"
	hides "senti-store get -i $a x" senti-store get -i "$a" x
	hides "senti-store stats -i $a" senti-store stats -i "$a"
	[ ! "$path" ] || hides "senti-store get --store $a" senti-store get --store "$a" x
	hides "senti-cache $a" senti-cache "$a"
	hides "senti-cache get --cache $a" senti-cache get --cache "$a" x
	hides "senti-cache follow --once --cache $a" senti-cache follow --once --store sqlite:x.db --cache "$a"
	hides "senti-cache put -i $a" senti-cache put -i "$a" x
	hides "senti-cache verify -i $a -e" senti-cache get -i "$a" -e x
	hides "senti-worker -q $a" senti-worker -vvv --retry 0 -q "$a" -- cat
	hides "senti-worker -q $a -i" senti-worker -q "$a" -i "$a" -- cat
	hides "senti-eval -i $a" senti-eval -vvv --retry 0 -i "$a"
	hides "senti-eval --state $a" senti-eval -vvv --retry 0 -i "amqp://127.0.0.1:1/?queue=q" --state "$a"
	hides "senti-eval $a" senti-eval -vvv "$a"
	hides "senti-train -i $a" senti-train -vvv --retry 0 -i "$a" -o m
	hides "senti-serve -l $a" senti-serve -l "$a"
	[ ! "$path" ] || hides "senti-serve --store $a" senti-serve -l 127.0.0.1:0 --store "$a"
	hides "senti-serve --cache $a" senti-serve -l 127.0.0.1:0 --cache "$a" --store sqlite:nowhere/x.db
	hides "senti-serve --queue $a" senti-serve -l 127.0.0.1:0 --queue "$a" --store sqlite:nowhere/x.db
	hides "senti-serve --tokens $a" senti-serve -l 127.0.0.1:0 --tokens "$a"
	hides "senti-serve --host $a" senti-serve -l 127.0.0.1:0 --host "$a"
	hides "senti-serve --cors $a" senti-serve -l 127.0.0.1:0 --cors "$a"
	hides "senti-serve --new-token $a" senti-serve --new-token "$a"
	hides "\$SENTI_AMQP=$a" env SENTI_AMQP="$a" senti-score -vvv --retry 0 -i amqp:texts
	hides "\$SENTI_REDIS=$a" env SENTI_REDIS="$a" senti-cache get x
	[ ! "$path" ] || hides "\$SENTI_STORE=$a" env SENTI_STORE="$a" senti-store get x
	hides "\$SENTI_MODEL=$a" env SENTI_MODEL="$a" senti-score -e x
	[ ! "$path" ] || hides "\$SENTI_REJECT=$a" env SENTI_REJECT="$a" senti-score --retry 0 -e x
done

# What an address is shown as.
t 'a queue that looks like an address is refused' "senti-worker -q 'redis://u:$secret@h/x' -- cat" 2 <<'END'
--- stderr
senti-worker: 'amqp:redis://u:***@h/x' does not name a queue: an address is amqp://user:password@host/?queue=NAME, and in a name ':' is %3A
try 'senti-worker --help'
END
t 'and so is one that lacks its slashes' "senti-eval -i amqp:user:$secret@x" 2 <<'END'
--- stderr
senti-eval: 'amqp:user:***@x' does not name a queue: an address is amqp://user:password@host/?queue=NAME, and in a name ':' is %3A
try 'senti-eval --help'
END
t 'an address to listen on' "senti-serve -l redis://u:$secret@h" 2 <<'END'
--- stderr
senti-serve: 'redis://u:***@h' is not an address to listen on, such as 127.0.0.1:8080
try 'senti-serve --help'
END
t 'an unknown store' "senti-store get --store mysql://u:$secret@h x" 2 <<'END'
--- stderr
senti-store: 'mysql://u:***@h' is not a store that this build knows; it takes PATH, sqlite:PATH, postgresql://USER@HOST/DATABASE
try 'senti-store --help'
END

finish
