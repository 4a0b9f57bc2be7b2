//! A forge whose certificate authority nobody knows.

use testforge::{Authority, Proxy};

use super::super::support::own_state;
use super::scene::Scene;
use super::server::Server;

/// The last step: its server has a state folder of its own, and no other one may answer the same comments.
pub(super) async fn a_forge_with_an_authority_of_its_own(scene: &mut Scene<'_>) {
    drop(scene.take_server());
    let authority = Authority::new();
    let proxy = Proxy::start_tls(scene.gitea.url().await, &authority).await;
    let state = own_state();
    let mut stranger = Server::start(scene.command(proxy.url(), state.path()));
    let said = stranger.says("the forge cannot be watched yet").await;
    assert!(said.contains("certificate"), "{said}");
    drop(stranger);

    let file = state.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let mut command = scene.command(proxy.url(), state.path());
    command.env("CCCI_FORGE_CA_FILE", &file);
    let mut server = Server::start(command);
    server.says("cc-ci answers on https://").await;
    let pull = scene.pull().await;
    // git fetches the commit over the same TLS.
    pull.says("!testme only=install").await;
    pull.answer(&["### ✓ passed, in part", &pull.head]).await;
    pull.has_status("cc-ci (in part)", "success").await;
    assert!(server.stop().await.success());
    assert!(proxy.asked().iter().any(|line| line.contains(".git/info/refs")), "git came this way");
    pull.nothing_is_left().await;
}
