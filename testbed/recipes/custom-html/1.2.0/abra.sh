export NGINX_CONF_VERSION=v2

# Replace the front page: abra app cmd DOMAIN app set_page "text"
set_page() {
  printf '%s\n' "$1" > /usr/share/nginx/html/index.html
}
