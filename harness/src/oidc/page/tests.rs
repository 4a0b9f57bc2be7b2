use super::*;
use proptest::prelude::*;

const LOGIN: &str = r#"<!doctype html><html><head><title>Sign in to r</title>
    <script>document.write("<form method=post><input type=password name=trap></form>")</script></head>
    <body id="keycloak-bg" data-page-id="login-login">
    <!-- <form method="post"><input type="password" name="trap"></form> -->
    <h1 id="kc-page-title">Sign in
       to your account</h1>
    <form id="kc-form-login" action="https://id.ci/a?x=1&amp;y=%C3%A4" method="POST">
      <input id="username" name="username" value="an&quot;n" type="text"/>
      <input name="password" type="password"><input type="hidden" name="credentialId" />
      <input type="checkbox" name="rememberMe"><input type="submit" name="login" value="Go">
      <div id="input-error-container-username"></div>
      <div id="input-error"><div>Invalid <b>username</b></div> or password.</div>
    </form><form action="/other"><input name="q"></form></body></html>"#;

#[test]
fn a_login_page_is_understood() {
    let page = LoginPage::read(LOGIN);
    assert_eq!(page.name.as_deref(), Some("login-login"));
    assert_eq!(page.title, "Sign in to your account");
    assert_eq!(page.said.as_deref(), Some("Invalid username or password."));
    assert_eq!(page.forms.len(), 2);
    let form = page.login_form().unwrap();
    assert_eq!(form.action, "https://id.ci/a?x=1&y=%C3%A4");
    let fields: Vec<_> = form.fields.iter().map(|f| (f.name.as_str(), f.value.as_str(), f.kind)).collect();
    assert_eq!(
        fields,
        [("username", "an\"n", Kind::Text), ("password", "", Kind::Password), ("credentialId", "", Kind::Given)]
    );
}

#[test]
fn a_form_for_a_new_password_is_not_for_a_login() {
    let html = "<form method=post><input type=password name=new><input type=password name=again></form>";
    assert_eq!(LoginPage::read(html).login_form(), None);
    let html = "<form><input type=password name=p></form>";
    assert_eq!(LoginPage::read(html).login_form(), None, "a password would be part of the address");
    assert!(LoginPage::read("<form method=post id=kc-form-login><input name=username></form>").login_form().is_some());
}

proptest! {
    #[test]
    fn any_text_is_some_page(html in "(<(form|input|div|h1|title|/form|/div)( (id|name|class|method)=[a-z\"'-]{0,9}){0,3}/?>|[ -~]{0,9}){0,40}") {
        let page = LoginPage::read(&html);
        prop_assert!(page.title.chars().count() <= 400);
    }

    #[test]
    fn what_is_sent_is_what_the_page_holds(value in "[ -~]{0,30}") {
        let escaped = value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let page = LoginPage::read(&format!("<form method=post><input type=hidden name=a value=\"{escaped}\"></form>"));
        prop_assert_eq!(&page.forms[0].fields[0].value, &value);
    }
}
