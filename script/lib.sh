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

# The project's root, whatever the caller's folder.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
