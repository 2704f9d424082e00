#!/bin/sh
# In the installer, before partitioning: which disk, and may it be erased without a question?
# Only when the stick was made with --erase-disk, there is exactly one disk that is not on USB,
# and no terminal's answers are on it. Otherwise the installer asks.
set -u
erase=@ERASE@

disks=
for disk in $(list-devices disk); do
  case "$(readlink -f "/sys/block/${disk#/dev/}")" in
    */usb*) ;;
    *) disks="$disks $disk" ;;
  esac
done
# shellcheck disable=SC2086 # a list of words
set -- $disks
if [ $# -ne 1 ]; then
  logger -t hymio "disks that could be installed on: $# ($disks): asking"
  exit 0
fi
disk=$1

mkdir -p /tmp/hymio-look
for part in $(list-devices partition); do
  case "$part" in "$disk"*) ;; *) continue ;; esac
  mount -o ro "$part" /tmp/hymio-look 2>/dev/null || continue
  if [ -d /tmp/hymio-look/var/lib/hymio/outbox ]; then
    logger -t hymio "$part holds a terminal's answers: asking"
    erase=false
  fi
  umount /tmp/hymio-look
done

[ "$erase" = true ] || exit 0
debconf-set partman-auto/disk "$disk"
debconf-set partman-partitioning/confirm_write_new_label true
debconf-set partman/choose_partition finish
debconf-set partman/confirm true
debconf-set partman/confirm_nooverwrite true
