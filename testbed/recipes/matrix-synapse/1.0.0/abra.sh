export HOMESERVER_YAML_VERSION=v1
export PG_BACKUP_VERSION=v1

# Make a user: abra app cmd DOMAIN app add_user NAME PASSWORD
add_user() {
  register_new_matrix_user -c "$SYNAPSE_CONFIG_PATH" -u "$1" -p "$2" --no-admin http://127.0.0.1:8008
}
