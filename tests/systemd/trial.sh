#!/bin/sh
# trial.sh BUILD FOLDER [ROWS] - bobbind as BUILD has it, under a real systemd: installed in an emulated machine that runs rows.sh
# at its boot.  FOLDER keeps the machine's root, for the next time.  TAP on standard output.
set -eu
build=$1 folder=$2 here=$(dirname "$0")
root=$folder/root
[ "$(id -u)" = 0 ] || { echo "Bail out! only root can make the machine's disk"; exit 1; }

# The kernel and the C library of this release, so that what was built here runs there.
mkdir -p "$folder"
if [ ! -f "$root/trial-made" ]; then
    rm -rf "$root"
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    debootstrap --variant=minbase \
        --include=systemd-sysv,dbus,udev,kmod,procps,initramfs-tools,linux-image-cloud-amd64,python3-minimal,curl \
        "$suite" "$root" >"$folder/debootstrap.log" 2>&1 || { echo "Bail out! see $folder/debootstrap.log"; exit 1; }
    touch "$root/trial-made"
fi

make -s -C "$build" install DESTDIR="$(realpath "$root")" >"$folder/install.log" 2>&1
install -m 755 "$here/rows.sh" "$root/usr/local/sbin/trial-rows"
LD_LIBRARY_PATH=$root/usr/local/lib ldd "$root/usr/local/sbin/bobbind" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' |
    while read -r library; do
        [ -e "$root$library" ] || [ "${library#"$root"}" != "$library" ] || cp -L "$library" "$root/usr/local/lib/"
    done
chroot "$root" ldconfig
rm -f "$folder/disk"
mke2fs -q -t ext4 -d "$root" "$folder/disk" 2G >/dev/null

# boot ROWS PARAMETER... - runs these rows in the machine, with these parameters of the kernel besides.
boot() {
    rows=$1
    shift
    rm -f "$folder/rows"
    timeout 1200 qemu-system-x86_64 -machine "accel=${TRIAL_ACCEL:-tcg}" -cpu max -smp 2 -m 1024 -nic none -display none \
        -monitor none -no-reboot -kernel "$root/vmlinuz" -initrd "$root/initrd.img" \
        -drive "file=$folder/disk,format=raw,if=virtio,snapshot=on" \
        -serial "file:$folder/console.log" -serial "file:$folder/rows" \
        -append "root=/dev/vda rw console=ttyS0 quiet $* systemd.run_success_action=poweroff systemd.run_failure_action=poweroff \
systemd.run=\"/usr/local/sbin/trial-rows $rows\"" >"$folder/qemu.log" 2>&1 || echo "Bail out! the machine did not end"
    tr -d '\r' <"$folder/rows"
    grep -q '^1\.\.' "$folder/rows" || { echo "Bail out! not all rows: see $folder/console.log"; exit 1; }
}
boot "${3:-all}"
[ -n "${3-}" ] || boot socket ipv6.disable=1
