# shellcheck shell=bash
# ./dev test: tests that need no image run while the images are built, then those on the swarm.

: "${state:?} ${target:?} ${logs:?} ${root:?}"
# shellcheck source=testbed/dev/bench.sh
. testbed/dev/bench.sh
images=(base busybox nginx own-tests bot traefik postgres synapse n8n keycloak gitea uptime-kuma mariadb ghost bluesky-pds mumble mailu)
# Test programs that need neither swarm nor images: folder of the package, name of the target. One that is not named
# here runs on the swarm: runner/cc-ci/pages asks it for its slots.
imageless='.*/(lib|bin)|recipes/program|harness/browser|runner/forge/drone'

# The test programs of the last build: name, executable.
programs() {
  jq -r --arg root "$root/" 'select(.reason == "compiler-artifact" and .profile.test and .executable)
    | [(.manifest_path | ltrimstr($root) | rtrimstr("Cargo.toml"))
      + (if .target.kind[0] == "test" then .target.name else .target.kind[0] end), .executable] | @tsv' \
    "$logs/test-crates.json" | sort -u
}

# run_programs ARGUMENTS… < LIST: one program after the other, as cargo runs them, but that several lists run at once.
run_programs() {
  local name program folder how=() code=0
  if [ -n "$timings" ]; then how=("$root/testbed/dev/timed-test"); fi
  while IFS=$'\t' read -r name program; do
    folder=$root/$(dirname "$name")
    printf '\n     Running %s\n' "$name"
    if ! (cd "$folder" && CARGO_MANIFEST_DIR=$folder exec "${how[@]}" "$program" "$@" </dev/null); then
      printf 'error: %s is red; run it again: (cd %s && %s)\n' "$name" "$folder" "$program"
      code=1
    fi
  done
  return "$code"
}

without_images() {
  local code=0
  # What waits for the swarm comes first.
  renice --priority 10 --pid $BASHPID >/dev/null
  programs | grep -E "^($imageless)"$'\t' | run_programs --test-threads 2 || code=1
  cargo test --workspace --locked --no-fail-fast --doc || code=1
  return "$code"
}

# The longest program by far.
on_the_swarm() { programs | grep -E $'^runner/cc-ci/swarm\t' | run_programs --test-threads "$threads"; }

# Programs with one long test each, against a real Gitea or Keycloak of their own. In a row with the others they would
# leave a processor idle for a third of an hour.
servers='runner/forge/gitea|runner/cc-ci/mirror|harness/oidc'
with_servers() { programs | grep -E "^($servers)"$'\t' | run_programs; }

# What does not disturb it: engines, names and slots of their own.
beside_them() {
  local others="runner/cc-ci/swarm|runner/slots/swarm|$servers|$imageless"
  # In the long form a step of its own, with what is ignored in the short one.
  if [ -n "$long" ]; then others+='|runner/cc-ci/faults'; fi
  programs | grep -vE "^($others)"$'\t' | run_programs --test-threads 2
}

# What has to be quick: the hand-overs of slots, and the answer to a webhook. Nothing runs beside them.
measured() {
  local code=0
  programs | grep -E $'^runner/slots/swarm\t' | run_programs --test-threads 1 || code=1
  export CCCI_MEASURE=yes CCCI_ANSWER_STEP=a_webhook_is_answered
  programs | grep -E $'^runner/cc-ci/swarm\t' | run_programs a_comment_is_answered || code=1
  return "$code"
}

all_faults() {
  programs | grep -E $'^runner/cc-ci/faults\t' | run_programs --test-threads 1 --include-ignored
}

progress_tests_without_images() { tests_done "$1"; }
progress_tests_on_the_swarm() { tests_done "$1"; }
progress_tests_with_servers() { tests_done "$1"; }
progress_tests_beside_them() { tests_done "$1"; }
progress_tests_that_measure() { tests_done "$1"; }
progress_all_faults() { tests_done "$1"; }

count() { grep -cE '^test .*(ok|FAILED|ignored)' "$1" || true; }
tests_done() { printf '%d tests of about %d' "$(count "$1")" "$(expected "count of ${1##*/}")"; }

# told NAME: what failed in a step of tests and why, from each program's own summary.
told() {
  local log
  log=$logs/$(slug "$1").log
  remember "count of ${log##*/}" "$(count "$log")"
  if [[ " ${failed[*]} " = *" $1 "* ]]; then
    sed -n '/^failures:$/,/^test result/p; /^error/,/^$/p' "$log" >&2
  fi
}

# gate NAME GATE: a gate of testbed/dev/check that needs what the tests made.
gate() {
  CC_CI=$target/cc-ci go_on=yes step "$1" testbed/dev/check "$2"
  if [[ " ${failed[*]} " = *" $1 "* ]]; then cat "$logs/$(slug "$1").log" >&2; else tail -n 3 "$logs/$(slug "$1").log"; fi
}

long_history() {
  local folder
  folder=$(mktemp -d "$state/history.XXXXXX")
  "$target/bench" --history "$folder" --pages || return
  rm -rf "$folder"
}

# What the steps printed. The long form has one more.
test_logs() {
  local log
  for log in "$logs"/tests_*.log "$logs/all_faults.log"; do
    if [ -f "$log" ]; then cat "$log"; fi
  done
}

# One line with all tests, as test runners have it.
totals() {
  test_logs | awk '
    /^test result: / { passed += $4; failed += $6; skipped += $8 }
    END { printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped }'
}

# The slowest tests of all steps, from what testbed/dev/timed-test made the programs say.
slowest() {
  say ""
  say "The twenty slowest tests:"
  test_logs |
    sed -nE 's/^test (.*) \.\.\. .*<([0-9.]+)s>$/\2 \1/p' | sort -rn | sed -n '1,20p' |
    awk '{ printf "  %8.1f s  %s\n", $1, $2 }'
}

run_tests() {
  local timings='' long='' threads=${TEST_THREADS:-3}
  while [ $# != 0 ]; do
    case $1 in
      --all) long=yes ;;
      --timings) timings=yes ;;
      *) fail "test has no option $1: --all, --timings; or --recipes as the first, for the wave of recipes" ;;
    esac
    shift
  done
  if [ -n "$long" ]; then
    # Each is the switch of one test's long form: every answer step in full, 100 kills and as many rounds of the
    # other faults, a million torn comments.
    export CCCI_ANSWER=all CCCI_GOLDEN=all CCCI_FAULT_ROUNDS=100 CCCI_FUZZ_ROUNDS=1000000
  fi
  install_packages n8n keycloak gitea uptime-kuma ghost bluesky-pds
  engine
  rust
  # What an earlier call left says nothing of this one.
  rm -f "$logs"/tests_*.log "$logs/all_faults.log"
  start_images "${images[@]}"
  local build
  build=$(build_name "cc-ci and its tests" .tests-built)
  start_beside_images "$build" build_tests
  finish "$build"
  go_on=yes start "tests without images" without_images
  if is_running "test images"; then finish "test images"; fi
  world
  testbed_recipes
  step "image of the runner" env BASE=testbed.invalid/debian:bookworm PROGRAMS="$target" \
    docker/runner/build testbed.invalid/runner:1
  # Two lanes of runs at once and no more: with three on two cores, runs ran into their own limits and all took longer.
  # A server that is asked by one test waits more than it computes.
  go_on=yes start "tests on the swarm" on_the_swarm
  go_on=yes start "tests with servers" with_servers
  finish "tests without images"
  told "tests without images"
  go_on=yes start "tests beside them" beside_them
  finish
  told "tests on the swarm"
  told "tests with servers"
  told "tests beside them"
  # Nothing else runs now.
  go_on=yes step "tests that measure" measured
  told "tests that measure"
  bench_steps
  gate "coverage against the baseline" coverage
  gate "audit of fixes" audit
  if [ -n "$long" ]; then
    go_on=yes step "all faults" all_faults
    told "all faults"
    go_on=yes step "pages over 100,000 runs" long_history
    cat "$logs/$(slug "pages over 100,000 runs").log"
  fi
  if [ -n "$timings" ]; then slowest; fi
  totals
  [ ${#failed[@]} = 0 ] || fail "$(printf '%s; ' "${failed[@]}")${#failed[@]} of the steps are red"
  say ""
  say "All tests pass."
}

# Building the tests builds the programs too.
build_tests() {
  cargo_json test-crates.json test --workspace --no-run
  cargo build --locked -p audit -p bench
  touch "$target/.tests-built"
}
