#!/usr/bin/env bash
# Installs the programs that the end-to-end tests talk to, and valgrind for the figures; on Debian and Ubuntu. Starts no service.
# What cannot be had is named; the tests of it are then skipped, each with a line that says so.
set -euo pipefail

need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null; }

programs=(kamailio kamcmd kamctl sipp baresip kamcli valgrind sqlite3 mariadbd initdb)
declare -A package=(
	[kamailio]=kamailio [kamcmd]=kamailio [kamctl]=kamailio [sipp]=sip-tester
	[baresip]=baresip-core [kamcli]=kamcli [valgrind]=valgrind [sqlite3]=sqlite3 [mariadbd]=mariadb-server [initdb]=postgresql
)
wanted=()
for program in "${programs[@]}"; do
	need "$program" || wanted+=("${package[$program]}")
done
for database in sqlite mysql postgres; do
	compgen -G "/usr/lib/*/kamailio/modules/db_$database.so" >/dev/null || wanted+=("kamailio-$database-modules")
done
compgen -G "/usr/lib/*/kamailio/modules/app_lua.so" >/dev/null || wanted+=(kamailio-lua-modules)
# Lua is built from its source.
need make || wanted+=(make)
need cc || wanted+=(gcc)
if [ ${#wanted[@]} -eq 0 ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "install-peers: no apt-get here; not installed: ${wanted[*]}" >&2
	exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || { echo "install-peers: neither root nor sudo" >&2; exit 1; }
	as_root=(sudo)
fi

# A policy of 101 keeps the packages from starting their services, which would take port 5060.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
	"${as_root[@]}" chmod 755 "$policy"
	trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
		-o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -qq "$@" </dev/null
}
apt update || echo "install-peers: apt-get update failed; trying with what is known" >&2
mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
apt install --no-install-recommends -y "${wanted[@]}" >/dev/null ||
	for one in "${wanted[@]}"; do
		apt install --no-install-recommends -y "$one" >/dev/null || echo "install-peers: $one cannot be installed" >&2
	done
