# Sourced by the script of each tool: the versions, and how a tool comes into the cache whole or not at all.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/../versions.env"

# begin FOLDER FILE PROGRAM SUITES TIME: ends the script where FILE is in FOLDER of the cache already, or where the
# PROGRAM that makes it is missing. Otherwise stands in an empty folder $aside, which goes when the script ends, and
# with it the caches of Go: gigabytes that nothing else would use.
begin() {
  target=$REAL_CACHE/$1
  [[ ! -e $target/$2 ]] || exit 0
  command -v "$3" >/dev/null || { echo "$1 is not made, for $3 is not installed; $4 will fail" >&2; exit 0; }
  echo "Making $1 (about $5)"
  aside=$target.$$
  trap 'rm -rf "$aside"' EXIT
  mkdir -p "$aside"
  cd "$aside"
  export GOCACHE=$aside/cache GOMODCACHE=$aside/modules GOFLAGS='-buildvcs=false -modcacherw' CGO_ENABLED=0
}

# place FILE...: puts what was made into the cache.
place() {
  mkdir -p "$target"
  mv "$@" "$target/"
}
