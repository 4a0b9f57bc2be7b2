# Sourced by this recipe's scripts: mailboxes, and mail that is sent and read as people's programs do.
. "$CCCI_SH"

# new_mailbox NAME: $address and $password of a new one, made by the command of Mailu's admin, which takes no password by
# a file. It goes by standard input up to the container.
new_mailbox() {
  address=$1-$(random_hex 4)@$CCCI_DOMAIN
  password=A1-$(random_hex 12)
  printf '%s\n' "$password" >> "$CCCI_WORK/secrets"
  # shellcheck disable=SC2016 # the container's shell reads it
  printf '%s' "$password" |
    "$CCCI_EXEC" admin -- sh -c 'exec flask mailu user "$1" "$2" "$(cat)"' sh "${address%@*}" "${address#*@}"
}

# act_as ADDRESS PASSWORD: who asks from now on.
act_as() {
  address=$1
  password=$2
}

# login: who asks, as a file for curl, with $address and $password.
login() {
  printf 'user = "%s:%s"\n' "$address" "$password"
}

# smtp PORT FROM TO SUBJECT TEXT [CURL ARGUMENTS]: sends a mail, and prints what the server said last; fails when it refuses.
smtp() {
  local at said code=0
  at=$(published "$1")
  said=$(printf 'From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\n\r\n%s\r\n' \
    "$2" "$3" "$4" "$(date -R)" "$(random_hex 8)" "$CCCI_DOMAIN" "$5" |
    curl -sv --connect-timeout 5 --max-time 30 --mail-from "$2" --mail-rcpt "$3" --upload-file - "${@:6}" "smtp://$at" 2>&1) ||
    code=$?
  # Only what the server said: the rest has the password. Its good-bye is no answer.
  grep '^< ' <<< "$said" | grep -v '^< 221' | tail -n 1 || echo "nothing but: ${said##*$'\n'}"
  return "$code"
}

# submit TO SUBJECT TEXT: the same from $address, who is logged in.
submit() {
  smtp 587 "${from:-$address}" "$@" --config <(login)
}

# imap FOLDER [CURL ARGUMENTS]: what the mailbox of $address says.
imap() {
  local at
  at=$(published 143)
  curl -sS --connect-timeout 5 --max-time 30 --config <(login) "imap://$at/$1" "${@:2}"
}

# with_subject SUBJECT: the numbers of the mails in the mailbox of $address that have it.
with_subject() {
  local said
  said=$(imap INBOX --request "SEARCH SUBJECT $1") || fail "$address does not get into the mailbox"
  tr -d '\r' <<< "$said" | sed -n 's/^\* SEARCH *//p'
}

# delivered SUBJECT: that mail in the mailbox of $address, which may be on its way.
delivered() {
  local number end=$((SECONDS + 60))
  while number=$(with_subject "$1") && [ -z "$number" ]; do
    [ "$SECONDS" -lt "$end" ] || fail "$1 did not arrive at $address in 60 s"
    sleep 0.25
  done
  imap "INBOX;MAILINDEX=${number%% *}"
}

# goes_on: $address, of before, still sends mail and gets it.
goes_on() {
  local mark
  mark=again-$(random_hex 6)
  submit "$address" "$mark" "still here" > /dev/null
  holds "the new mail" "$(delivered "$mark")" "From: <$address>" "still here"
}
