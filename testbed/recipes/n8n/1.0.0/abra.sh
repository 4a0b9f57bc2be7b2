export N8N_SH_VERSION=v1

# The workflows, with their ids: abra app cmd DOMAIN app workflows
workflows() {
  n8n list:workflow
}

# Forget the owner, who can then be set up again: abra app cmd DOMAIN app reset_owner
reset_owner() {
  n8n user-management:reset
}
