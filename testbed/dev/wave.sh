# shellcheck shell=bash
# ./dev test --recipes: the recipes of the testbed, each through all its stages, side by side within the budget of slots.

: "${state:?} ${target:?} ${logs:?} ${root:?}"

# Repositories of the testbed with a recipe in another form than the one of its own name.
forms=(gitea-mariadb gitea-postgres keycloak-mariadb matrix-synapse-plain n8n-2)

# recipe_of REPOSITORY: whose folder it is for: gitea-mariadb is gitea's.
recipe_of() {
  local name=$1
  until [ -f "$root/recipes/$name/recipe.toml" ]; do
    case $name in
      *-*) name=${name%-*} ;;
      *) return 1 ;;
    esac
  done
  echo "$name"
}

# The wave: all recipes with a folder here and a repository in the testbed, and the other forms.
wave_of() {
  local folder
  for folder in "$root"/recipes/*/recipe.toml; do
    folder=$(basename "$(dirname "$folder")")
    if grep -qs '^pull = 1$' "$root/testbed/recipes/$folder/repository.toml"; then echo "$folder"; fi
  done
  printf '%s\n' "${forms[@]}"
}

# part_of N M < LIST: the N-th of M parts, so that neighbours in the list, which are alike, are in different parts.
part_of() { awk -v n="$1" -v m="$2" '(NR - 1) % m == n - 1'; }

# today_of M: which of M parts is today's: one after the other, by the day.
today_of() { echo $(($(date -u +%s) / 86400 % $1 + 1)); }

# summary < JOURNAL: what a run took, as one line of JSON. The time begins when it had its slot.
summary() {
  jq -s '
    def event(name): map(select(.event == name));
    (event("run-started")[0]) as $start | (event("run-ended")[0]) as $ended
    | (event("stage-ended") | map(select(.outcome != "skipped"))) as $stages
    | ($stages | map(select(.stage == "slot")) | .[0]) as $slot
    | { recipe: $start.recipe, form: ($start.source | split("/") | last), at: $start.at[0:10],
        verdict: ($ended.verdict.word // "none"), version: $start.head_version,
        seconds: (((($ended.ms // 0) - ($slot.took_ms // 0)) / 1000) | round),
        memory_mib: (([$stages[].used.apps[]? | select(.app == $start.recipe) | .memory_peak] | max // 0) / 1048576 | round),
        stages: [$stages[] | select(.stage | IN("prepare", "slot", "dependencies", "teardown", "prove") | not) | .stage],
        checks: (event("check-ended") | map(select(.check.outcome == "passed")) | length) }'
}

# proofs < JOURNAL: the tests that were red against every impostor, and what they were then.
proofs() {
  jq -s '
    (map(select(.event == "run-started"))[0]) as $start
    | { recipe: $start.recipe, at: $start.at[0:10], tests: $start.tests,
        red: ([.[] | select(.event == "check-ended" and .stage == "prove" and .check.outcome == "passed") | .check.name
               | select(contains(" against ")) | split(" against ")[0]] | unique) }'
}

# in_wave COMMAND REPOSITORY: run or prove.
in_wave() { "$target/cc-ci" "$1" "$(recipe_of "$2")" --source "$state/recipes/$2" --pr 1; }

# wave_line FILE: a row of the table.
wave_line() {
  jq -r '"\(.recipe)\t\(.form)\t\(.verdict)\t\(.seconds) s\t\(.memory_mib) MiB\t\(.checks)\t\(.stages | join(" "))"' "$1"
}

# wave [--part N/M] [--prove] [--write] [REPOSITORY…]
wave() {
  local recipes=() part='' prove='' write='' start=$SECONDS recipe pids=() code=0 log journal folder=$logs/wave
  while [ $# != 0 ]; do
    case $1 in
      --part) part=${2:?two numbers, such as 1/3, or today/3}; shift ;;
      --prove) prove=yes ;;
      --write) write=yes ;;
      -*) fail "test --recipes has no option $1: --part N/M, --prove, --write" ;;
      *) recipes+=("$1") ;;
    esac
    shift
  done
  if [ ${#recipes[@]} = 0 ]; then mapfile -t recipes < <(wave_of); fi
  if [ -n "$part" ]; then
    [[ $part =~ ^(today|[1-9][0-9]*)/[1-9][0-9]*$ ]] || fail "--part takes two numbers, such as 1/3, or today/3"
    local of=${part#*/} which=${part%/*}
    if [ "$which" = today ]; then which=$(today_of "$of"); fi
    mapfile -t recipes < <(printf '%s\n' "${recipes[@]}" | part_of "$which" "$of")
    say "part $which of $of of the wave: ${recipes[*]}"
  fi
  [ ${#recipes[@]} != 0 ] || fail "no recipe is in this part of the wave"
  local images=()
  for recipe in "${recipes[@]}"; do
    [ -f "testbed/recipes/$recipe/repository.toml" ] || fail "the testbed has no recipe $recipe; the wave has: $(wave_of | tr '\n' ' ')"
    # shellcheck disable=SC2207 # one word for each image
    images+=($(images_of "$recipe"))
  done
  # shellcheck disable=SC2046 # one word for each image
  setup $(printf '%s\n' "${images[@]}" | awk '!seen[$0]++')
  rm -rf "$folder"
  mkdir -p "$folder"
  for recipe in "${recipes[@]}"; do
    (
      ended=0
      in_wave run "$recipe" >"$folder/$recipe.log" 2>&1 || ended=$?
      # What is proven is the folder, in one form.
      if [ -n "$prove" ] && [ "$(recipe_of "$recipe")" = "$recipe" ]; then in_wave prove "$recipe" >"$folder/$recipe.prove.log" 2>&1 || ended=$?; fi
      exit "$ended"
    ) &
    pids+=($!)
  done
  for recipe in "${!recipes[@]}"; do
    if ! wait "${pids[$recipe]}"; then
      code=1
      say "red: ${recipes[$recipe]}; its log is $folder/${recipes[$recipe]}.log"
    fi
  done
  for log in "$folder"/*.log; do
    journal=$(sed -n 's/^ *journal: //p' "$log" | tail -n 1)
    [ -f "$journal" ] || continue
    case $log in
      *.prove.log) proofs <"$journal" >"${log%.log}.json" ;;
      *) summary <"$journal" >"${log%.log}.json" ;;
    esac
  done
  say ""
  {
    printf 'recipe\tform\tverdict\ttime\tmemory\tchecks\tstages\n'
    for log in "$folder"/*.json; do
      case $log in *.prove.json) ;; *) wave_line "$log" ;; esac
    done
  } | column -t -s "$(printf '\t')"
  say ""
  say "${#recipes[@]} recipes in $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
  if [ -n "$write" ]; then wave_evidence; fi
  return "$code"
}

# Adds what this wave showed to the committed evidence, from which docs/recipes.md is made. Red runs are none.
wave_evidence() {
  local file=$root/testbed/wave.json
  [ -f "$file" ] || echo '{"runs": [], "proofs": []}' >"$file"
  jq -s --slurpfile old "$file" '
    ($old[0]) as $old
    | ([.[] | select(.stages and .verdict == "passed")]) as $runs | ([.[] | select(.red)]) as $proofs
    | { runs: (($old.runs | map(select([.recipe, .form] as $key | $runs | all([.recipe, .form] != $key)))) + $runs | sort_by(.recipe, .form)),
        proofs: (($old.proofs | map(select(.recipe as $key | $proofs | all(.recipe != $key)))) + $proofs | sort_by(.recipe)) }
  ' "$logs"/wave/*.json >"$file.new"
  mv "$file.new" "$file"
  "$target/cc-ci" docs recipes >"$root/docs/recipes.md"
}
