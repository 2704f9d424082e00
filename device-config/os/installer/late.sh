#!/bin/sh
# In the installer, at the end: packages, tickets and settings go to the new system.
set -eu
target=/target/var/cache/hymio-installer
mkdir -p "$target"
chmod 700 "$target"
for from in /hymio-installer /cdrom/hymio-installer; do
  [ ! -d "$from" ] || cp -R "$from/." "$target/"
done
for from in /hymio /cdrom/hymio; do
  [ ! -d "$from" ] || cp -R "$from" "$target/"
done
in-target sh /var/cache/hymio-installer/install.sh
rm -rf "$target"
