#!/bin/sh
# In the new system: install the terminal, and leave its tickets where the first start finds them.
set -eu
here=/var/cache/hymio-installer
tickets=/var/lib/hymio-installer
admin=@ADMIN@
arch=$(dpkg --print-architecture)
release=$(. /etc/os-release && echo "$VERSION_ID")

set --
for package in "$here"/packages/*.deb; do
  case "${package##*/}" in
    hymio-device_*+deb"${release}_$arch".deb) set -- "$@" "$package" ;;
    hymio-*) ;;
    *_"$arch".deb | *_all.deb) set -- "$@" "$package" ;;
  esac
done
export DEBIAN_FRONTEND=noninteractive
# What the stick does not have comes from the network, where there is one.
apt-get update || true
apt-get install -y --no-install-recommends "$@"

if [ -d "$here/hymio" ]; then
  mkdir -p "$tickets"
  chmod 700 "$tickets"
  cp -R "$here/hymio" "$tickets/"
fi

if [ -s "$here/admin.pub" ]; then
  home=$(getent passwd "$admin" | cut -d: -f6)
  mkdir -p "$home/.ssh"
  cp "$here/admin.pub" "$home/.ssh/authorized_keys"
  chmod 700 "$home/.ssh"
  chmod 600 "$home/.ssh/authorized_keys"
  chown -R "$admin:" "$home/.ssh"
  # There is no password to ask for.
  echo "$admin ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/hymio-admin
  chmod 440 /etc/sudoers.d/hymio-admin
  mkdir -p /etc/ssh/sshd_config.d
  echo "PasswordAuthentication no" >/etc/ssh/sshd_config.d/hymio.conf
fi

# The start menu of the disk waits for nobody.
mkdir -p /etc/default/grub.d
echo "GRUB_TIMEOUT=1" >/etc/default/grub.d/hymio.cfg
update-grub
