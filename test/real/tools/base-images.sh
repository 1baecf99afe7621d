#!/bin/bash
# The Dockerfile's base images, made from Debian's packages and npm's Node.js, for machines that reach package
# registries but no image registry. They stand under the names that the Dockerfile uses, in an image store of
# their own, so that no `docker.io` name anywhere else means anything but the original:
#
#   docker.io/library/node:24-bookworm-slim   Debian's minbase, Node.js, npm
#   gcr.io/distroless/cc-debian12             the C and C++ libraries, zones and certificates alone; no shell
set -euo pipefail

repository=$(cd "$(dirname "$0")/../../.." && pwd)
node=$repository/node_modules/node/bin/node
target=$REAL_CACHE/images-$("$node" --version)
[[ -e $target/made ]] && exit 0
if (( EUID != 0 )) || ! command -v podman mmdebstrap >/dev/null; then
  echo 'The base images are not made: that needs root, podman and mmdebstrap; the image suite will fail' >&2
  exit 0
fi

echo 'Making the base images of the Dockerfile (about half a minute)'
store=(podman --runtime runc --root "$target/store" --runroot /run/policy-log-agent-test --storage-driver overlay)
[[ ! -e $target ]] || { "${store[@]}" system reset --force >/dev/null 2>&1 || true; rm -rf "$target"; }
mkdir -p "$target"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mmdebstrap --quiet --variant=minbase --include=ca-certificates,netbase bookworm "$root"
# A machine behind a proxy of its own trusts more than Debian does, and npm in the build has to trust it too.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

libraries=(base-files netbase tzdata libc6 libgcc-s1 libgomp1 libstdc++6)
for package in "${libraries[@]}"; do
  chroot "$root" dpkg --listfiles "$package" 2>/dev/null || true
done | sed -E -n 's#^/(.)#\1#; s#^(lib|lib64|bin|sbin)/#usr/\1/#; /^[^/]/p' | grep -v -e '^usr/share/doc' -e '^usr/share/lintian' | sort -u > "$root/files"
echo etc/ssl/certs/ca-certificates.crt >> "$root/files"
tar --create --no-recursion --directory "$root" --files-from "$root/files" --ignore-failed-read 2>/dev/null \
  | "${store[@]}" import --quiet - gcr.io/distroless/cc-debian12 >/dev/null
rm "$root/files"

install -D "$node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
cp -a "$(npm root --global --loglevel=error)/npm" "$root/usr/local/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
tar --create --directory "$root" . \
  | "${store[@]}" import --quiet --change 'CMD ["node"]' \
      --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
      --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
      - docker.io/library/node:24-bookworm-slim >/dev/null
touch "$target/made"
