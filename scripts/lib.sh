# What the scripts share: packages, a user to test as, and running things as that user.
# Sourced by bash; defines functions and `root`, the repository, and does nothing else.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# User that unprivileged parts run as when a script was started by root.
user=${NSCI_TEST_USER:-nsci-test}

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

is_root() {
    [ "$(id -u)" = 0 ]
}

# need PACKAGE…: installs the Debian packages that are missing, or says which they are.
need() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    is_root || die "missing Debian packages: ${missing[*]}; install them, or run this as root"
    command -v apt-get >/dev/null || die "missing: ${missing[*]}; they can be installed on Debian only"
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local install=(apt-get install -y -qq --no-install-recommends "${missing[@]}")
    "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; } ||
        die "apt-get cannot install ${missing[*]}"
}

# need_rust [COMPONENT…]: finds cargo and adds what the toolchain lacks.
need_rust() {
    command -v cargo >/dev/null || PATH=$HOME/.cargo/bin:$PATH
    command -v cargo >/dev/null || die "cargo is missing; install Rust 1.90 or later from https://rustup.rs"
    local component
    for component in "$@"; do
        cargo "${component#rust}" --version >/dev/null 2>&1 && continue
        rustup component add "$component" || die "the Rust toolchain lacks $component"
    done
}

# first_free_id: the first id above every range that is taken by somebody.
first_free_id() {
    cat /etc/subuid /etc/subgid 2>/dev/null |
        awk -F: 'BEGIN { end = 100000 } $2 + $3 > end { end = $2 + $3 } END { print end }'
}

# need_user: as root, makes the unprivileged user with subordinate ids.
need_user() {
    is_root || return 0
    id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
    local kind first
    for kind in uid gid; do
        grep -q "^$user:" "/etc/sub$kind" 2>/dev/null && continue
        first=$(first_free_id)
        usermod "--add-sub${kind}s" "$first-$((first + 65535))" "$user"
    done
}

# as_user COMMAND…: runs it as the unprivileged user, in that user's home and with a clean
# environment. As somebody other than root: just runs it.
as_user() {
    is_root || { "$@"; return; }
    local home name kept=()
    home=$(getent passwd "$user" | cut -d: -f6)
    for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE PIP_CERT \
        NODE_EXTRA_CA_CERTS CARGO_HTTP_CAINFO CI NSCI_REGISTRY_MIRRORS; do
        [ -n "${!name:-}" ] && kept+=("$name=${!name}")
    done
    runuser -u "$user" -- env -i -C "$home" HOME="$home" USER="$user" LANG=C.UTF-8 \
        PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "${kept[@]}" "$@"
}
