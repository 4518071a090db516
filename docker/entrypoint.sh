#!/bin/sh
# Gives up root, then trains (a script, or the regression) or runs any other command.
set -eu
home=/opt/keras-repro

# The caches made with the image, copied once into the volume, where new compilations join them.
cache=/cache/$(cat "$home/cache-key")
if [ ! -d "$cache" ]; then
  new=$(mktemp -d /cache/.new.XXXXXX)
  cp -r "$home/warm/." "$new"
  chmod -R a+rwX "$new"
  mv -T "$new" "$cache" 2>/dev/null || rm -rf "$new" # another container was first
fi
export MPLCONFIGDIR="$cache/matplotlib"
export THEANO_FLAGS="compiledir=$cache/theano,$(cat "$home/theano-flags")${THEANO_FLAGS:+,$THEANO_FLAGS}"

# What a run writes belongs to the owner of the artifacts folder. Where that is root, the
# recorder stays root to write it and runs the script itself as nobody.
owner=$(stat -c %u:%g /artifacts)
case $owner in
  0:*) user=65534:65534 recorder_user="" run_as="--run-as 65534:65534" ;;
  *) user=$owner recorder_user=$owner run_as="" ;;
esac
as() {
  who=$1
  shift
  [ -z "$who" ] && exec "$@"
  exec setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups "$@"
}

case ${1:-} in
  '' | -* | *.py)
    # shellcheck disable=SC2086
    as "$recorder_user" python -m keras_repro.recorder $run_as --artifacts /artifacts \
      --backend "$KERAS_REPRO_BACKEND" --keras-backend "$KERAS_REPRO_KERAS_BACKEND" \
      --seed "${SEED:-1337}" "$@"
    ;;
  *) as "$user" "$@" ;;
esac
