#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what Meson built: the library, its headers, the tools, the rule for
# udev. Says what is left to do, which is the modules and the group.
#
# Guarantees: with DESTDIR set, nothing outside of it is written, and no root is
# needed; a PREFIX given once is kept in BUILD.
#
# usage: packaging/install.sh BUILD [PREFIX]    (DESTDIR in the environment)
set -eu

build=$1
prefix=${2-}

installed_prefix()
{
	meson introspect --buildoptions "$build" |
		sed -n 's/.*"name": "prefix", "value": "\([^"]*\)".*/\1/p'
}

[ -z "$prefix" ] || [ "$prefix" = "$(installed_prefix)" ] ||
	meson configure "$build" -Dprefix="$prefix"
meson install -C "$build" --quiet
prefix=$(installed_prefix)
echo "install: the library and the tools are in ${DESTDIR-}$prefix"
if [ -z "${DESTDIR-}" ] && [ "$(id -u)" -eq 0 ]; then
	# The loader finds a library in a directory of /etc/ld.so.conf only so.
	PATH=$PATH:/usr/sbin:/sbin ldconfig
fi
cat <<END
The kernel modules are not among it. As root, either for this kernel only:
    make install-driver
or by DKMS, for this kernel and those to come:
    make deb && apt install ./build/deb/ub-dkms_*.deb
With the first, make the group whose members may use the devices, too:
    systemd-sysusers $prefix/lib/sysusers.d/ub.conf
END
case $prefix in
/usr | /usr/local) ;;
*) echo "    cp $prefix/lib/udev/rules.d/60-ub.rules /etc/udev/rules.d/" ;;
esac
echo "    udevadm control --reload"
if [ "$prefix" != /usr ] && [ -e "$build/lib/provider/ub.driver" ]; then
	cat <<-END
	For RDMA programs, tell libibverbs where the provider is:
	    cp $prefix/etc/libibverbs.d/ub.driver /etc/libibverbs.d/
	END
fi
