#!/bin/sh
# Gives up root, then trains (a script, or the regression) or runs any other command.
set -eu
home=/opt/keras-repro
nobody=65534:65534

# The caches made with the image, copied once into the volume, where new compilations join them.
cache=/cache/$(cat "$home/cache-key")
if [ ! -d "$cache" ]; then
  new=$(mktemp -d /cache/.new.XXXXXX)
  cp -r "$home/warm/." "$new"
  chmod -R a+rwX "$new"
  mv -T "$new" "$cache" 2>/dev/null || rm -rf "$new" # another container was first
fi
export MPLCONFIGDIR="$cache/matplotlib"
theano_flags=compiledir=$cache/theano,$(cat "$home/theano-flags")
export THEANO_FLAGS="$theano_flags${THEANO_FLAGS:+,$THEANO_FLAGS}"

# Run a command as UID:GID, for good.
as() {
  who=$1
  shift
  exec setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups -- "$@"
}

train=no
case ${1:-} in '' | -* | *.py) train=yes ;; esac
if [ "$train" = yes ]; then
  set -- --artifacts /artifacts --backend "$KERAS_REPRO_BACKEND" \
    --keras-backend "$KERAS_REPRO_KERAS_BACKEND" --seed "${SEED:-1337}" "$@"
fi

# What a run writes belongs to the owner of the artifacts folder.
owner=$(stat -c %u:%g /artifacts)
if [ "${owner%%:*}" != 0 ]; then
  [ "$train" = no ] || as "$owner" python -m keras_repro.recorder "$@"
  as "$owner" "$@"
fi

# Where that is root, the recorder stays root to write it, and the script itself runs as nobody,
# who sees a copy of the working folder where root alone can read it.
if ! (as "$nobody" test -r . -a -x .) && [ "$PWD" != / ]; then
  mkdir -p /tmp/work
  if [ "$(du -sm . | cut -f 1)" -gt 512 ]; then
    echo "keras-repro: only root can read the working folder; chmod o+rX it" >&2
    exit 2
  fi
  cp -a . /tmp/work
  chmod -R a+rX /tmp/work
  chown -R "$nobody" /tmp/work
  cd /tmp/work
fi
[ "$train" = no ] || exec python -m keras_repro.recorder --run-as "$nobody" "$@"
as "$nobody" "$@"
