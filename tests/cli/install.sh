#!/bin/sh
# What `make install` installs, for any PREFIX, and `make uninstall` removes; the script that services and crontabs call; what `make help` lists.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

tools=$(cd "$root" && sed -n 's/^TOOLS = //p' Makefile)
version=$(sed -n 's/^VERSION = //p' "$root/config.mk")
build=$(dirname "$SENTI_BIN")

need 'installation' jq || finish
make_() { env -u MAKEFLAGS make -s -C "$root" BUILD="$build" "$@"; }

ok 'make install' make_ install DESTDIR="$T/stage" PREFIX=/usr
for tool in $tools; do
	t "installed $tool runs" "stage/usr/bin/$tool --version" 0 <<-END
		$tool $version
	END
	section=1
	[ "$tool" != senti-serve ] || section=8
	ok "installed $tool has its page and completions" ls "stage/usr/share/man/man$section/$tool.$section" \
		"stage/usr/share/bash-completion/completions/$tool" "stage/usr/share/fish/vendor_completions.d/$tool.fish"
done
ok 'overview, licence and lexicon licences are installed' ls stage/usr/share/man/man7/senti.7 stage/usr/share/man/man5/senti-record.5 \
	stage/usr/share/doc/senti/LICENSE stage/usr/share/doc/senti/lexicons/vader/LICENSE
ok 'the files for monitoring are installed' ls stage/usr/share/doc/senti/examples/prometheus/senti.rules.yml \
	stage/usr/share/doc/senti/examples/prometheus/prometheus.yml stage/usr/share/doc/senti/examples/grafana/senti.json
t 'programs can be run, and nothing else' 'find stage -type f -perm /111 | grep -vE "^stage/usr/(bin/senti-[a-z]*|libexec/senti/(batch|kafka-batch\.sh))$"
	find stage -type f ! -perm 644 ! -perm 755; find stage -type d ! -perm 755' 0

# Another prefix: services and the crontab name it, and each program that they name is there.
prefix=$T/opt/senti
mkdir -p "$prefix/share/man/man1"
echo other >"$prefix/share/man/man1/other.1"
ok 'make install elsewhere' make_ install PREFIX="$prefix"
ok 'services run the programs of the prefix' sh -c 'grep -rhoE "(ExecStart=|\* )/[^ ]*" "$0/lib/systemd" "$0/share/doc/senti/examples/cron" | sed "s|^[^/]*||" |
	sort -u >named && [ "$(wc -l <named)" -eq 5 ] && while read -r program; do case $program in "$0"/*) [ -x "$program" ] ;; *) false ;; esac || {
		echo "$program"; exit 1; }; done <named' "$prefix"
ok 'and their PATH begins there' grep -q "^Environment=PATH=$prefix/bin:" "$prefix/lib/systemd/system/senti-.service.d/10-senti.conf"
ok 'make uninstall' make_ uninstall PREFIX="$prefix"
t 'uninstall removes all that install has put there, and nothing else' "find '$prefix' -type f; find '$prefix' -path '*senti*' -name '*senti*' ! -path '$prefix'" 0 <<END
$prefix/share/man/man1/other.1
END
ok 'uninstalling what is not there' make_ uninstall PREFIX="$prefix"

# The script for services and crontabs.
# shellcheck disable=SC2034
batch=$root/contrib/batch
export SENTI_STORE=sqlite:store.db
mkdir in
printf 'who,comment\nann,I love it\nbob,It broke\ncyd\n' >in/a.csv
t 'batch scores and stores a file; what is wrong is beside it, and is status 1' \
	'SENTI_INGEST_OPTIONS="--text comment" "$batch" in/a.csv 2>/dev/null; echo $?; senti-store stats | jq -c "[.messages, .version]"; jq -c .error.line in/a.csv.rejects' 0 <<'END'
1
[2,2]
4
END
t 'the same again, under another path, changes nothing' \
	'cd in && SENTI_STORE=sqlite:../store.db SENTI_INGEST_OPTIONS="--text comment" "$batch" "$PWD/a.csv" 2>/dev/null; echo $?
	cd .. && senti-store stats | jq -c "[.messages, .version]"; wc -l <in/a.csv.rejects' 0 <<'END'
1
[2,2]
1
END
t 'a file that is missing is status 3, and the others are stored all the same' \
	'echo "It is fine" >in/b.txt; SENTI_INGEST_OPTIONS="-F text" "$batch" in/none.txt in/b.txt 2>said; echo $?; grep -c "none.txt" said; senti-store stats | jq .messages' 0 <<'END'
3
1
3
END
t 'status 3 counts above 1' 'SENTI_STORE=sqlite:/nowhere/x.db SENTI_INGEST_OPTIONS="--text comment" "$batch" in/a.csv 2>/dev/null' 3
t 'a wrong option is status 2' 'SENTI_INGEST_OPTIONS="--txt comment" "$batch" in/b.txt 2>/dev/null' 2
t 'another run at work on the file is left alone' 'exec 8<in/b.txt && flock 8 && "$batch" in/b.txt' 0 <<'END'
--- stderr
batch: another run is at work on in/b.txt
END

# Help names all targets that are meant for people, and all settings.
make_ help >listed
ok 'make help lists targets' sh -c 'for target in all check test live system asan tsan fuzz bench install uninstall dist clean help; do
	grep -qE "^  $target +[a-z]" listed || { echo "$target"; exit 1; }; done'
ok 'make help lists settings' sh -c 'sed -n "s/^\(WITH_[A-Z]*\) .*/\1/p" "$0/config.mk" >settings && [ "$(wc -l <settings)" -eq 5 ] &&
	while read -r setting; do grep -q "^  $setting=" listed || { echo "$setting"; exit 1; }; done <settings' "$root"
t 'a setting that is neither yes nor no' "make_ WITH_REDIS=maybe help 2>&1 | sed 's/.*[*] //; s/\\. *Stop.*//'" 0 <<'END'
WITH_REDIS is yes or no, not 'maybe'
END

finish
