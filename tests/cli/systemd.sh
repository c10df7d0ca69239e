#!/bin/sh
# The units in contrib/systemd, installed under a prefix of their own: systemd takes each without a word and counts it as safe; the user and the folders
# that they need can be made.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

need 'units are taken by systemd' systemd-analyze systemd-sysusers systemd-tmpfiles || finish
prefix=$T/usr
units=$prefix/lib/systemd/system
ok 'make install' env -u MAKEFLAGS make -s -C "$root" BUILD="$(dirname "$SENTI_BIN")" install PREFIX="$prefix"

# No manager runs here: only the files count, not what else this machine has.
SYSTEMD_LOG_LEVEL=warning
SYSTEMD_UNIT_PATH=$units:
export SYSTEMD_LOG_LEVEL SYSTEMD_UNIT_PATH

verify() { systemd-analyze verify --man=no "$1" 2>&1 | sed "s|$T||g"; }
exposed() { systemd-analyze security --offline=true --threshold=20 --no-pager "$1" >said 2>&1 || { grep -vE '^✓' said; return 1; }; }

for unit in "$units"/*.service "$units"/*.socket "$units"/*.timer; do
	t "systemd-analyze verify ${unit##*/}" "verify '$unit'" 0
done
for unit in "$units"/*.service; do
	ok "systemd-analyze security ${unit##*/}: at most 2.0" exposed "$unit"
done

# These checks can fail.
sed 's/^RestartSec=/RestartSecs=/; s|^ExecStart=/[^ ]*|ExecStart=/nowhere/senti-serve|' "$units/senti-serve.service" >odd.service
ok 'an unknown key and a program that is missing are found' sh -c 'systemd-analyze verify --man=no "$PWD/odd.service" >said 2>&1
	grep -q "Unknown key .*RestartSecs" said && grep -q "/nowhere/senti-serve is not executable" said || { cat said; false; }'
cp "$units/senti-prune.service" bare.service
ok 'a service without the common settings is found' sh -c '! systemd-analyze security --offline=true --threshold=20 "$PWD/bare.service" >/dev/null 2>&1'

# What a service may rely on.
key() { sed -n "s/^$2=//p" "$units/$1"; }
for service in senti-serve senti-worker@ senti-follow senti-batch@ senti-prune; do
	t "$service has bounds" "[ -n '$(key $service.service MemoryMax)' ] && [ '$(key $service.service TasksMax)' -gt 0 ]" 0
done
for service in senti-serve senti-worker@; do
	drain=$(key $service.service ExecStart | sed 's/.*--drain \([0-9]*\).*/\1/')
	t "$service is killed only after it had its time to drain" "[ '$(key $service.service TimeoutStopSec)' -gt '$drain' ]" 0
done
t 'only senti-worker is told to stop' 'key senti-worker@.service KillMode' 0 <<'END'
mixed
END
for timer in senti-batch@ senti-prune; do
	ok "$timer.timer has a date that systemd understands" systemd-analyze calendar "$(key $timer.timer OnCalendar)"
done

# The user and the folders, in a root of their own. Owners are set by root only.
mkdir -p stage/etc stage/usr/lib
cp -R "$prefix/lib/sysusers.d" "$prefix/lib/tmpfiles.d" stage/usr/lib
if [ "$(id -u)" -eq 0 ]; then
	ok 'systemd-sysusers makes the user' systemd-sysusers --root="$T/stage" senti.conf
	t 'the user has no shell and no password' 'grep ^senti: stage/etc/passwd | sed "s/:[0-9]*:[0-9]*:/:/"; cut -d: -f1,2 stage/etc/shadow' 0 <<'END'
senti:x:Sentiment analysis:/var/lib/senti:/usr/sbin/nologin
senti:!*
END
	ok 'systemd-tmpfiles makes the folders' systemd-tmpfiles --root="$T/stage" --create senti.conf
	user=$(sed -n 's/^senti:x:\([0-9]*\):.*/\1/p' stage/etc/passwd)
	t 'nobody else may read them' "stat -c '%n %a %u' stage/etc/senti stage/var/lib/senti stage/var/lib/senti/in" 0 <<END
stage/etc/senti 750 0
stage/var/lib/senti 750 $user
stage/var/lib/senti/in 770 $user
END
fi
finish
