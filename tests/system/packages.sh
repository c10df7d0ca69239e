#!/bin/sh
# The Debian packages: two builds in two folders give the same bytes, lintian has neither errors nor warnings, and in a root that has nothing but
# Debian's minimal base they install, run the session of README.md, serve a crontab by the real cron, run as services of a systemd that has booted there,
# and leave nothing but the store when they are purged.
# seconds: 170
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
# shellcheck source=scripts/packages
. "$root/scripts/packages"

[ "$(id -u)" -eq 0 ] || {
	skip 'packages' 'only root may change into another root'
	finish
}
need 'packages' mmdebstrap lintian dh unshare apt-get systemd-nspawn || finish
R=$T/root
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

# in_root COMMAND...: with processes and mounts of its own, which end with the command.
in_root() {
	unshare --mount --pid --fork --kill-child --mount-proc="$R/proc" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
		DEBIAN_FRONTEND=noninteractive chroot "$R" "$@"
}

build_root() {
	debian_sources >sources
	[ -s sources ] || { apt-get -q update && debian_sources >sources; }
	# What the session and this test need besides.
	mmdebstrap -q --variant=minbase --include=curl,jq,cron,redis-server,systemd-sysv --skip=cleanup/apt "$codename" "$R" sources
}

# All that is named after senti, but what dpkg and apt keep for themselves.
of_senti() {
	(cd "$R" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./src -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache \) -prune \
		-o -name '*senti*' -print -o -path '*/senti*/*' -print | sort)
}

# Other tests run beside this one, and their clocks go on.
build() { DEB_BUILD_OPTIONS=parallel=1 nice -n 5 "$root/scripts/build-deb" "$1"; }
build_root >base.log 2>&1 &
base=$!
build "$T/one" >one.log 2>&1 &
one=$!
build "$T/another/folder/two" >two.log 2>&1 &
two=$!
ended() { wait "$1" || { cat "$2"; false; }; }
ok 'make deb builds packages' ended $one one.log
ok 'and once more' ended $two two.log
version=$(sed -n 's/^VERSION = //p' "$root/config.mk")
t 'these are all' "ls one/*.deb | sed 's/.*one.//; s/_.*//'" 0 <<'END'
senti-dbgsym
senti-serve-dbgsym
senti-serve
senti-systemd
senti
END
same() {
	for package in one/*.deb; do
		cmp "$package" "another/folder/two/${package##*/}" || return 1
	done
}
ok 'two builds in two folders give the same bytes' same
ok 'lintian finds neither errors nor warnings' lintian --allow-root --fail-on error,warning --tag-display-limit 0 one/*.changes

ok 'the minimal base of Debian' ended $base base.log
mkdir "$R/tmp/packages"
cp one/senti_*.deb one/senti-serve_*.deb one/senti-systemd_*.deb "$R/tmp/packages"
ok 'the packages install, with what they depend on and recommend' in_root sh -c 'apt-get -q -y install /tmp/packages/*.deb'
t 'they are installed' "in_root dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\n' 'senti*' | grep -v dbgsym" 0 <<END
senti $version installed
senti-serve $version installed
senti-systemd $version installed
END
ok 'what is loaded when it is first used is there too' in_root sh -c 'ls /usr/lib/*/librabbitmq.so.4 /usr/lib/*/libmicrohttpd.so.12 /usr/lib/*/libgmime-3.0.so.0'
t 'nothing has been enabled' 'in_root find /etc/systemd/system -name "senti*"' 0
t 'nobody else may read settings and data' 'in_root stat -c "%n %a %U %G" /etc/senti /var/lib/senti /var/lib/senti/in' 0 <<'END'
/etc/senti 750 root senti
/var/lib/senti 750 senti senti
/var/lib/senti/in 770 senti senti
END
ok 'systemd takes the units, with the programs where they say' in_root sh -c 'systemd-analyze verify --man=no /lib/systemd/system/senti-[a-z]* >/tmp/said 2>&1 &&
	! [ -s /tmp/said ] || { cat /tmp/said; false; }'

# The crontab of contrib/cron, every minute instead of every five; while it waits for the next one, the session runs.
printf 'when,who,comment\n2024-05-01,ann,I love it\n2024-05-02,bob,It broke\n' >"$R/var/lib/senti/in/comments.csv"
crontab() {
	sed 's|^\*/5 |* |' "$R/usr/share/doc/senti/examples/cron/senti.crontab" >"$R/tmp/crontab" &&
		in_root sh -c 'chown senti: /var/lib/senti/in/comments.csv && crontab -u senti /tmp/crontab'
}
ok 'the crontab is taken' crontab
# It ends when the other end of the pipe is closed, by this test or by its end.
mkfifo until
in_root sh -c 'cron -f & read -r end; kill $!' <until >cron.log 2>&1 &
cron=$!
exec 7>until
trap 'exec 7>&-; wait; cd /; rm -rf "$T"' EXIT

mkdir "$R/src"
(cd "$root" && git ls-files -z | xargs -0 tar -cf -) | tar -xf - -C "$R/src"
session() {
	in_root env SENTI_BIN=/usr/bin sh /src/tests/cli/readme.sh >session 2>&1
	status=$?
	cat session
	[ "$status" -eq 0 ] && ! grep -q '# SKIP' session && [ "$(grep -c '^ok' session)" -ge 20 ]
}
ok 'the session of README.md' session

rows() { in_root senti-store stats --store sqlite:/var/lib/senti/senti.db | jq -c '[.messages, .positive, .negative]'; }
# The next minute may be a minute away, and the machine busy.
ran() { timeout 180 sh -c 'until grep -q "\"stored\":2" "$0" 2>/dev/null; do sleep 0.2; done' "$R/var/lib/senti/cron.log"; }
ok 'cron has run the script' ran
t 'what it has stored' 'rows' 0 <<'END'
[2,1,1]
END
exec 7>&-
ok 'cron has ended' wait "$cron"

# The services, by the systemd of that root, without a network: a service of the root's own runs what follows, writes what it sees and ends all.
cat >"$R/src/services.sh" <<'END'
ask() { curl -s --max-time 60 "127.0.0.1:8080/v1/messages$1" | jq -c '[.id, .sentiment.label]'; }
state() { systemctl show -p "$2" --value "$1"; }
systemctl start senti-serve.socket
curl -s --max-time 60 127.0.0.1:8080/v1/messages -H 'Prefer: wait=30' --json '{"id":"web-1","text":"What a nice chair"}' | jq -c '[.id, .sentiment.label]'
systemctl reload senti-serve && echo reloaded
kill -9 "$(state senti-serve MainPID)"
ask /web-1
echo "restarted $(state senti-serve NRestarts)"
echo 'SENTI_INGEST_OPTIONS=--text comment --time when' >/etc/senti/batch.env
sed 's/ann/eve/' /var/lib/senti/in/comments.csv >"/var/lib/senti/in/2024-05-01.csv"
systemctl start "senti-batch@$(systemd-escape 2024-05-01.csv)" && echo batch
echo SENTI_REDIS=redis://127.0.0.1 >/etc/senti/follow.env
systemctl start redis-server senti-follow && echo follow
# A file in place of a queue, whose broker is not here.
mkdir /run/systemd/system/senti-worker@.service.d
printf '%s\n' '[Service]' ExecStart= 'ExecStart=/usr/bin/senti-worker -i ${STATE_DIRECTORY}/lines --follow -o /dev/null -- sh -c ${SENTI_COMMAND}' \
	>/run/systemd/system/senti-worker@.service.d/file.conf
echo '{"id":"queue-1","text":"I hate it"}' >/var/lib/senti/lines
chown senti /var/lib/senti/lines
systemctl daemon-reload
systemctl start senti-worker@texts
until ask /queue-1 | grep negative; do sleep 0.1; done
systemctl stop senti-worker@texts && state senti-worker@texts Result
systemctl start senti-prune && echo pruned
for unit in senti-serve senti-follow; do echo "$unit $(state $unit ActiveState) $(state $unit User)"; done
END
cat >"$R/etc/systemd/system/services.service" <<'END'
[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/sh -c 'timeout 150 sh /src/services.sh >/src/services.out 2>&1; systemctl poweroff'
[Install]
WantedBy=multi-user.target
END
boot() {
	in_root sh -c 'systemctl enable services && systemctl disable redis-server' &&
		timeout -k 5 200 systemd-nspawn --quiet --register=no --keep-unit --private-network -D "$R" --boot
}
boot >boot.log 2>&1 </dev/null
if [ -f "$R/src/services.out" ]; then
	t 'the services under systemd' 'cat "$R/src/services.out"' 0 <<'END'
["web-1","positive"]
reloaded
["web-1","positive"]
restarted 1
batch
follow
["queue-1","negative"]
success
pruned
senti-serve active senti
senti-follow active senti
END
else
	echo '# systemd cannot boot in a container of this machine: its services are left out'
	sed 's/^/# /' boot.log
fi
rm -rf "$R/etc/systemd/system/services.service" "$R/var/lib/senti/lines" "$R"/var/lib/senti/in/2024*

ok 'the packages can be purged' in_root apt-get -q -y purge senti senti-serve senti-systemd
t 'the user'"'"'s data outlive that, and nothing else' of_senti 0 <<'END'
./var/lib/senti
./var/lib/senti/cron.log
./var/lib/senti/in
./var/lib/senti/in/comments.csv
./var/lib/senti/senti.db
./var/spool/cron/crontabs/senti
END
finish
