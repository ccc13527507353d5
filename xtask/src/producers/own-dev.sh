#!/bin/sh
# Runs a program with a /dev and a /run of its own, so that what it logs goes to the socket DIR/log.socket and
# nothing of the machine's is touched: own-dev.sh DIR PROGRAM ARGUMENTS...
set -e
directory=$1
shift
devices=$(mktemp -d "$directory/dev.XXXXXX")
mount -t tmpfs none "$devices"
for device in null zero full random urandom tty; do
    cp -a "/dev/$device" "$devices"
done
ln -s "$directory/log.socket" "$devices/log"
mount --bind "$devices" /dev
mount -t tmpfs none /run
mkdir /run/sshd
exec "$@"
