# shellcheck shell=bash
# The MongoDB and the S3 that ./check tests against: what COFFER_TEST_MONGODB_URI and COFFER_TEST_S3_URI name, else own
# ones on loopback, started when the first tier needs them and ended by their pids with ./check. Sourced after common.sh.

SERVERS=$BUILD/servers # a link to the running ones' folder, so that the next run ends what a kill -9 left
servers=               # nothing yet, up, or down
no_servers=            # why they are down
servers_env=()         # NAME=VALUE: what tests have to be told to find them
mongodb=${COFFER_TEST_MONGODB_URI:-} s3=${COFFER_TEST_S3_URI:-}

# Both keep their data in memory where there is room: what they are tested for is not their disk.
servers_folder() {
    local room
    room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
    if [ -w /dev/shm ] && [ "${room:-0}" -gt 2000000 ]; then
        mktemp -d /dev/shm/coffer-servers-XXXXXX
    else
        mktemp -d "$BUILD/servers-XXXXXX"
    fi
}

# free_ports N: the first of N neighbours that nobody has
free_ports() {
    python3 - "$1" <<'END'
import contextlib, random, socket, sys

def free(port):
    with contextlib.suppress(OSError), socket.socket() as s:
        s.bind(("127.0.0.1", port))
        return True

many = int(sys.argv[1])
tries = (random.randrange(20000, 30000) for _ in range(1000))
print(next(p for p in tries if all(map(free, range(p, p + many)))))
END
}

start_mongodb() {
    [ -z "$mongodb" ] || return 0
    no_servers="MongoDB (SecantusDB) could not be installed"
    need_venv "$BUILD/servers-venv" "$top/tests/requirements-servers.txt" || return 1
    no_servers="MongoDB (SecantusDB) does not start"
    mongodb=$(SECANTUSD=$BUILD/servers-venv/bin/secantusd-py tests/servers/mongodb start "$SERVERS/mongodb" "$(free_ports 1)") || return 1
    servers_env+=("COFFER_TEST_MONGODB_URI=$mongodb" COFFER_TEST_MONGODB_GOES=yes)
}

start_s3() {
    local said line
    [ -z "$s3" ] || return 0
    no_servers="S3 (Ceph's radosgw) is not installed"
    [ -z "$(missing_packages s3)" ] || return 1
    no_servers="S3 (Ceph's radosgw) does not start"
    said=$(tests/servers/s3 start "$SERVERS/s3" "$(free_ports 3)") || return 1
    while read -r line; do
        servers_env+=("${line#export }")
        case $line in "export COFFER_TEST_S3_URI="*) s3=${line#*=} ;; esac
    done <<<"$said"
}

# have_servers: both are there, now if not before; else no_servers says why not.
have_servers() {
    if [ -z "$servers" ]; then
        stop_servers
        ln -s "$(servers_folder)" "$SERVERS"
        servers=down
        ! { start_mongodb && start_s3; } || servers=up
    fi
    [ $servers = up ]
}

stop_servers() {
    local folder
    servers= servers_env=() mongodb=${COFFER_TEST_MONGODB_URI:-} s3=${COFFER_TEST_S3_URI:-}
    [ -L "$SERVERS" ] || return 0
    folder=$(readlink "$SERVERS")
    if [ -d "$folder" ]; then
        tests/servers/mongodb stop "$SERVERS/mongodb"
        tests/servers/s3 stop "$SERVERS/s3"
        rm -rf "$folder"
    fi
    rm -f "$SERVERS"
}

# The stores of an installation of the tests; %s becomes a name of its own.
mongodb_of_each() {
    local options=
    case $mongodb in *\?*) options="?${mongodb#*\?}" ;; esac
    say "$(sed 's|/*$||' <<<"${mongodb%%\?*}")/%s$options"
}
s3_of_each() { say "$s3/%s"; }
