export APP_INI_VERSION=v1
export GITEA_SH_VERSION=v1
export DB_BACKUP_VERSION=v1

# Make an administrator: abra app cmd DOMAIN app add_admin NAME MAIL; the password is shown once.
add_admin() {
  gitea admin user create --admin --username "$1" --email "$2" --random-password --must-change-password=false
}

# A token for the API: abra app cmd DOMAIN app add_token NAME
add_token() {
  gitea admin user generate-access-token --username "$1" --token-name "abra-$(date +%s)" --scopes all --raw
}
