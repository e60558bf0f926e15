# shellcheck shell=bash
# The MongoDB and the S3 that ./check tests against: what COFFER_TEST_MONGODB_URI and COFFER_TEST_S3_URI name, else own
# ones on loopback, started when the first tier needs them and ended by their pids with ./check. Sourced after common.sh.

SERVERS=$BUILD/servers # a link to the running ones' folder, so that the next run ends what a kill -9 left
servers=               # nothing yet, begun, up, or down
no_servers=            # why they are down
servers_gone_ms=0      # CPU time of those that were stopped
mongodb=${COFFER_TEST_MONGODB_URI:-} s3=${COFFER_TEST_S3_URI:-}
mongodb_env=() s3_env=() # NAME=VALUE: what tests have to be told to find them
s3_job=                # of the start of S3, which goes on beside other work

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
tries = (random.randrange(30000, 32700) for _ in range(1000))
print(next(p for p in tries if all(map(free, range(p, p + many)))))
END
}

secantusdb() { # NAME: starts one, prints its address
    SECANTUSD=$BUILD/servers-venv/bin/secantusd-py tests/servers/mongodb start "$SERVERS/$1" "$(free_ports 1)"
}

start_mongodb() {
    [ -z "$mongodb" ] || return 0
    no_servers="MongoDB (SecantusDB) could not be installed"
    need_venv "$BUILD/servers-venv" "$top/tests/requirements-servers.txt" || return 1
    no_servers="MongoDB (SecantusDB) does not start"
    mongodb=$(secantusdb mongodb) || return 1
    mongodb_env=("COFFER_TEST_MONGODB_URI=$mongodb" COFFER_TEST_MONGODB_GOES=yes "SECANTUSD=$BUILD/servers-venv/bin/secantusd-py")
}

# The contract suites, one program beside the other, keep one SecantusDB busy for longer than all the rest: there are two of it.
start_second_mongodb() {
    [ ${#mongodb_env[@]} -gt 0 ] || return 0
    mongodb_env+=("COFFER_TEST_MONGODB_SECOND=$(secantusdb mongodb-2)")
}

# begin_servers: S3 takes a quarter of a minute to start, in which others can work.
begin_servers() {
    [ -z "$servers" ] || return 0
    stop_servers
    ln -s "$(servers_folder)" "$SERVERS"
    servers=begun
    [ -z "$s3" ] && [ -z "$(missing_packages s3)" ] || return 0
    tests/servers/s3 start "$SERVERS/s3" "$(free_ports 3)" >"$SERVERS/s3.said" &
    s3_job=$!
}

start_s3() {
    local line
    [ -z "$s3" ] || return 0
    no_servers="S3 (Ceph's radosgw) is not installed"
    [ -z "$(missing_packages s3)" ] || return 1
    no_servers="S3 (Ceph's radosgw) does not start"
    wait "$s3_job" || { s3_job=; return 1; }
    s3_job=
    while read -r line; do
        s3_env+=("${line#export }")
        case $line in "export COFFER_TEST_S3_URI="*) s3=${line#*=} ;; esac
    done <"$SERVERS/s3.said"
}

# have_servers: both are there, now if not before; else no_servers says why not.
have_servers() {
    [ "$servers" != down ] || return 1
    begin_servers
    servers=down
    ! { start_mongodb && start_s3; } || servers=up
    [ $servers = up ]
}

# servers_cpu_ms: the CPU time of all that ran until now
servers_cpu_ms() {
    local pid
    for pid in $(cat "$SERVERS"/*/pid "$SERVERS"/*/*.pid 2>/dev/null); do
        cat "/proc/$pid/stat" 2>/dev/null
    done | awk -v tick="$(getconf CLK_TCK)" -v gone=$servers_gone_ms '
        { sub(/.*\) /, ""); sum += ($12 + $13) * 1000 / tick }
        END { printf "%d\n", gone + sum }'
}

# What tests leave in a MongoDB may stand in the way of others: those get a new one.
stop_mongodb() {
    local before_ms
    [ ${#mongodb_env[@]} -gt 0 ] || return 0
    before_ms=$(servers_cpu_ms)
    tests/servers/mongodb stop "$SERVERS/mongodb"
    tests/servers/mongodb stop "$SERVERS/mongodb-2"
    rm -rf "$SERVERS"/mongodb*
    servers_gone_ms=$((servers_gone_ms + before_ms - $(servers_cpu_ms)))
    mongodb= mongodb_env=()
}

stop_servers() {
    local folder
    [ -z "$s3_job" ] || wait "$s3_job" # whoever is stopped while it starts goes on starting behind one's back
    servers_gone_ms=$(servers_cpu_ms) s3_job=
    servers= mongodb=${COFFER_TEST_MONGODB_URI:-} s3=${COFFER_TEST_S3_URI:-} mongodb_env=() s3_env=()
    [ -L "$SERVERS" ] || return 0
    folder=$(readlink "$SERVERS")
    if [ -d "$folder" ]; then
        tests/servers/mongodb stop "$SERVERS/mongodb"
        tests/servers/mongodb stop "$SERVERS/mongodb-2"
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
