#!/bin/sh
# Gives up root, then trains (a script, or the regression) or runs any other command.
set -eu
home=/opt/keras-repro
nobody=65534:65534

# Run a command as UID:GID, for good.
as() {
  who=$1
  shift
  exec setpriv --reuid "${who%:*}" --regid "${who#*:}" --clear-groups -- "$@"
}

# What a run writes belongs to the owner of the artifacts folder. Where that is root, the recorder
# stays root to write it, and the script itself runs as nobody.
owner=$(stat -c %u:%g /artifacts)
user=$owner
[ "${owner%%:*}" != 0 ] || user=$nobody

# The caches made with the image, copied once for this user into the volume, where new compilations
# join them.
cache=/cache/$(cat "$home/cache-key")-${user%:*}
if [ ! -d "$cache" ]; then
  new=$(mktemp -d /cache/.new.XXXXXX)
  cp -r "$home/warm/." "$new"
  chown -R "$user" "$new"
  mv -T "$new" "$cache" 2>/dev/null || (as "$user" rm -rf "$new") # another was first
fi
export MPLCONFIGDIR="$cache/matplotlib"
# Part of Theano's keys. A seed that is none is the recorder's to complain of.
hash_seed=${SEED:-1337}
case $hash_seed in *[!0-9]* | ???????????*) hash_seed=0 ;; esac
[ "$hash_seed" -le 4294967295 ] || hash_seed=0
export PYTHONHASHSEED="${PYTHONHASHSEED:-$hash_seed}"
theano_flags=compiledir=$cache/theano,$(cat "$home/theano-flags")
export THEANO_FLAGS="$theano_flags${THEANO_FLAGS:+,$THEANO_FLAGS}"

# As -m, but without the working folder on sys.path, where anything may shadow a module.
launch='import sys; del sys.path[0]; from keras_repro.recorder.__main__ import main; sys.exit(main())'

train=no
case ${1:-} in '' | -* | *.py) train=yes ;; esac
if [ "$train" = yes ]; then
  set -- --artifacts /artifacts --backend "$KERAS_REPRO_BACKEND" \
    --keras-backend "$KERAS_REPRO_KERAS_BACKEND" --seed "${SEED:-1337}" "$@"
fi

if [ "$user" = "$owner" ]; then
  [ "$train" = no ] || as "$user" python -c "$launch" "$@"
  as "$user" "$@"
fi

[ "$train" = no ] || exec python -c "$launch" --run-as "$user" "$@"

# Any other command of nobody's sees a copy of the working folder where root alone can read it.
if ! (as "$user" test -r . -a -x .) && [ "$PWD" != / ]; then
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
  chown -R "$user" /tmp/work
  cd /tmp/work
fi
as "$user" "$@"
