#!/bin/sh
# Puts together what pack.sh packed and runs bench:gpu. The second run in the same folder unpacks nothing.
# Usage: unpack-and-run.sh FOLDER [OPTIONS OF bench:gpu]      (the pieces lie beside this script)
# Needs tar, xz and sha256sum and, for --provider cuda or tensorrt, a driver and NVIDIA's libraries, as Python wheels
# (python3 finds them) or on LD_LIBRARY_PATH.
set -eu
pieces="$(cd "$(dirname "$0")" && pwd)"
folder="$1"
shift
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"

if [ ! -f "$folder/UNPACKED" ] || ! cmp -s "$folder/UNPACKED" "$pieces/SHA256SUMS"; then
  (cd "$pieces" && sha256sum --quiet --check SHA256SUMS)
  cat "$pieces"/bench-gpu.tar.xz.* | tar -x -J -C "$folder"
  cp "$pieces/SHA256SUMS" "$folder/UNPACKED"
fi

wheels="$(python3 -c '
import glob, site, sys
for packages in site.getsitepackages() + [site.getusersitepackages()]:
    for folder in glob.glob(packages + "/nvidia/*/lib") + glob.glob(packages + "/tensorrt_libs"):
        print(folder, end=":")
' 2> /dev/null || true)"
export LD_LIBRARY_PATH="$wheels${LD_LIBRARY_PATH:-}"
cd "$folder"
exec bin/node bench/gpu/run.ts "$@"
