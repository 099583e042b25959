#!/bin/sh
# Fails unless the CUDA provider beside onnxruntime-node is of its version and everything the provider and
# the libraries need can be found, but for libcuda.so.1, which the driver brings at run time.
# Usage: verify-cuda.sh NODE_MODULES VERSION_FILE CUDA_LIB
set -eu
package="$1/onnxruntime-node"
binaries="$package/bin/napi-v6/linux/x64"

installed="$(node -p "JSON.parse(require('node:fs').readFileSync('$package/package.json')).version")"
provided="$(cat "$2")"
if [ "$installed" != "$provided" ]; then
  echo "onnxruntime-node is $installed and the CUDA provider $provided: change cuda-requirements.txt" >&2
  exit 1
fi
for file in "$binaries/libonnxruntime_providers_cuda.so" "$binaries/libonnxruntime_providers_shared.so" \
  "$3/libcudnn.so.9"; do
  if [ ! -f "$file" ]; then
    echo "$file is missing" >&2
    exit 1
  fi
done
missing="$(for file in "$binaries"/lib*.so* "$3"/lib*.so.*; do
  ldd "$file" | sed -n "s|^\s*\(.*\) => not found|$file needs \1|p"
done | grep -v ' needs libcuda\.so\.1$' || true)"
if [ -n "$missing" ]; then
  echo "$missing" >&2
  exit 1
fi
echo "The CUDA provider $provided is complete but for the driver's libcuda.so.1."
