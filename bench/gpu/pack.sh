#!/bin/sh
# Packs what bench:gpu needs on a linux/amd64 machine without Node and network, in pieces of at most 60 MiB:
# Node, the sources as they lie here, the production packages and, from a folder that deploy/docker/cuda-provider.sh
# filled, the CUDA provider. The CUDA libraries are not packed: see bench/gpu/README.md.
# Usage: pack.sh OUT [CUDA_FOLDER]      (from anywhere; OUT is made anew)
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
out="$1"
cuda="${2:-}"
rm -rf "$out"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT
PATH="$root/node_modules/node/bin:$PATH"

mkdir "$stage/bin"
cp "$root/node_modules/node/bin/node" "$stage/bin/"
cd "$root"
git ls-files -z bench src test/support test/fixtures/parity/tiny-clip package.json |
  tar -c --null -T - | tar -x -C "$stage"
npm ls --omit=dev --all --parseable | sed -n "s|^$root/\(node_modules/.*\)|\1|p" | sort -u |
  tar -c -T - | tar -x -C "$stage"
deploy/docker/prune.sh "$stage/node_modules"
if [ -n "$cuda" ]; then
  cp "$cuda"/provider/* "$cuda"/tensorrt/* "$stage/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/"
fi

tar -c -C "$stage" . | xz -3 -T0 | split -b 60M - "$out/bench-gpu.tar.xz."
cp "$here/unpack-and-run.sh" "$out/"
cd "$out"
sha256sum bench-gpu.tar.xz.* > SHA256SUMS
ls -l "$out"
