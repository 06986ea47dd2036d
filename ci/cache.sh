#!/bin/sh
# Packs nsci's store into one file that a CI system can keep, and unpacks it: cache.sh save|restore FILE.
#
# Files in the store belong to subordinate ids, so tar runs where these are ids like any other.
set -eu
store=${NSCI_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/nsci}
file=$2
with_ids() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        unshare --user --map-root-user --map-auto -- "$@"
    fi
}
case $1 in
save)
    [ -d "$store" ] || exit 0
    nsci cache prune --keep="${NSCI_CACHE_SIZE:-5GB}" >/dev/null
    with_ids tar --numeric-owner --xattrs --xattrs-include='*' -C "$store" -cf "$file.new" .
    mv "$file.new" "$file"
    ;;
restore)
    [ -f "$file" ] || exit 0
    mkdir -p "$store"
    with_ids tar --numeric-owner --xattrs --xattrs-include='*' -C "$store" -xpf "$file"
    ;;
*)
    echo "usage: cache.sh save|restore FILE" >&2
    exit 2
    ;;
esac
