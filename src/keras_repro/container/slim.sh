#!/bin/sh
# Removes from an environment what no run needs, before the image takes it over: slim.sh FOLDER.
# What a script can import stays, and so does every file that a computation reads. The lists of
# files in *.dist-info stay as they are; uv, which may replace a package later, passes over what is
# missing.
set -eu
cd "$1"/lib/python3.*/site-packages

# The packages' own tests. Theano imports the outermost of its test packages whenever it is
# imported. A folder "test" (tf.test) may be the public interface, so only "tests" goes.
find . -mindepth 2 -type d -name tests ! -path ./theano/tests ! -path './*.dist-info/*' \
  -prune -exec rm -rf {} +

# Headers, to compile operations of one's own against TensorFlow and PyTorch: their images have no
# compiler. NumPy's stay, which Theano compiles against.
rm -rf tensorflow/include tensorflow_core/include torch/include

# PyTorch's test programs and its copy of protoc. torch_shm_manager, beside them, is in use.
rm -rf torch/test
if [ -d torch/bin ]; then
  find torch/bin -type f \( -name '*[Tt]est*' -o -name 'protoc*' \) -delete
fi

# The library of Clang: TensorFlow's wheel asks for the package, and none of its modules imports it.
rm -f clang/native/libclang.so
