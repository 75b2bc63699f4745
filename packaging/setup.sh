#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs from Debian packages what a target of the build needs.
#
# Guarantees: nothing is touched, and no network is used, when all is there;
# what is going to be installed is printed first; a second run does nothing.
# It never adds package sources and never upgrades what is installed.
#
# usage: packaging/setup.sh [-n] SET...     (-n: only say what is missing)
set -eu

usage()
{
	cat <<-'END'
	usage: packaging/setup.sh [-n] SET...
	  user          build the library, the tools and the unit tests
	  driver        build the kernel modules
	  vm            boot test kernels
	  packages      build the Debian packages, and test them
	  bench         run the benchmark beside Open MPI
	  bench-verbs   run perftest in a guest, beside soft-RoCE
	  check         everything that `make check` needs
	  debug-kernel  build the debug kernel
	  -n            only say what is missing (status 1 when something is)
	END
}

packages_of()
{
	case $1 in
	user)
		echo "gcc libc6-dev make meson ninja-build pkg-config" \
		     "libcmocka-dev libjson-c-dev python3-yaml" \
		     "libnl-3-dev libnl-genl-3-dev libnl-route-3-dev" \
		     "python3-docutils mandoc"
		;;
	driver)
		# What Debian's headers depend on: this very gcc, libelf for
		# objtool, pahole for BTF from 6.12.
		echo "gcc-12 make libelf1 pahole kmod"
		;;
	vm)
		packages_of driver
		echo "qemu-system-x86 busybox-static cpio xz-utils binutils" \
		     "gcc libc6-dev"
		;;
	packages)
		packages_of user
		echo "dpkg-dev debhelper dh-dkms python3-docutils lintian" \
		     "libibverbs-dev" \
		     "debootstrap zstd e2fsprogs"
		;;
	bench)
		echo "openmpi-bin libopenmpi-dev"
		;;
	bench-verbs)
		echo "libibverbs-dev"
		;;
	check)
		packages_of user
		packages_of packages
		packages_of vm
		packages_of debug-kernel
		# A 32-bit program among the kselftests, and one that sends MADs.
		echo "sparse shellcheck codespell openmpi-bin gcc-multilib" \
		     "libibumad-dev"
		;;
	debug-kernel)
		packages_of driver
		echo "linux-source-6.1 bc bison flex libelf-dev libssl-dev" \
		     "xz-utils gcc libc6-dev"
		;;
	*)
		echo "setup: there is no set '$1'." >&2
		usage >&2
		return 1
		;;
	esac
}

missing_of()
{
	# One query for all; a package unknown to dpkg is simply not listed.
	# shellcheck disable=SC2016 # the format is dpkg-query's
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" \
	       2>/dev/null | sed -n 's/^installed //p')
	for package in "$@"; do
		case "
$have
" in
		*"
$package
"*) ;;
		*) echo "$package" ;;
		esac
	done
}

# Sets $as_root to what must stand before apt-get.
find_root()
{
	as_root=
	[ "$(id -u)" -ne 0 ] || return 0
	if command -v sudo >/dev/null; then
		as_root=sudo
		[ -t 0 ] || as_root="sudo -n"
		return 0
	fi
	echo "setup: this needs root and there is no sudo. As root, run:" >&2
	echo "    apt-get update && apt-get install --no-install-recommends $*" >&2
	return 1
}

install_packages()
{
	find_root "$@"
	# A broken third-party source must not stop us: the installation judges.
	$as_root apt-get -q update >/dev/null ||
		echo "setup: apt-get update had errors (above); going on." >&2
	if ! $as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Use-Pty=0 install --no-install-recommends "$@" \
		</dev/null >"$log" 2>&1; then
		cat "$log" >&2
		echo "setup: apt-get could not install: $*" >&2
		return 1
	fi
}

dry=
[ "${1-}" != -n ] || { dry=1; shift; }
case ${1-} in
'' | -h | --help) usage; [ $# -gt 0 ]; exit ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "setup: this machine has no apt. Install by its own means:" >&2
	for set in "$@"; do packages_of "$set" >&2; done
	exit 1
fi

wanted=
for set in "$@"; do
	wanted="$wanted $(packages_of "$set")"
done
# shellcheck disable=SC2086 # a list of package names
missing=$(missing_of $wanted | sort -u | tr '\n' ' ')
if [ -z "$missing" ]; then
	echo "setup: all packages for '$*' are there"
	exit 0
fi
if [ -n "$dry" ]; then
	echo "setup: missing for '$*': $missing"
	exit 1
fi
echo "setup: installing for '$*': $missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of package names
install_packages $missing
echo "setup: done"
