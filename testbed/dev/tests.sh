# shellcheck shell=bash
# ./dev test: tests that need no image run while the images are built, then those on the swarm.

: "${state:?} ${target:?} ${logs:?} ${root:?}"
images=(base busybox nginx own-tests bot traefik postgres synapse n8n keycloak gitea)
# Test targets that need neither swarm nor images. A target that is not named here runs on the swarm: `pages` asks it
# for its slots.
imageless='program|browser|drone'

# The test targets of the workspace, as arguments for cargo: those that need no image, or the others.
targets() {
  cargo metadata --no-deps --format-version 1 --locked |
    jq -r '.packages[].targets[] | select(.kind == ["test"]) | .name' | sort -u |
    grep -Ex "$@" "$imageless" | sed 's/^/--test\n/'
}

progress_tests_without_images() { tests_done "$1"; }
progress_tests_on_the_swarm() { tests_done "$1"; }
progress_all_faults() { tests_done "$1"; }

tests_done() {
  printf '%d tests of about %d' "$(grep -cE '^test .*(ok|FAILED|ignored)' "$1" || true)" "$(expected "count of ${1##*/}")"
}

# test_step NAME CARGO-ARGUMENTS…
test_step() {
  local log name=$1
  step "$@"
  log=$logs/$(slug "$name").log
  remember "count of ${log##*/}" "$(grep -cE '^test .*(ok|FAILED|ignored)' "$log" || true)"
  # What failed and why, from each program's own summary.
  if [[ " ${failed[*]} " = *" $name "* ]]; then
    sed -n '/^failures:$/,/^test result/p; /^error/,$p' "$log" >&2
  fi
}

without_images() {
  local arguments code=0
  mapfile -t arguments < <(targets)
  cargo test --workspace --locked --no-fail-fast --lib --bins "${arguments[@]}" -- --test-threads "$threads" || code=1
  cargo test --workspace --locked --no-fail-fast --doc || code=1
  return "$code"
}

on_the_swarm() {
  local arguments
  mapfile -t arguments < <(targets -v)
  if [ -n "$long" ]; then
    # A step of its own, with what is ignored in the short form.
    mapfile -t arguments < <(printf '%s\n' "${arguments[@]}" | sed 'N;/\nfaults$/d')
  fi
  cargo test --workspace --locked --no-fail-fast "${arguments[@]}" -- --test-threads "$threads"
}

all_faults() {
  cargo test -p cc-ci --locked --test faults -- --test-threads 1 --include-ignored
}

long_history() {
  local folder
  folder=$(mktemp -d "$state/history.XXXXXX")
  "$target/cc-ci" bench --history "$folder" --pages || return
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
    sed -nE 's/^test (.*) \.\.\. .*<([0-9.]+)s>$/\2 \1/p' | sort -rn | head -n 20 |
    awk '{ printf "  %8.1f s  %s\n", $1, $2 }'
}

run_tests() {
  local timings='' long='' triple threads=${TEST_THREADS:-3}
  while [ $# != 0 ]; do
    case $1 in
      --all) long=yes ;;
      --timings) timings=yes ;;
      *) fail "test has no option $1: --all, --timings" ;;
    esac
    shift
  done
  if [ -n "$long" ]; then
    # Each is the switch of one test's long form: every answer step in full, 100 kills and as many rounds of the
    # other faults, a million torn comments.
    export CCCI_ANSWER=all CCCI_FAULT_ROUNDS=100 CCCI_FUZZ_ROUNDS=1000000
  fi
  install_packages n8n keycloak gitea
  engine
  rust
  if [ -n "$timings" ]; then
    rm -f "$logs"/tests_*.log "$logs/all_faults.log"
    triple=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${triple}_RUNNER=$root/testbed/dev/timed-test"
  fi
  start_images "${images[@]}"
  local build
  build=$(build_name "cc-ci and its tests" .tests-built)
  start "$build" build_tests
  finish "$build"
  go_on=yes
  test_step "tests without images" without_images
  go_on=''
  finish
  world
  testbed_recipes
  step "image of the runner" env BASE=testbed.invalid/debian:bookworm PROGRAMS="$target" \
    docker/runner/build testbed.invalid/runner:1
  go_on=yes
  test_step "tests on the swarm" on_the_swarm
  if [ -n "$long" ]; then
    test_step "all faults" all_faults
    test_step "pages over 100,000 runs" long_history
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
  touch "$target/.tests-built"
}
