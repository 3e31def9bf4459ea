#!/usr/bin/env bash
# Run by mmdebstrap as a hook: downloads Debian's kernel for virtual machines and a static busybox from the sources of the root file
# system, and unpacks them beside it. Installed, the kernel would bring the tools that make an initrd, and make one.
#   fetch-kernel.sh DIRECTORY ARCHITECTURE
set -euo pipefail
export APT_CONFIG=${MMDEBSTRAP_APT_CONFIG:-${APT_CONFIG-}}
readonly directory=$1 architecture=$2

mkdir -p "$directory"
cd "$directory"
# The package without a version in its name depends on the newest one with a version.
kernel=$(apt-cache show --no-all-versions "linux-image-cloud-$architecture" | sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p')
[ -n "$kernel" ] || { echo "E: these sources have no linux-image-cloud-$architecture" >&2; exit 1; }
apt-get --quiet --option APT::Sandbox::User=root download "$kernel" busybox-static
for package in ./*.deb; do dpkg-deb --extract "$package" .; done
rm ./*.deb
