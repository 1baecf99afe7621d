#!/bin/bash
# Unpacks Debian's syslog-ng into a folder, for as a package it excludes rsyslog, and both are to be measured:
# unpack-syslog-ng.sh FOLDER; then PATH=FOLDER/bin:$PATH
set -euo pipefail
[[ $# == 1 ]] || { sed -n 2,3p "$0" >&2; exit 64; }

mkdir -p "$1/bin" "$1/packages"
folder=$(realpath "$1")
packages=$(apt-get install --simulate --no-install-recommends syslog-ng-core syslog-ng-mod-http rsyslog- |
  awk '/^Inst/ { print $2 }')
(cd "$folder/packages" && apt-get download -qq $packages)
for package in "$folder"/packages/*.deb; do dpkg --extract "$package" "$folder"; done
rm -r "$folder/packages"

modules=$(echo "$folder"/usr/lib/syslog-ng/[0-9]*)
cat > "$folder/bin/syslog-ng" <<END
#!/bin/sh
export LD_LIBRARY_PATH='$folder/usr/lib/syslog-ng:$(echo "$folder"/{usr/,}lib/*-linux-gnu | tr ' ' ':')'
exec '$folder/usr/sbin/syslog-ng' --module-path='$modules' "\$@"
END
chmod 755 "$folder/bin/syslog-ng"
