# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# For debian.sh, which sources this file: machines with systemd as PID 1, each a fresh Debian in a folder with namespaces and a
# control group of its own, without a network. $scratch is the folder for all of them. Root is needed.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the caller sets scratch and source

release=bookworm
# Beside the minimal system: what the packages depend on, because a machine has no network, and what the tests use.
machine_packages=systemd,systemd-sysv,dbus,curl,ca-certificates,libarchive13,libbz2-1.0,libcsv3,libcurl4,libdivsufsort3,libinih1,libjansson4
machine_packages+=,libmagic1,libmicrohttpd12,libsqlite3-0,libssl3,libsystemd0

# The mirror that apt of this machine uses.
machine_mirror() {
    # shellcheck disable=SC2016 # apt expands it
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$release" '$2 == release && $3 == "main" { print $1; exit }'
}

# machine_base CACHE: the system that all machines start from.
machine_base() {
    [ ! -d "$scratch/base" ] || return 0
    mkdir -p "$1/debootstrap"
    debootstrap --variant=minbase --cache-dir="$1/debootstrap" --include="$machine_packages" "$release" "$scratch/base" \
        "$(machine_mirror)"
}

# machine_start NAME CACHE: boots a machine, and waits until systemd has started everything.
machine_start() {
    local folder=$scratch/machines/$1 control
    machine_base "$2" || return 1
    mkdir -p "$folder/root" "$folder/upper" "$folder/work"
    mount -t overlay -o "lowerdir=$scratch/base,upperdir=$folder/upper,workdir=$folder/work" overlay "$folder/root" || return 1
    control=$(findmnt -n -l -o TARGET -t cgroup2 | head -n 1)/dfota-test-$$-$1
    mkdir "$control" || return 1
    echo "$control" >"$folder/control"
    (
        echo "$BASHPID" >"$control/cgroup.procs"
        exec unshare --mount --pid --cgroup --ipc --uts --net --fork --kill-child bash "$source/tests/builds/machine.sh" \
            "$folder/root" </dev/null >"$folder/console" 2>&1
    ) &
    echo $! >"$folder/pid"
    disown # the shell need not say that it was killed
    for _ in $(seq 300); do
        sleep 0.2
        case $(on "$1" systemctl is-system-running 2>/dev/null) in
        running) return 0 ;;
        degraded) break ;;
        esac
    done
    cat "$folder/console"
    on "$1" systemctl --failed --no-legend
    return 1
}

# on NAME COMMAND...: runs a command on the machine.
on() {
    local init
    init=$(pgrep -P "$(cat "$scratch/machines/$1/pid")") || return 1
    shift
    nsenter --target "$init" --mount --pid --ipc --uts --net --cgroup --root \
        env -i -C / PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}

# Ends the machine at once, as a power cut does, and removes its disk.
machine_destroy() {
    local folder=$scratch/machines/$1 control
    kill -KILL "$(cat "$folder/pid")" 2>/dev/null
    for _ in $(seq 100); do # until the kernel has ended the processes of the namespace
        umount "$folder/root" 2>/dev/null
        control=$(cat "$folder/control")
        find "$control" -depth -type d -exec rmdir {} + 2>/dev/null
        ! mountpoint -q "$folder/root" && [ ! -d "$control" ] && break
        sleep 0.1
    done
    rm -rf --one-file-system "$folder"
    [ ! -d "$folder" ] && [ ! -d "$control" ]
}

machines_end() {
    local folder
    for folder in "$scratch"/machines/*/; do
        [ ! -d "$folder" ] || machine_destroy "$(basename "$folder")"
    done
}

# In the new namespaces: prepares the folder as a container manager does, and becomes systemd.
become_init() {
    local root=$1 name
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for name in null zero full random urandom tty; do
        : >"$root/dev/$name"
        mount --bind "/dev/$name" "$root/dev/$name"
    done
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ip link set lo up
    # Not chroot: the kernel makes no user namespaces for processes in a chroot, and PrivateUsers needs one.
    cd "$root"
    pivot_root . mnt
    umount -l /mnt
    mount --make-rshared / # systemd mounts the credentials of a service in a namespace of its own first
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -eu
    become_init "$1"
fi
