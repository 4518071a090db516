#!/bin/sh
# Installs the Debian packages that a script needs besides: system.sh LIST, with a line for each,
# NAME or NAME=VERSION. What the image has stays: no package of it is removed.
set -eu
list=$1
# A mirror that does not answer is an error of its own, and not a package that is unknown.
apt-get update -o APT::Update::Error-Mode=any
apt-cache pkgnames > /tmp/names
set --
while IFS= read -r asked; do
  # Just this name: apt-get takes what is none for a pattern, and a "-" at its end for a removal.
  if ! grep -qxF -e "${asked%%=*}" /tmp/names; then
    echo "E: there is no package ${asked%%=*} in Debian $(cat /etc/debian_version)" >&2
    exit 100
  fi
  set -- "$@" "$asked"
done < "$list"
rm /tmp/names
DEBIAN_FRONTEND=noninteractive sh "$(dirname "$0")/debian.sh" --no-remove -- "$@"
