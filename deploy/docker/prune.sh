#!/bin/sh
# Removes from a node_modules folder what onnxruntime-node ships for other platforms than this one.
# Usage: prune.sh NODE_MODULES
set -eu
binaries="$1/onnxruntime-node/bin/napi-v6"
keep="$(node -p 'process.platform + "/" + process.arch')"
test -f "$binaries/$keep/onnxruntime_binding.node"
find "$binaries" -mindepth 2 -maxdepth 2 -type d ! -path "$binaries/$keep" -exec rm -r {} +
find "$binaries" -mindepth 1 -maxdepth 1 -type d -empty -delete
