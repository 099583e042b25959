#!/bin/sh
# Downloads the CUDA execution provider and its libraries, pinned by hash, and lays them out:
#   OUT/provider  goes over onnxruntime-node's own binaries      OUT/lib  goes on LD_LIBRARY_PATH
#   OUT/tensorrt  goes there too where TensorRT 10 is installed, which is not downloaded here
# Usage: cuda-provider.sh REQUIREMENTS OUT     (needs Python 3 with pip)
set -eu
requirements="$1"
out="$2"
wheels="$(mktemp -d)"
files="$(mktemp -d)"
trap 'rm -rf "$wheels" "$files"' EXIT

python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes \
  --only-binary=:all: --python-version 3.13 --platform manylinux_2_28_x86_64 \
  --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --platform manylinux2010_x86_64 \
  --dest "$wheels" --requirement "$requirements"
for wheel in "$wheels"/*.whl; do
  python3 -m zipfile -e "$wheel" "$files"
  rm "$wheel"
done

mkdir -p "$out/provider" "$out/tensorrt" "$out/lib"
capi="$files/onnxruntime/capi"
mv "$capi"/libonnxruntime.so.1.* "$out/provider/libonnxruntime.so.1"
mv "$capi/libonnxruntime_providers_shared.so" "$capi/libonnxruntime_providers_cuda.so" "$out/provider/"
mv "$capi/libonnxruntime_providers_tensorrt.so" "$out/tensorrt/"
# Copies of other libraries (the .alt of NVRTC, the BLAS drop-in) that nothing here opens.
find "$files/nvidia" -name '*.so.*' ! -name '*.alt.so*' ! -name 'libnvblas*' -exec mv {} "$out/lib/" \;
# Some are opened by the name without a version.
for library in cudnn nvrtc cudart; do
  ln -s "$(basename "$out"/lib/lib$library.so.*)" "$out/lib/lib$library.so"
done
sed -n 's/^onnxruntime-gpu==\([0-9.]*\).*/\1/p' "$requirements" > "$out/VERSION"
