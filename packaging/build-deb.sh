#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds the Debian packages ub-dkms, libub1, libub-dev, ub-tools and ub-rdma.
#
# Guarantees: nothing is written but below BUILD/deb; the packages there are of
# this tree and of one version, which meson.build, the modules and the changelog
# agree on; older packages are removed first. Nothing is signed, no test is run.
# ub-rdma is left out, with a message, where the headers that it is built with cannot
# be had.
# The last lines printed are the packages' files.
#
# usage: packaging/build-deb.sh BUILD
set -eu

if [ $# -ne 1 ]; then
	echo "usage: packaging/build-deb.sh BUILD" >&2
	exit 1
fi
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1/deb"
out=$(cd "$1/deb" && pwd)
log=$out/log

die()
{
	echo "build-deb: $*" >&2
	exit 1
}

one_version()
{
	version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$top/meson.build")
	changelog=$(dpkg-parsechangelog -l "$top/packaging/debian/changelog" \
		-S Version)
	[ "${changelog%-*}" = "$version" ] ||
		die "meson.build says $version, the changelog $changelog."
	for file in "$top"/driver/*/main.c; do
		grep -q "MODULE_VERSION(\"$version\")" "$file" ||
			die "meson.build says $version, $file does not."
	done
}

# debian/ must stand at the top of what is built.
copy_sources()
{
	mkdir "$1"
	(cd "$top" && find . -mindepth 1 -maxdepth 1 \
		! -name '.*' ! -name 'build*' -exec cp -dR -t "$1" {} +)
	mv "$1/packaging/debian" "$1/debian"
}

command -v dh_dkms >/dev/null ||
	die "debhelper or dh-dkms is missing; packaging/setup.sh packages" \
	    "installs them."
one_version
profiles=nocheck
# The build itself uses no network and has no home.
export UB_CACHE="${UB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ub}"
if ! "$top/packaging/rdma-headers" | grep -q '^34 '; then
	echo "build-deb: ub-rdma is left out." >&2
	profiles="$profiles pkg.ub.nordma"
fi
rm -rf "${out:?}"/*
copy_sources "$out/source"
cd "$out/source"
if ! DEB_BUILD_OPTIONS="nocheck noautodbgsym ${DEB_BUILD_OPTIONS-}" \
	DEB_BUILD_PROFILES="$profiles" \
	dpkg-buildpackage -j2 --build=binary --no-sign >"$log" 2>&1; then
	tail -n 40 "$log" >&2
	die "failed; the whole log: $log"
fi
rm -rf "$out/source"
find "$out" -name '*.deb' | sort
