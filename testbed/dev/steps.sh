# shellcheck shell=bash
# Steps of ./dev: each runs with its output in a file of its own, and says what it does while it works.
#
#   step NAME COMMAND…              runs the command and waits for it
#   start NAME COMMAND…; …; finish  runs several at once; `finish NAME` waits for that one alone
#   go_on=yes start NAME …          where this step fails, that is told and counted in `failed`; ./dev goes on
#
# On a terminal one live line shows every step that runs; elsewhere a line follows every 15 s. A function
# progress_SLUG may print how far its step is, from the step's log ($1). What a step took is kept in
# $state/times for the next time; the first time testbed/dev/times has it.

# The caller sets both.
: "${state:?} ${root:?}"
declare -A step_pid=() step_began=() step_log=() step_goes_on=() step_expected=()
running=()
failed=()
logs=$state/logs
mkdir -p "$logs" "$state/times"

is_terminal() { [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; }
say() { printf '%s\n' "$*"; }
fail() { printf 'dev: %s\n' "$*" >&2; exit 1; }
already() { say "✓ $1 (already there)"; }
slug() { printf '%s' "${1%%:*}" | tr -c 'a-z0-9' '_'; }

# 75 → 1:15, 9 → 9 s
clock() {
  if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); fi
}

# A number under a name, in a file of its own: steps that run at once do not disturb each other.
remember() { printf '%s\n' "$2" >"$state/times/$(slug "$1")"; }

# What the step took last time on this machine, or what it takes on two cores the first time.
expected() {
  cat "$state/times/$(slug "$1")" 2>/dev/null ||
    awk -F '\t' -v name="${1%%:*}" '$1 == name { print $2 }' "$root/testbed/dev/times"
}

start() {
  local name=$1
  shift
  step_log[$name]=$logs/$(slug "$name").log
  step_began[$name]=$SECONDS
  step_goes_on[$name]=${go_on:-}
  # A group of its own, so that all of it can be ended.
  set -m
  "$@" >"${step_log[$name]}" 2>&1 </dev/null &
  step_pid[$name]=$!
  set +m
  running+=("$name")
}

# Ends what still runs, when ./dev itself is ended.
end_steps() {
  local name
  for name in "${running[@]}"; do kill -- "-${step_pid[$name]}" 2>/dev/null || true; done
}
trap end_steps EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# How far one step is: "cc-ci: 212 of 407 crates, 1:32 of about 6:00".
shown() {
  local name=$1 how='' wanted took
  took=$((SECONDS - step_began[$name]))
  if declare -F "progress_$(slug "$name")" >/dev/null; then
    how=$("progress_$(slug "$name")" "${step_log[$name]}" 2>/dev/null || true)
  fi
  wanted=${step_expected[$name]:-$(expected "$name")}
  printf '%s: %s%s' "${name%%:*}" "${how:+$how, }" "$(clock "$took")"
  if [ -n "$wanted" ]; then printf ' of about %s' "$(clock "$wanted")"; fi
}

clear_line() { if is_terminal; then printf '\r\033[K'; fi; }

# One line for everything that runs for two seconds or more.
show() {
  local name line=''
  for name in "${running[@]}"; do
    if [ $((SECONDS - step_began[$name])) -ge 2 ]; then line+="${line:+ · }$(shown "$name")"; fi
  done
  if [ -z "$line" ]; then return; fi
  if is_terminal; then
    local width
    width=$(tput cols 2>/dev/null || echo 80)
    printf '\r\033[K  %s' "${line:0:$((width - 3))}"
  else
    say "  $line"
  fi
}

# ended NAME CODE
ended() {
  local name=$1 code=$2 took left=() other
  took=$((SECONDS - step_began[$name]))
  for other in "${running[@]}"; do if [ "$other" != "$name" ]; then left+=("$other"); fi; done
  running=("${left[@]}")
  clear_line
  if [ "$code" != 0 ] && [ -n "${step_goes_on[$name]}" ]; then
    say "✗ $name ($(clock "$took")); the whole output is in ${step_log[$name]}"
    failed+=("$name")
    return
  fi
  if [ "$code" != 0 ]; then
    tail -n 30 "${step_log[$name]}" >&2
    fail "$name failed after $(clock "$took"); the whole output is in ${step_log[$name]}"
  fi
  if [ "$took" -ge 2 ]; then remember "$name" "$took"; fi
  say "✓ $name ($(clock "$took"))"
}

# is_running [NAME]: that step, or any.
is_running() {
  local name
  for name in "${running[@]}"; do if [ -z "${1:-}" ] || [ "$name" = "$1" ]; then return 0; fi; done
  return 1
}

# finish [NAME]: waits for that step, or for every step that was started.
finish() {
  local name code spoke=$SECONDS
  while is_running "${1:-}"; do
    for name in "${running[@]}"; do
      if ! kill -0 "${step_pid[$name]}" 2>/dev/null; then
        code=0
        wait "${step_pid[$name]}" || code=$?
        ended "$name" "$code"
      fi
    done
    if is_terminal; then
      show
    elif [ $((SECONDS - spoke)) -ge 15 ]; then
      show
      spoke=$SECONDS
    fi
    if is_running "${1:-}"; then sleep 0.3; fi
  done
  clear_line
}

step() {
  start "$@"
  finish "$1"
}
