#!/usr/bin/env bash
# The yardstick of `./dev bench`: the stages of a run as one would script them without cc-ci, with
# `docker stack deploy`, a look every second, and `docker stack rm`. Takes STACK, BASE, HEAD, URL,
# RESOLVE and CA from its environment.
set -euo pipefail

until_true() {
  until "$@"; do sleep 1; done
}
healthy() {
  local service id state
  for service in $(docker stack services -q "$STACK"); do
    id=$(docker ps -q --filter "label=com.docker.swarm.service.id=$(docker service inspect -f '{{.ID}}' "$service")" | head -n 1)
    [ -n "$id" ] || return 1
    state=$(docker inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$id")
    [ "$state" = healthy ] || [ "$state" = running ] || return 1
  done
}
updated() {
  local service
  for service in $(docker stack services -q "$STACK"); do
    [ "$(docker service inspect -f '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' "$service")" = completed ] || return 1
  done
}
# One container for each service: the one of before has ended.
alone() {
  [ "$(docker ps -q --filter "label=com.docker.stack.namespace=$STACK" | wc -l)" = "$(docker stack services -q "$STACK" | wc -l)" ]
}
# Runs a command in the container of service app.
inside() {
  docker exec "$(docker ps -q --filter "label=com.docker.swarm.service.name=${STACK}_app" | head -n 1)" sh -c "$1"
}
answers() {
  curl -fsS -o /dev/null --cacert "$CA" --resolve "$RESOLVE" "$URL" 2>/dev/null
}
gone() {
  [ -z "$(docker ps -aq --filter "label=com.docker.stack.namespace=$STACK")" ] &&
    [ -z "$(docker network ls -q --filter "label=com.docker.stack.namespace=$STACK")" ]
}
deploy() {
  (cd "$(dirname "$1")" && docker stack deploy -c "$1" "$STACK" >/dev/null 2>&1)
}
remove() {
  docker stack rm "$STACK" >/dev/null
  until_true gone
  docker volume ls -q --filter "label=com.docker.stack.namespace=$STACK" | xargs -r docker volume rm >/dev/null
}
bot() {
  docker exec -e SERVICE="$STACK" "$(docker ps -q --filter label=com.docker.swarm.service.name="$(docker service ls -q --filter label=coop-cloud.backupbot.enabled=true | head -n 1 | xargs docker service inspect -f '{{.Spec.Name}}')" | head -n 1)" /usr/bin/backup -- "$@" >/dev/null
}

trap 'docker stack rm "$STACK" >/dev/null 2>&1 || true' EXIT
deploy "$BASE"; until_true healthy; until_true answers
inside 'echo seeded > /usr/share/nginx/html/seeded.txt'
deploy "$HEAD"; until_true updated; until_true alone; until_true answers
inside 'grep -q seeded /usr/share/nginx/html/seeded.txt'
bot create
bot ls
inside 'rm /usr/share/nginx/html/seeded.txt'
bot restore; until_true healthy; until_true answers
inside 'grep -q seeded /usr/share/nginx/html/seeded.txt'
remove
deploy "$HEAD"; until_true healthy; until_true answers
remove
