#!/usr/bin/env bash
# A machine with a docker engine of its own, in namespaces of this one: processes, mounts, network, host name.
#
#   engine.sh FOLDER NUMBER     then, on standard input: on, off (as if the power went), …
#
# When standard input ends, however that comes, all of it is removed.
set -uo pipefail
folder=$1 number=$2
net=ccci-faults network=192.168.231

inside() {
  mount --make-rprivate /
  mount -t proc proc /proc
  mount -t tmpfs tmpfs /run
  # A name that nobody knows shall be refused at once, and not after a time.
  mount --bind "$folder/resolv.conf" "$(readlink -f /etc/resolv.conf)"
  hostname "engine-$number"
  ip link set lo up
  # The other end is brought here by the one who started this.
  while ! ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
  # The same after the power went: who knew it goes on with what it knows.
  ip link set eth0 address "02:cc:c1:00:00:1$number"
  ip addr add "$network.1$number/24" dev eth0
  ip link set eth0 up
  ip route add default via "$network.1"
  while :; do
    # As systemd does, whatever ended it.
    dockerd -H "unix://$folder/docker.sock" -H unix:///run/docker.sock --config-file "$folder/daemon.json" \
      --data-root "$folder/data" --exec-root /run/docker --pidfile /run/docker.pid \
      --cgroup-parent "/ccci-faults-$number" >>"$folder/log" 2>&1
  done
}

# What the machines are plugged into, in a network of its own: this machine's packet filter would let nothing
# pass from one to the other.
switch() {
  # /run/netns is where ip keeps them.
  if [ -e "/run/netns/$net" ]; then return; fi
  ip netns add "$net"
  ip -n "$net" link add bridge type bridge
  ip -n "$net" link set bridge up
  ip link add "$net" type veth peer name host netns "$net"
  ip -n "$net" link set host master bridge up
  ip addr add "$network.1/24" dev "$net"
  ip link set "$net" up
}

on() {
  rm -f "$folder/docker.sock"
  unshare --net --mount --uts --pid --ipc --fork --kill-child "$0" "$folder" "$number" inside </dev/null 2>>"$folder/log" 9>&- &
  outer=$!
  # The first process in there is the child of the one that made the namespaces.
  until init=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null | tr -d ' ') && [ -n "$init" ]; do sleep 0.02; done
  switch
  ip -n "$net" link add "engine$number" type veth peer name eth0 netns "$init"
  ip -n "$net" link set "engine$number" master bridge up
  echo "$init" >"$folder/init"
}

off() {
  [ -n "${outer:-}" ] || return 0
  kill -KILL "$(cat "$folder/init")" 2>/dev/null
  wait "$outer" 2>/dev/null
  # With the namespace its end goes, a moment later, and with that this one.
  ip -n "$net" link del "engine$number" 2>/dev/null
  outer=
}

if [ "${3:-}" = inside ]; then inside; fi
# One of each number on a machine, for they have fixed addresses: the next one waits until this one is gone.
exec 9>"${TMPDIR:-/tmp}/cc-ci-faults-$number.lock"
flock 9
mkdir -p "$folder"
printf 'nameserver 127.0.0.1\n' >"$folder/resolv.conf"
echo '{}' >"$folder/daemon.json"
while read -r word; do
  "$word"
  echo "$word"
done
off
find /sys/fs/cgroup -depth -type d -path "*/ccci-faults-$number*" -exec rmdir {} + 2>/dev/null
if [[ "$(ip -n "$net" link show 2>/dev/null)" != *engine* ]]; then
  ip netns del "$net" 2>/dev/null
fi
rm -rf "$folder"
# What else the suite kept there; the first engine is the last to go.
if [ "$number" = 1 ]; then rm -rf "$(dirname "$folder")"; fi
