#!/bin/bash
# Records ordinary traffic between two network namespaces: DNS, HTTP, SSH, iperf, ping, the same
# through tunnels of GRE, which carry IP and Ethernet, and through a VPN.
#
# record.sh FOLDER: leaves FOLDER/benign.pcap. Addresses are those for benchmarks (RFC 2544).
set -eu
here=$(dirname "$(realpath "$0")")
folder=$(realpath "$1")
cd "$folder"
client=miyaburi-client server=miyaburi-server
jobs=()
finish() {
    for job in "${jobs[@]}"; do kill "$job" 2>>jobs.log || true; done
    wait 2>>jobs.log || true
    ip netns delete $client && ip netns delete $server
}
in_client() { ip netns exec $client "$@"; }
in_server() { ip netns exec $server "$@"; }
# serve NAMESPACE PROGRAM ...: not by the functions above, whose shell would be killed in its place
serve() { ip netns exec "$@" >>jobs.log 2>&1 & jobs+=($!); }
# until COMMAND succeeds, ten times a second, at most 20 seconds
await() {
    for _ in $(seq 200); do "$@" >>jobs.log 2>&1 && return; sleep 0.1; done
    echo "gave up: $*" >&2
    return 1
}

for name in $client $server; do ip netns delete $name 2>>jobs.log || true; ip netns add $name; done
trap finish EXIT
# Segments as they are on a wire, not the large ones that the kernel saves itself from cutting.
ip link add miya0 netns $client gso_max_segs 1 type veth peer name miya0 netns $server gso_max_segs 1
in_client ip address add 198.18.0.1/24 dev miya0
in_server ip address add 198.18.0.2/24 dev miya0
for run in in_client in_server; do $run ip link set lo up; $run ip link set miya0 up; done

serve $server dumpcap -q -P -i miya0 -w "$folder/benign.pcap"
await test -s benign.pcap

cat > named.conf <<END
options { directory "$folder"; pid-file none; session-keyfile none; listen-on { any; };
  listen-on-v6 { none; }; recursion no; };
controls { };
zone "bench.test" { type primary; file "bench.zone"; };
END
{
    printf '$TTL 60\n@ SOA localhost. nobody.invalid. 1 300 60 86400 60\n@ NS localhost.\n'
    for number in $(seq 400); do
        printf 'h%s A 198.18.0.2\nh%s TXT "text %s"\n' "$number" "$number" "$number"
    done
} > bench.zone
mkdir -p pages
for size in 100 2000 60000; do head -c $size /dev/urandom | base64 > pages/$size; done
serve $server named -g -n 1 -c named.conf
serve $server python3 -m http.server --directory pages 80
serve $server iperf3 --server
rm -f host_key host_key.pub user_key user_key.pub
ssh-keygen -q -t ed25519 -N '' -f host_key
ssh-keygen -q -t ed25519 -N '' -f user_key
chmod 600 user_key.pub
mkdir -p /run/sshd
serve $server /usr/sbin/sshd -D -e -f /dev/null -h "$folder/host_key" -o UsePAM=no \
    -o StrictModes=no -o PermitRootLogin=prohibit-password \
    -o AuthorizedKeysFile="$folder/user_key.pub"
serve $client python3 "$here/tunnel.py" tun gre0 198.18.0.1 198.18.0.2
serve $server python3 "$here/tunnel.py" tun gre0 198.18.0.2 198.18.0.1
serve $client python3 "$here/tunnel.py" tap gre1 198.18.0.1 198.18.0.2
serve $server python3 "$here/tunnel.py" tap gre1 198.18.0.2 198.18.0.1
openvpn --genkey secret vpn.key
vpn=(--dev-type tun --secret vpn.key --cipher AES-256-CBC
    --verb 1)
serve $server openvpn --dev vpn0 --ifconfig 198.18.3.2 198.18.3.1 "${vpn[@]}" --nobind \
    --remote 198.18.0.1
serve $client openvpn --dev vpn0 --ifconfig 198.18.3.1 198.18.3.2 "${vpn[@]}" --bind \
    --remote 198.18.0.2 --float
number=1
for run in in_client in_server; do
    for tunnel in 1 2; do
        device=gre$((tunnel - 1))
        await $run ip address add 198.18.$tunnel.$number/24 dev $device
        $run ip link set $device mtu 1400 up
    done
    number=2
done

# The same through the wire itself, both tunnels and the VPN.
ssh=(-q -i user_key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null)
for net in 0 1 2 3; do
    host=198.18.$net.2
    await in_client ping -q -c 1 -W 1 $host
    in_client ping -q -c 20 -i 0.01 -s 500 $host >>jobs.log
    await in_client dig +time=1 +tries=1 @$host h1.bench.test A
    for number in $(seq 400); do echo "h$number.bench.test A"; echo "h$number.bench.test TXT"; done |
        in_client dig @$host +noall +answer -f - >>jobs.log
    await in_client curl -sf -o /dev/null http://$host/100
    for size in 100 2000 60000; do
        in_client curl -sf -o /dev/null "http://$host/$size?[1-20]"
        in_client curl -sf -A "Mozilla/5.0 (X11; Linux x86_64)" -o /dev/null "http://$host/$size"
        in_client wget -q -O /dev/null http://$host/$size
        in_client python3 -c "import urllib.request as u; u.urlopen('http://$host/$size').read()"
    done
    await in_client ssh "${ssh[@]}" $host true
    in_client ssh "${ssh[@]}" $host 'head -c 300000 /dev/zero' >>jobs.log
    await in_client iperf3 --client $host --bytes 2M
    in_client iperf3 --client $host --udp --bytes 1M --bitrate 50M --length 1200 >>jobs.log
done
sleep 0.5
