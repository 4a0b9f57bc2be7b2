export KEYCLOAK_SH_VERSION=v1
export PG_BACKUP_VERSION=v1

# kcadm ARGUMENTS: Keycloak's own commands, logged in as the first administrator:
#   abra app cmd DOMAIN app kcadm get realms --fields realm
kcadm() {
  session=$(mktemp)
  trap 'rm -f "$session"' EXIT
  KC_CLI_PASSWORD=$(cat /run/secrets/admin_password) kcadm.sh config credentials --config "$session" \
    --server http://127.0.0.1:8080 --realm master --user "$KC_BOOTSTRAP_ADMIN_USERNAME" > /dev/null
  kcadm.sh "$@" --config "$session"
}
