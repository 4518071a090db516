#!/bin/sh
# Installs the named Debian packages, with their dependencies, without what no run needs. What dpkg
# leaves out is never written, so no layer carries it. What the base image has is not touched.
set -eu
[ $# -gt 0 ] || exit 0

# Left out: documentation and translations; the sanitizers' libraries, link-time optimisation and
# profiling, none of which Theano asks g++ for; and static libraries, since what g++ makes here is a
# shared object. The compiler for C stays: Theano asks it (g++ -march=native -E -) what the
# processor has, and an extra package may be written in C.
exclude='
  /usr/share/doc/* /usr/share/info/* /usr/share/lintian/* /usr/share/locale/* /usr/share/man/*
  /usr/lib/*/libasan.so* /usr/lib/*/liblsan.so* /usr/lib/*/libtsan.so* /usr/lib/*/libubsan.so*
  /usr/lib/gcc/*/lto1 /usr/bin/*lto-dump* /usr/lib/*/libgprofng.so* /usr/bin/*gprofng*
  /usr/lib/*.a'
# Licences stay, and the static parts that every linked program takes in or that stand for a
# library which is a part of the C library by now.
include='
  /usr/share/doc/*/copyright
  /usr/lib/*/libgcc.a /usr/lib/*/libgcc_eh.a /usr/lib/*/libc_nonshared.a
  /usr/lib/*/libanl.a /usr/lib/*/libdl.a /usr/lib/*/libpthread.a /usr/lib/*/librt.a
  /usr/lib/*/libutil.a'

options=
set -f # the patterns are dpkg's, not the shell's
for pattern in $exclude; do options="$options -o Dpkg::Options::=--path-exclude=$pattern"; done
for pattern in $include; do options="$options -o Dpkg::Options::=--path-include=$pattern"; done

apt-get update
# shellcheck disable=SC2086
apt-get install -y --no-install-recommends $options "$@"
set +f
apt-get clean
rm -rf /var/lib/apt/lists/*
