#!/usr/bin/env bash
# A stranger's test that tries to get out. It is green only if nothing that it tries works, and red
# where the app itself cannot be reached, since then "refused" would show nothing.
set -u
cd "$(dirname "$0")" || exit 1
tried=0 worked=0

# try WHAT COMMAND…: the attempt works if the command succeeds.
try() {
  local what=$1
  shift
  tried=$((tried + 1))
  if timeout 20 "$@" >/tmp/said 2>&1; then
    worked=$((worked + 1))
    echo "OPEN: $what: $(head -c 200 /tmp/said | tr '\n' ' ')"
  else
    echo "refused: $what: $(tail -n 1 /tmp/said | head -c 200)"
  fi
}

# asks WHAT CURL-WORDS…: the attempt works unless the gate answers that it is not for this name.
asks() {
  local what=$1
  shift
  try "$what" bash -c 'code=$(curl -sk -m 10 -o /dev/null -w "%{http_code}" --resolve "*:443:$0" "$@"); echo "answered $code"
    case $code in 421 | 400 | 000) exit 1 ;; esac' "$gate" "$@"
}

try "docker's socket" bash -c 'ls -d /var/run/docker.sock /run/docker.sock 2>/dev/null | grep .'
try "any socket in the file system" bash -c 'find / -xdev -type s 2>/dev/null | grep .'
try "a variable that is not the test's" bash -c \
  'env | grep -vE "^(CCCI_(URL|DOMAIN|RECIPE|VERSION|COMMIT|STAGE|CA|RESOLVE)|SSL_CERT_FILE|CURL_CA_BUNDLE|HOME|PATH|HOSTNAME|PWD|OLDPWD|SHLVL|_)="'
try "a token somewhere in the environment" bash -c 'tr "\0" "\n" </proc/1/environ | grep -iE "token|secret|passw|drone|gitea"'

gate=$(echo "${CCCI_RESOLVE:-}" | cut -d: -f3)
base=${CCCI_DOMAIN#*.}
asks "another app by its name" "https://other-app.$base/"
asks "another app by the Host header" -H "Host: other-app.$base" "$CCCI_URL/"
asks "another app by HTTP/1.1's Host header" --http1.1 -H "Host: other-app.$base" "$CCCI_URL/"
asks "another app by an absolute address" --http1.1 --request-target "https://other-app.$base/" "$CCCI_URL/"
asks "the gate by its address" "https://$gate/"
asks "the world's traefik by the name of its API" -H "Host: traefik.$base" "$CCCI_URL/api/rawdata"
asks "the gate's own API" -H "Host: localhost" "$CCCI_URL/api/rawdata"
try "another port of the gate" python3 probe.py ports "$gate" 443

try "a port of the host at the bridge's address" python3 probe.py host
try "a neighbour on this network" python3 probe.py neighbours "$gate"
try "the world's containers" python3 probe.py connect 172.17.0.1 172.18.0.1 172.18.0.2 172.18.0.3 172.18.0.4 10.0.0.1 10.0.1.1
try "the metadata service of a cloud" python3 probe.py connect 169.254.169.254
try "the internet by address" python3 probe.py connect 1.1.1.1 9.9.9.9 203.0.113.80
try "the internet by UDP" python3 probe.py dns 1.1.1.1 9.9.9.9
try "a public name" getent ahosts deb.debian.org
try "another public name" getent ahosts example.org
try "a name below the base domain" getent ahosts "other-app.$base"
try "IPv6" bash -c 'grep -v " lo$" /proc/net/if_inet6'

try "writing to /" touch /x
try "writing to /etc" bash -c 'echo x >>/etc/hosts'
try "writing to /usr" touch /usr/bin/x
try "changing a test" bash -c 'echo >>./probe.py || touch x || chmod 777 .'
try "changing the kernel's settings" bash -c 'echo x >/proc/sys/kernel/hostname || echo 1 >/proc/sys/net/ipv4/ip_forward'
try "root" bash -c '[ "$(id -u)" = 0 ]'
try "root by su" su -c id
try "a capability" bash -c 'grep -E "^Cap(Eff|Prm|Bnd):" /proc/self/status | grep -v 0000000000000000'
try "new privileges" bash -c 'grep "^NoNewPrivs:.*0" /proc/self/status'
try "a name space of its own" unshare --user --map-root-user true
try "a mount" mount -t tmpfs none /tmp
try "a device" mknod /tmp/disk b 8 0
try "a raw socket" python3 probe.py raw
try "a process of the host" bash -c 'cat /proc/[0-9]*/comm | grep -E "cc-ci|dockerd|systemd"'
try "more processes than its share" python3 probe.py fork 400
try "more memory than its share" python3 probe.py memory 700

reached=$(curl -s --resolve "${CCCI_RESOLVE:-}" "$CCCI_URL/healthz")
if [ "$reached" != ok ]; then
  echo "the app itself was not reached, so nothing was shown"
  exit 1
fi
if [ "$worked" != 0 ]; then
  echo "$worked of $tried attempts worked"
  exit 1
fi
echo "the app was reached, and all $tried other attempts were refused"
