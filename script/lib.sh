# Shared by the scripts of this folder: sourced, not run.

say() { printf '== %s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# Runs a command as root: as it is for root, else through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "this needs root: run it as root or install sudo ($*)"
    fi
}

# Postgres and PgBouncer refuse to run as root, so root becomes the user that Postgres' package made.
as_owner() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp "$@"
    else "$@"
    fi
}

# A port of 127.0.0.1 where nobody listens. Somebody else may take it before it is used: try another then.
free_port() {
    local port
    while port=$((20000 + RANDOM % 20000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# The project's root, whatever the caller's folder.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Configures and builds a preset; says how long it took, shows only what went wrong.
build_preset() {
    local preset=$1 started=$SECONDS log="build/$1.log"
    shift
    if uses_clang "$preset"; then ISOROW_CLANG_FLAGS=$(clang_flags); export ISOROW_CLANG_FLAGS; fi
    mkdir -p build
    say "building ($preset)"
    { cmake --preset "$preset" && cmake --build --preset "$preset" "$@"; } >"$log" 2>&1 || { tail -n 60 "$log" >&2; die "the build failed: $log"; }
    say "built in $((SECONDS - started)) s"
}

# clang takes the newest libstdc++ that it finds, whole or not: it is told the one of the machine's g++.
clang_flags() { echo "--gcc-install-dir=$(dirname "$(g++ -print-libgcc-file-name)")"; }

# The sanitizers' presets use clang as well: g++ 12's -fsanitize=undefined refuses constant expressions that are right.
uses_clang() { case $1 in clang | asan | tsan) true ;; *) false ;; esac; }
