use http_client::{Http, HttpConfig, Method};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use journal_fixtures as fixtures;

use journal::run_dir::RunDir;
use report::html::PNG;

const TOKEN: &str = "hunter2-hunter2-hunter2";

struct Scene {
    state: tempfile::TempDir,
    http: Http,
    url: String,
}

async fn scene() -> Scene {
    let state = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = router(state.path().to_owned(), RequiredToken::new(&TOKEN.into()).unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Scene { state, http: Http::new(&HttpConfig::default()).unwrap(), url }
}

impl Scene {
    async fn posts(&self, token: &str, path: &str, body: Vec<u8>) -> (u16, Option<RelayReply>) {
        let url = format!("{}/api/runs/{path}", self.url).parse().unwrap();
        let ask = self.http.ask(Method::POST, &url).bearer(&token.into()).body("application/x-ndjson", body);
        let answer = ask.send().await.unwrap();
        (answer.status, answer.json().ok())
    }

    fn nothing_is_there(&self) {
        assert_eq!(std::fs::read_dir(self.state.path()).unwrap().count(), 0);
    }
}

fn lines() -> Vec<u8> {
    fixtures::passed().iter().flat_map(|record| journal::line(record).unwrap()).collect()
}

fn place(first: usize) -> String {
    format!("{}/records?first={first}&sender=0123456789abcdef", fixtures::started().run)
}

#[tokio::test]
async fn who_has_not_the_token_gets_nowhere() {
    let scene = scene().await;
    for token in ["", "hunter2", "hunter2-hunter2-hunter3"] {
        for path in [place(0), "../../etc/records".to_owned(), "%2e%2e/records".to_owned()] {
            let (status, answer) = scene.posts(token, &path, lines()).await;
            assert!(status == 401 || status == 404, "{status} {answer:?}");
        }
    }
    let url = format!("{}/api/runs/{}", scene.url, place(0)).parse().unwrap();
    assert_eq!(scene.http.ask(Method::POST, &url).send().await.unwrap().status, 401);
    scene.nothing_is_there();
}

#[tokio::test]
async fn odd_addresses_and_odd_bodies_make_nothing() {
    let scene = scene().await;
    let run = fixtures::started().run;
    for path in [
        "..%2f..%2fetc/records?first=0&sender=0123456789abcdef".to_owned(),
        "%2e%2e/records?first=0&sender=0123456789abcdef".to_owned(),
        "a%00b/records?first=0&sender=0123456789abcdef".to_owned(),
        "UPPER/records?first=0&sender=0123456789abcdef".to_owned(),
        "%ff/records?first=0&sender=0123456789abcdef".to_owned(),
        format!("{run}/records"),
        format!("{run}/records?first=-1&sender=0123456789abcdef"),
        format!("{run}/records?first=0&sender=short"),
        format!("{run}/records?first=0&sender=0123456789%2f..%2f"),
    ] {
        let (status, _) = scene.posts(TOKEN, &path, lines()).await;
        assert!(status == 400 || status == 404, "{path}: {status}");
    }
    for (body, wanted) in [
        (b"rubbish\n".to_vec(), 400),
        (b"{\"event\":\"run-started\"}\n".to_vec(), 400),
        (vec![b'x'; BODY + 1], 413),
        (vec![0xff, b'\n'], 400),
    ] {
        assert_eq!(scene.posts(TOKEN, &place(0), body).await.0, wanted);
    }
    scene.nothing_is_there();
}

#[tokio::test]
async fn gaps_repeats_and_strangers_are_told_apart() {
    let scene = scene().await;
    let all = lines();
    let cut = all.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let (status, answer) = scene.posts(TOKEN, &place(1), all[cut..].to_vec()).await;
    assert_eq!((status, answer.unwrap().next), (409, Some(0)));
    for _ in 0..2 {
        let (status, answer) = scene.posts(TOKEN, &place(0), all[..cut].to_vec()).await;
        assert_eq!((status, answer.unwrap().next), (200, Some(1)));
    }
    let (status, answer) = scene.posts(TOKEN, &place(2), all[cut..].to_vec()).await;
    assert_eq!((status, answer.unwrap().next), (409, Some(1)));
    let other = place(1).replace("sender=0", "sender=9");
    let (status, answer) = scene.posts(TOKEN, &other, all[cut..].to_vec()).await;
    assert!(status == 403 && answer.unwrap().why.unwrap().contains("another process"));
    // Two at once from the same sender, as after a lost response.
    let (one, two) = (place(0), place(1));
    let (one, two) = tokio::join!(scene.posts(TOKEN, &one, all.clone()), scene.posts(TOKEN, &two, all[cut..].to_vec()));
    assert_eq!((one.0, two.0), (200, 200));
    let journal = RunDir::of(scene.state.path(), &fixtures::started().run).journal();
    assert_eq!(std::fs::read(journal).unwrap(), all);
}

#[tokio::test]
async fn a_run_whose_folder_is_here_need_not_report() {
    let scene = scene().await;
    let dir = RunDir::of(scene.state.path(), &fixtures::started().run);
    let _alive = dir.create().unwrap();
    let (status, answer) = scene.posts(TOKEN, &place(0), lines()).await;
    assert!(status == 200 && answer.unwrap().here);
    assert!(!dir.journal().exists());
}

#[tokio::test]
async fn pictures_come_only_from_the_run_they_belong_to() {
    let scene = scene().await;
    let run = fixtures::started().run;
    let picture = [PNG, b"what a browser showed"].concat();
    let to = |name: &str, sender: &str| format!("{run}/pictures/{name}?sender={sender}");
    let own = "0123456789abcdef";
    assert_eq!(scene.posts("hunter2", &to("a.png", own), picture.clone()).await.0, 401);
    let (status, _) = scene.posts(TOKEN, &to("a.png", own), picture.clone()).await;
    assert_eq!(status, 400, "nobody has heard of the run");
    scene.nothing_is_there();
    assert_eq!(scene.posts(TOKEN, &place(0), lines()).await.0, 200);
    assert_eq!(
        scene.posts(TOKEN, &to("a.png", "another-0123".replace('-', "").as_str()), picture.clone()).await.0,
        403
    );
    for odd in ["..%2f..%2fa.png", ".hidden.png", "a.html", "a%00.png"] {
        assert_eq!(scene.posts(TOKEN, &to(odd, own), picture.clone()).await.0, 400, "{odd}");
    }
    assert_eq!(scene.posts(TOKEN, &to("a.png", own), b"<script>".to_vec()).await.0, 400);
    assert_eq!(scene.posts(TOKEN, &to("a.png", own), [PNG, &vec![0; BODY]].concat()).await.0, 413);
    let artifacts = RunDir::of(scene.state.path(), &run).artifacts();
    assert!(!artifacts.exists());
    for again in [&picture, &[PNG, b"another one"].concat()] {
        assert_eq!(scene.posts(TOKEN, &to("a.png", own), again.clone()).await.0, 200);
        assert_eq!(std::fs::read(artifacts.join("a.png")).unwrap(), picture, "the first one stays");
    }
    for n in 1..200 {
        std::fs::write(artifacts.join(format!("{n}.png")), PNG).unwrap();
    }
    assert_eq!(scene.posts(TOKEN, &to("one-more.png", own), picture).await.0, 413);
}

#[tokio::test]
async fn who_has_not_the_token_is_told_so_before_the_body_has_come() {
    let scene = scene().await;
    let address = scene.url.strip_prefix("http://").unwrap();
    for path in [place(0), format!("{}/pictures/a.png?sender=0123456789abcdef", fixtures::started().run)] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!("POST /api/runs/{path} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nnot all of it");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut told = [0; 12];
        stream.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, b"HTTP/1.1 401", "{path}");
    }
    scene.nothing_is_there();
}
