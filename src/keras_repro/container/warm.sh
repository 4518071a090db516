#!/bin/sh
# Runs while the image is built: fills the caches that every container starts with.
set -eu
home=/opt/keras-repro
cd "$home"
python -m compileall -q keras_repro
python -c 'from keras_repro.recorder.seeding import THEANO_FLAGS; print(THEANO_FLAGS)' > theano-flags
cat requirements.txt theano-flags keras_repro/workloads/regression.py | sha256sum \
  | cut -c 1-16 | sed "s/^/$KERAS_REPRO_BACKEND-/" > cache-key
mkdir warm
# Theano's own directory name carries the kernel release; this one is found on any host.
theano_flags=compiledir=$home/warm/theano,$(cat theano-flags)
export MPLCONFIGDIR="$home/warm/matplotlib" THEANO_FLAGS="$theano_flags"
if [ "$KERAS_REPRO_KERAS_BACKEND" = theano ]; then
  KERAS_REPRO_THEANO_HEADERS=$home/theano-headers
  export KERAS_REPRO_THEANO_HEADERS
  python -m keras_repro.recorder.theano_compiler "$KERAS_REPRO_THEANO_HEADERS"
fi
python -m keras_repro.recorder --out /tmp/warm/run \
  --backend "$KERAS_REPRO_BACKEND" --keras-backend "$KERAS_REPRO_KERAS_BACKEND"
rm -rf /tmp/warm
# What Theano compiles for the numeric class lies apart: no run but the first copies it.
mkdir warm-class
if [ "$KERAS_REPRO_KERAS_BACKEND" = theano ]; then
  THEANO_FLAGS=compiledir=$home/warm-class,$(cat theano-flags)
  export THEANO_FLAGS
  python -m keras_repro.recorder.numeric_class theano
fi
chmod -R a+rX warm warm-class # each run copies them, whoever its recorder is
