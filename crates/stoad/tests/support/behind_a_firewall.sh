#!/bin/sh
# Runs a program in a network namespace of its own, with a link to the one where this runs, behind a
# firewall. `behind_a_firewall.sh RULES PROGRAM ...`: RULES is a file for nft. Here is 10.91.0.1, the program is
# at 10.91.0.2 and comes to every address that is here. Namespace, link and rules end with the program.
set -eu
rules=$1
shift
ip link add wan0 type veth peer name lan0
# No address comes seconds later: browsers drop what they are loading when the network changes.
ip link set wan0 addrgenmode none
ip address add 10.91.0.1/24 dev wan0
ip link set wan0 up
# What is started in the background would have no input otherwise.
exec 3<&0
unshare --net sh -c '
    until ip link show dev lan0 >/dev/null 2>&1; do sleep 0.05; done
    set -e
    ip link set lo up
    ip link set lan0 addrgenmode none
    ip address add 10.91.0.2/24 dev lan0
    ip link set lan0 up
    ip route add default via 10.91.0.1
    nft --file "$0"
    exec "$@"
' "$rules" "$@" <&3 &
inside=$!
trap 'kill "$inside"' TERM INT
here=$(readlink /proc/self/ns/net)
while [ "$(readlink "/proc/$inside/ns/net")" = "$here" ]; do sleep 0.05; done
ip link set lan0 netns "$inside"
wait "$inside"
