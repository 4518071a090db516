#!/bin/sh
# Gives up root, then trains (a script, or the regression) or runs any other command.
#
# Two users work in a container. The recorder is the owner of the artifacts folder: it publishes the
# run. The script, or any other command, is nobody: /private, where the artifacts and the kept cache
# are mounted, is closed to it.
set -eu
home=/opt/keras-repro
recorders=61337 # the group that may enter /private
nobody=65534:65534

# Run a command as UID:GID, for good.
as() {
  who=$1
  shift
  exec setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups -- "$@"
}

owner=$(stat -L -c %u:%g /artifacts)
[ "${owner%%:*}" != 65534 ] || nobody=65533:65533 # still another one

# What compiles, or keeps what it found out, has a copy of the image's caches. Theano's path is a
# part of no key.
cache=/tmp/cache
export MPLCONFIGDIR="$cache/matplotlib"
# Part of Theano's keys. A seed that is none is the recorder's to complain of.
hash_seed=${SEED:-1337}
case $hash_seed in *[!0-9]* | ???????????*) hash_seed=0 ;; esac
[ "$hash_seed" -le 4294967295 ] || hash_seed=0
export PYTHONHASHSEED="${PYTHONHASHSEED:-$hash_seed}"
theano_flags=compiledir=$cache/theano,$(cat "$home/theano-flags")
export THEANO_FLAGS="$theano_flags${THEANO_FLAGS:+,$THEANO_FLAGS}"
export KERAS_REPRO_THEANO_HEADERS="$home/theano-headers"

# As -m, but without the working folder on sys.path, where anything may shadow a module.
launch='import sys; del sys.path[0]; from keras_repro.recorder.__main__ import main; sys.exit(main())'

case ${1:-} in
'' | -* | *.py)
  # The recorder fills the cache, also with what the same script compiled before, which it keeps.
  export KERAS_REPRO_RUN_CACHE="$cache" KERAS_REPRO_IMAGE_CACHE="$home/warm"
  KERAS_REPRO_KEPT_CACHE=/cache/$(cat "$home/cache-key")-${owner%:*}
  export KERAS_REPRO_KEPT_CACHE
  set -- python -c "$launch" --run-as "$nobody" --artifacts /artifacts \
    --backend "$KERAS_REPRO_BACKEND" --keras-backend "$KERAS_REPRO_KERAS_BACKEND" \
    --seed "${SEED:-1337}" "$@"
  [ "${owner%%:*}" != 0 ] || exec "$@"
  # Not root, but able to start the script as another user, to end it, and to own what it wrote.
  able=+chown,+kill,+setgid,+setuid
  exec setpriv --reuid "${owner%:*}" --regid "${owner#*:}" --groups "$recorders" \
    --inh-caps "$able" --ambient-caps "$able" -- "$@"
  ;;
esac

cp -r "$home/warm" "$cache"
chown -R "$nobody" "$cache"

# Nobody sees a copy of the working folder where root alone can read it.
if ! (as "$nobody" test -r . -a -x .) && [ "$PWD" != / ]; then
  mkdir -p /tmp/work
  others="--exclude=./artifacts --exclude=./.git --exclude=./.venv"
  # shellcheck disable=SC2086
  if [ "$(du -sm $others . | cut -f 1)" -gt 512 ]; then
    echo "keras-repro: only root can read the working folder, and it is large; chmod o+rX it" >&2
    exit 2
  fi
  # shellcheck disable=SC2086
  tar -c $others . | tar -x -C /tmp/work
  chmod -R a+rX /tmp/work
  chown -R "$nobody" /tmp/work
  cd /tmp/work
fi
as "$nobody" "$@"
