# shellcheck shell=bash
# traefik - sourced by scripts/services: the reverse proxy with the configuration of contrib/traefik, on ports of loopback.
#
#     scripts/services start traefik DIR URL...    spreads requests over the servers at these addresses (http://127.0.0.1:8081)
#
# Beside plain HTTP and TLS (a certificate of its own making, DIR/traefik/cert.pem) it listens for /ping and /metrics on a third port, named in
# DIR/traefik/port with the other two behind it. build/traefik is used, else what PATH has.

traefik_program() {
	local here=${here:?}/../../build/traefik
	if [ -x "$here" ]; then
		realpath "$here"
	else
		command -v traefik
	fi
}

traefik_installed() {
	traefik_program
}

# The certificate is read at the start: it must be there before.
traefik_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$1/key.pem" -out "$1/cert.pem" 2>"$1/openssl.log" || {
		cat "$1/openssl.log" >&2
		fail 'openssl made no certificate'
	}
}

# traefik_servers DIR URL...: the dynamic configuration with these servers, put there in one move, since the folder is watched.
traefik_servers() {
	local dir=$1 url
	shift
	for url; do
		printf '          - url: "%s"\n' "$url"
	done >"$dir/servers"
	sed -e "/^ *- url:/{
		r $dir/servers
		d
	}" -e "s|/etc/traefik/|$dir/|" "$here/../../contrib/traefik/senti.yml" |
		awk '/^ *- url:/ { if (seen[$0]++) next } { print }' >"$dir/new.yml"
	mkdir -p "$dir/dynamic"
	mv "$dir/new.yml" "$dir/dynamic/senti.yml"
}

traefik_launch() {
	local dir=$1/traefik port tries=300 job
	port=$(cat "$dir/port")
	setsid "$(traefik_program)" --configFile="$dir/static.yml" >>"$dir/log" 2>&1 </dev/null &
	job=$!
	# Health checks decide where requests go; before the first of them there may be none that is well.
	until curl -fsS -o /dev/null "http://127.0.0.1:$((port + 2))/ping" 2>/dev/null; do
		if ! alive $job || ! ((tries-- > 0)); then
			tail -n 20 "$dir/log" >&2
			fail 'Traefik did not start'
		fi
		sleep 0.1
	done
	note_pid "$1" traefik $job
}

traefik_start() {
	local top=$1 dir=$1/traefik port
	shift
	[ $# -gt 0 ] || fail 'traefik wants the addresses of the servers'
	mkdir -p "$dir"
	port=$(free_ports 3)
	echo "$port" >"$dir/port"
	sed -e "s|\":80\"|\"127.0.0.1:$port\"|" -e "s|\":443\"|\"127.0.0.1:$((port + 1))\"|" -e "s|\"127.0.0.1:8082\"|\"127.0.0.1:$((port + 2))\"|" \
		-e "s|/etc/traefik/|$dir/|" "$here/../../contrib/traefik/traefik.yml" >"$dir/static.yml"
	traefik_certificate "$dir"
	traefik_servers "$dir" "$@"
	traefik_launch "$top"
	echo "TRAEFIK='http://127.0.0.1:$port' TRAEFIK_TLS='https://127.0.0.1:$((port + 1))' TRAEFIK_ADMIN='http://127.0.0.1:$((port + 2))'"
}

traefik_kill() {
	kill_server "$1" traefik Traefik
}

traefik_again() {
	traefik_launch "$1"
}

# ctl: asks its inner port for a path: ctl traefik DIR /metrics
traefik_ctl() {
	curl -fsS "http://127.0.0.1:$(($(cat "$1/traefik/port") + 2))$2"
}

traefik_stop() {
	stop_server "$1" traefik 10
}
