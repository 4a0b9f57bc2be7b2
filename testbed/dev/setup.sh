# shellcheck shell=bash
# What a bare Debian or Ubuntu machine needs before cc-ci runs on it, as steps.

# The caller sets these; steps.sh, which it reads before, sets `logs`.
: "${state:?} ${target:?} ${logs:?}"

# The seconds that missing images take; a call that builds none has none.
images_take=0

# How far apt is: its own log says how many packages there are.
progress_system_packages() {
  awk '/newly installed/ { n = $3 } /^Get:/ { got++ } /^Unpacking/ { unpacked++ } /^Setting up/ { set++ }
    END { if (set) print "set up " set " of " n; else if (unpacked) print "unpacked " unpacked " of " n;
      else if (got) print "fetched " got " of " n " packages" }' "$1"
}

# How far cargo is: a line of JSON for each crate, and the number of them from the last build.
progress_first_build_of_cc_ci() { crates "$logs/crates.json" "$1"; }
progress_build_of_cc_ci() { crates "$logs/crates.json" "$1"; }
progress_first_build_of_cc_ci_and_its_tests() { crates "$logs/test-crates.json" "$1"; }
progress_build_of_cc_ci_and_its_tests() { crates "$logs/test-crates.json" "$1"; }

crates() {
  local built
  built=$(grep -c '"reason":"compiler-artifact"' "$1" || true)
  if [ "${built:-0}" = 0 ]; then
    printf '%d crates downloaded' "$(grep -c '^ *Downloaded' "$2" || true)"
  else
    printf '%d of %d crates' "$built" "$(expected "crates in ${1##*/}")"
  fi
}

progress_test_images() {
  printf '%d of %d' "$(grep -c ' built in\| built from it\|already there' "$1" || true)" "$images_wanted"
  grep -v ' built in\| built from it\|already there' "$1" | tail -n 1 | sed 's/^ */, /'
}

# install [IMAGE…]: the packages, also for the images that are named.
install_packages() {
  local wanted=(docker.io iptables iproute2 git curl ca-certificates mmdebstrap debian-archive-keyring busybox-static
    clang mold pkg-config libclang-dev libssl-dev libxml2-dev libzstd-dev python3-pip
    chromium chromium-driver libnss3-tools libfaketime jq)
  local missing=() name
  for name in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  # Another build of docker, or of Python with pip, does as well.
  if command -v dockerd >/dev/null; then missing=("${missing[@]/docker.io/}"); fi
  if python3 -m pip --version >/dev/null 2>&1; then missing=("${missing[@]/python3-pip/}"); fi
  if command -v busybox >/dev/null; then missing=("${missing[@]/busybox-static/}"); fi
  # shellcheck disable=SC2206 # drops the entries that are empty now
  missing=(${missing[*]})
  # What the named images are made with, where it is not there in another way: command=package.
  local image tool
  for image in "$@"; do
    case $image in
      n8n | n8n-2 | uptime-kuma | bluesky-pds) wanted=('npm=npm' 'make=make' 'g++=g++') ;;
      ghost) wanted=('npm=npm' 'strip=binutils') ;;
      keycloak) wanted=('mvn=maven') ;;
      gitea) wanted=('go=golang-go' 'gcc=gcc') ;;
      *) wanted=() ;;
    esac
    for tool in "${wanted[@]}"; do
      command -v "${tool%=*}" >/dev/null || missing+=("${tool#*=}")
    done
  done
  if [ ${#missing[@]} = 0 ]; then
    already "system packages"
    return
  fi
  [ "$(id -u)" = 0 ] || fail "these packages are missing: ${missing[*]}; run ./dev as root, or install them"
  step "package lists" apt-get update
  step "system packages: ${missing[*]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    setsid nohup dockerd >"$logs/dockerd.log" 2>&1 </dev/null &
    echo $! >"$state/dockerd.pid"
  fi
  for _ in $(seq 150); do
    docker info >/dev/null 2>&1 && return
    sleep 0.2
  done
  tail -n 5 "$logs/dockerd.log" 2>/dev/null
  return 1
}

engine() {
  if docker info >/dev/null 2>&1; then
    already "docker engine"
  else
    step "docker engine" start_engine
  fi
}

rust() {
  if [ -f "$HOME/.cargo/env" ]; then
    # shellcheck disable=SC1091
    . "$HOME/.cargo/env"
  fi
  if command -v cargo >/dev/null; then
    already "Rust"
  elif apt-cache show rustup >/dev/null 2>&1; then
    step "Rust: rustup from the distribution" sh -c 'apt-get install -y rustup && rustup default stable'
  else
    step "Rust: rustup from rust-lang.org" \
      sh -c 'curl --proto =https -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt'
    # shellcheck disable=SC1091
    . "$HOME/.cargo/env"
  fi
}

# Each of these is built from the packages of the same name in testbed/images.
images_of() {
  case $1 in
    custom-html*) echo base traefik bot nginx ;;
    keycloak) echo base traefik bot postgres keycloak ;;
    gitea) echo base traefik bot postgres keycloak gitea ;;
    matrix-synapse | guestbook) echo base traefik bot postgres keycloak synapse ;;
    n8n) echo base traefik bot n8n ;;
    n8n-2) echo base traefik bot n8n n8n-2 ;;
    uptime-kuma) echo base traefik bot uptime-kuma ;;
    ghost) echo base traefik bot mariadb ghost ;;
    gitea-mariadb) echo base traefik bot mariadb postgres keycloak gitea ;;
    gitea-postgres) images_of gitea ;;
    keycloak-mariadb) echo base traefik bot mariadb keycloak ;;
    matrix-synapse-plain) images_of matrix-synapse ;;
    bluesky-pds) echo base traefik bot postgres bluesky-pds ;;
    mumble) echo base traefik bot mumble ;;
    mailu) echo base traefik bot mailu ;;
    *) echo base traefik bot ;;
  esac
}

start_images() {
  # nginx, n8n, keycloak, gitea, synapse, uptime-kuma, ghost, bluesky-pds, mailu and mumble come in three versions, as releases
  # of their recipes; mumble has a base and a web client of its own.
  images_wanted=$(printf '%s\n' "$@" | sed 's/^mumble$/&\n&-web\n&-base/' |
    sed -E '/nginx|n8n$|keycloak|gitea|synapse|uptime-kuma|ghost|bluesky-pds|mailu|^mumble$/{p;p}' | wc -l)
  images_take=$(seconds_of_missing "$@")
  if [ "$images_take" -gt 0 ]; then step_expected["test images"]=$images_take; fi
  start "test images" testbed/images/build "$@"
}

# What the images that are not there take on two cores with nothing beside them.
seconds_of_missing() {
  local name sum=0
  for name in "$@"; do
    if ! testbed/images/build --there "$name" >/dev/null 2>&1; then sum=$((sum + $(expected "image $name"))); fi
  done
  echo "$sum"
}

# start_beside_images NAME COMMAND…: a build that has the processors together with the images, until both are there.
start_beside_images() {
  if [ "$images_take" -gt 0 ]; then
    step_expected[$1]=$((images_take + $(expected "$1")))
    step_expected["test images"]=${step_expected[$1]}
  fi
  start "$@"
}

# build_name WHAT PROGRAM: a first build and a later one take different times.
build_name() {
  if [ -x "$target/$2" ]; then echo "build of $1"; else echo "first build of $1"; fi
}

# cargo_json FILE ARGUMENTS…: cargo, with a line of JSON for each crate in the file.
cargo_json() {
  local file=$1
  shift
  cargo "$@" --locked --message-format json-render-diagnostics >"$logs/$file"
  remember "crates in $file" "$(grep -c '"reason":"compiler-artifact"' "$logs/$file")"
}

# The programs that a run needs; what only tests need is not compiled.
start_programs() {
  start_beside_images "$(build_name cc-ci cc-ci)" cargo_json crates.json build -p cc-ci -p abra-lite -p recipes -p testbed "$@"
}

make_world() {
  if [ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = inactive ]; then
    # `./dev down --all` switches it off again.
    touch "$state/swarm-by-dev"
  fi
  "$target/cc-ci" up
}

world() { step "local world" make_world; }

testbed_recipes() { step "testbed recipes" "$target/testbed-repos" "$state/recipes"; }

# setup [IMAGE…]: everything, with the images that are named. Compiler and image builder wait for different
# things, so they run at once.
setup() {
  install_packages "$@"
  engine
  rust
  start_images "$@"
  start_programs
  finish
  world
  testbed_recipes
}

# missing_images RECIPE: says what it builds, and nothing where all is there.
missing_images() {
  local name
  for name in $(images_of "$1"); do
    # shellcheck disable=SC2046 # one word for each image
    if ! testbed/images/build --there "$name" >/dev/null; then
      start_images $(images_of "$1")
      finish
      return
    fi
  done
}

# The engine that start_engine made is ended by its process id, which may belong to another program by now.
stop_engine() {
  local pid
  pid=$(cat "$state/dockerd.pid" 2>/dev/null) || return 0
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
    kill "$pid"
    while [ -d "/proc/$pid" ]; do sleep 0.2; done
    say "✓ docker engine is stopped"
  fi
}

# Everything that ./dev made: world, images, caches, builds, and engine and swarm mode where they were off before. What
# runs services of other people stays on.
remove_all() {
  local images services
  if docker info >/dev/null 2>&1; then
    if [ -x "$target/cc-ci" ]; then step "world is removed" "$target/cc-ci" down; fi
    services=$(docker service ls --quiet 2>/dev/null | wc -l)
    if [ "$services" != 0 ]; then
      say "swarm mode and engine stay: $services services that ./dev did not make run there (docker service ls)"
    elif [ -f "$state/swarm-by-dev" ]; then
      docker swarm leave --force >/dev/null
      say "✓ swarm mode is off"
    fi
    mapfile -t images < <(docker image ls --format '{{.Repository}}:{{.Tag}}' 'testbed.invalid/*')
    if [ ${#images[@]} != 0 ]; then step "images are removed" docker image rm --force "${images[@]}"; fi
    # Layers of images that were built in several stages have no name.
    mapfile -t images < <(docker image ls --quiet --filter dangling=true --filter label=cc-ci.content)
    if [ ${#images[@]} != 0 ] && ! docker image rm --force "${images[@]}" >/dev/null 2>&1; then
      say "some layers stay: a container uses them (docker ps)"
    fi
    if [ "$services" = 0 ]; then stop_engine; fi
  fi
  testbed/images/build --clean
  rm -rf "$state" "$root/target"
  say "✓ .state and target are removed"
  say "Debian's packages and Rust stay: apt-get and rustup remove them."
}
