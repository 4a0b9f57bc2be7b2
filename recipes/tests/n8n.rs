//! n8n's switch for workflows, against stand-ins of both ways that servers have it.

use std::process::{Command, Output};

#[cfg(test)]
mod tests {
    use super::*;

    /// The server in curl's place. It knows one workflow, writes down what is asked of it, and refuses as n8n does. What
    /// n8n 2 was told shows one answer late.
    const CURL: &str = r#"#!/usr/bin/env bash
while [ $# != 0 ]; do
  case $1 in
    --request) method=$2 ;;
    https://*) path=${1#https://app} ;;
  esac
  shift
done
body=$(cat)
echo "$method $path $body" >> "$CCCI_WORK/asked"
refuse() { echo "{\"message\":\"$2\"}"; echo "curl: (22) The requested URL returned error: $1" >&2; exit 22; }
case "$SERVER $method $path" in
  *" OPTIONS /webhook/p")
    printf 'HTTP/2 204\r\naccess-control-allow-methods: OPTIONS%s\r\n\r\n' "$(cat "$CCCI_WORK/now")"
    cp "$CCCI_WORK/next" "$CCCI_WORK/now"
    exit ;;
  "2 POST /rest/workflows/w/activate") active=true; before='' after=', POST' ;;
  "2 POST /rest/workflows/w/deactivate") active=false; before=', POST' after='' ;;
  "1 PATCH /rest/workflows/w")
    active=$(grep -oE 'true|false' <<< "$body")
    if [ "$active" = true ]; then after=', POST'; else after=''; fi
    before=$after ;;
  "2 PATCH /rest/workflows/w") active=unchanged ;;
  "broken POST "*) refuse 500 "out of order" ;;
  *) refuse 404 "Not Found" ;;
esac
printf '%s' "$before" > "$CCCI_WORK/now"
printf '%s' "$after" > "$CCCI_WORK/next"
echo "{\"data\":{\"id\":\"w\",\"active\":$active}}"
"#;

    fn switch(server: &str, workflow: &str, active: &str) -> (Output, String) {
        let dir = tempfile::tempdir().unwrap();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        std::fs::write(dir.path().join("curl"), CURL).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path().join("curl"), mode).unwrap();
        let lines = r#"PATH=$CCCI_WORK:$PATH; set -euo pipefail; . "$LIB"; owner_session=s; switch "$1" v "$2" p"#;
        let output = Command::new("bash")
            .args(["-c", lines, "bash", workflow, active])
            .env("LIB", format!("{root}/recipes/n8n/lib/n8n.sh"))
            .env("CCCI_SH", format!("{root}/harness/src/shell/ccci.sh"))
            .envs([("CCCI_URL", "https://app"), ("CCCI_CA", "ca"), ("SERVER", server)])
            .env("CCCI_WORK", dir.path())
            .output()
            .unwrap();
        let asked = std::fs::read_to_string(dir.path().join("asked")).unwrap();
        (output, asked)
    }

    #[test]
    fn a_workflow_is_switched_as_the_server_has_it() {
        let look = "OPTIONS /webhook/p \n";
        for (active, verb) in [("true", "activate"), ("false", "deactivate")] {
            let post = format!("POST /rest/workflows/w/{verb} {{\"versionId\":\"v\"}}\n");
            let (output, asked) = switch("2", "w", active);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(asked, format!("{post}{look}{look}"));
            let (output, asked) = switch("1", "w", active);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let patch = format!("PATCH /rest/workflows/w {{\"active\":{active},\"versionId\":\"v\"}}\n");
            assert_eq!(asked, format!("{post}{patch}{look}"));
        }
    }

    #[test]
    fn what_is_not_switched_is_red() {
        for (server, workflow) in [("1", "none"), ("2", "none"), ("broken", "w")] {
            let (output, asked) = switch(server, workflow, "true");
            assert_eq!(output.status.code(), Some(1), "{server}: {asked}");
        }
    }
}
