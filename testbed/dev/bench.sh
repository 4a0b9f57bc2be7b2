# shellcheck shell=bash
# The bench: what a release build reaches, and what fails CI.

: "${state:?} ${target:?} ${logs:?} ${root:?}"

# The programs that are given to operators (docs/drone.md) are built with --release; so are those that are measured. On
# two cores that takes 15 minutes of processor time the first time.
release_programs() {
  step "$(build_name "optimised cc-ci" ../release/cc-ci)" \
    cargo_json release-crates.json build --release -p bench -p cc-ci -p abra-lite -p recipes
}

# bench [RECIPE]: custom-html with floor and script, or what the stages of another recipe take.
bench() {
  "${target%/debug}/release/bench" --source "$state/recipes/${1:-custom-html}"
}

# The ratios alone, with the programs that are there for the tests. Five rounds: of three, two busy moments of the machine
# are a median already. Where three are on the same side, the other two are left out.
ratios() { "$target/bench" --gate --rounds 5 --source "$state/recipes/custom-html"; }

# The same is red when a run takes five seconds more than it needs.
slow_run_is_red() {
  local slow=$logs/slow-cc-ci code=0 said
  printf '#!/bin/sh\nif [ "$1" = run ]; then sleep 5; fi\nexec "%s" "$@"\n' "$target/cc-ci" >"$slow"
  chmod +x "$slow"
  said=$("$target/bench" --gate --rounds 1 --program "$slow" --source "$state/recipes/custom-html") || code=$?
  printf '%s\n' "$said"
  [ "$code" = 11 ] && grep -q 'over the floor (SHORT)' <<<"$said"
}

# The steps of ./dev test, when nothing else runs. The program that measures is not slow by itself: the bounds are ratios.
bench_steps() {
  go_on=yes step "a run is quick beside its floor" ratios
  cat "$logs/$(slug "a run is quick beside its floor").log"
  if [ -n "${long:-}" ]; then go_on=yes step "a slow run turns the bench red" slow_run_is_red; fi
}
