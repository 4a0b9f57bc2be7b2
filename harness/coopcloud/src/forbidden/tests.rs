use std::collections::BTreeMap;

use super::*;

fn load(files: &[&str]) -> Vec<String> {
    let domain: Domain = "app-1234567.ci.localhost".parse().unwrap();
    let stack = domain.stack();
    let vars = [("STACK_NAME", stack.as_str()), ("DOMAIN", domain.as_str()), ("PATH", "/bin"), ("LEAK", "/etc/shadow")];
    let vars: BTreeMap<_, _> = vars.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let files: Vec<_> = files.iter().map(|text| ("c.yml".to_owned(), (*text).to_owned())).collect();
    let compose = Compose::load(&files, &vars).unwrap();
    let owner = Owner { stack: &stack, domain: &domain };
    forbidden(&compose, &owner).iter().map(ToString::to_string).collect()
}

fn service(service: &str) -> Vec<String> {
    load(&[&format!("services: {{app: {{image: a, {service}}}}}\n")])
}

fn stack(sections: &str) -> Vec<String> {
    load(&[&format!("services: {{app: {{image: a}}}}\n{sections}\n")])
}

fn label(label: &str) -> Vec<String> {
    service(&format!("deploy: {{labels: ['{label}']}}"))
}

#[track_caller]
fn one(found: &[String], case: &str, mark: &str) {
    assert!(found.len() == 1 && found[0].contains(mark), "{case}: {found:?}");
}

#[test]
fn each_reach_for_the_host_is_named() {
    for (case, mark) in [
        ("volumes: ['/var/run/docker.sock:/x']", "docker socket"),
        ("volumes: [{type: bind, source: /var/run/docker.sock, target: /s}]", "docker socket"),
        ("volumes: ['/etc:/x:ro']", "/etc of the host"),
        ("volumes: ['./nginx.conf:/x']", "./nginx.conf of the host"),
        ("volumes: ['~/:/x']", "~/ of the host"),
        ("volumes: ['${LEAK}:/x']", "/etc/shadow of the host"),
        ("volumes: ['${EVIL:-/etc}:/x:ro']", "/etc of the host"),
        ("volumes: ['/etc/localtime:/etc/localtime']", "/etc/localtime"),
        ("volumes: ['/etc/localtime:/etc/localtime:ro,rw']", "/etc/localtime"),
        ("volumes: [{type: bind, source: /, target: /x}]", "/ of the host"),
        ("volumes: [{type: BIND, source: /etc, target: /x}]", "type \"BIND\""),
        ("volumes: [{type: npipe, source: /etc, target: /x}]", "npipe"),
        ("volumes: [{type: cluster, source: x, target: /x}]", "cluster"),
        ("volumes: [{type: volume, source: /etc, target: /x}]", "no name of a volume"),
        ("volumes: [{type: volume, source: x, target: /x, volume: {subpath: ../..}}]", "subpath"),
        ("privileged: true", "privileged"),
        ("privileged: 'true'", "privileged"),
        ("privileged: yes", "privileged"),
        ("cap_add: [NET_ADMIN]", "cap_add"),
        ("cap_add: ALL", "cap_add"),
        ("devices: ['/dev/kmsg']", "devices"),
        ("sysctls: {net.ipv4.ip_forward: 1}", "sysctls"),
        ("sysctls: ['kernel.shmmax=1']", "sysctls"),
        ("security_opt: ['seccomp:unconfined']", "security_opt"),
        ("userns_mode: host", "userns_mode"),
        ("network_mode: host", "network_mode"),
        ("network_mode: 'container:x'", "network_mode"),
        ("networks: [host]", "network"),
        ("networks: {a: {driver_opts: {x: y}}}", "driver_opts"),
        ("pid: host", "pid"),
        ("ipc: host", "ipc"),
        ("cgroupns_mode: host", "cgroupns_mode"),
        ("cgroup_parent: /x", "cgroup_parent"),
        ("credential_spec: {file: /etc/passwd}", "credential_spec"),
        ("isolation: process", "isolation"),
        ("oom_score_adj: -1000", "oom_score_adj"),
        ("extends: {file: other.yml, service: x}", "extends"),
        ("volumes_from: [x]", "volumes_from"),
        ("logging: {driver: syslog, options: {syslog-address: 'tcp://127.0.0.1:1'}}", "uses the log driver syslog"),
        ("deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}", "devices"),
        ("env_file: /etc/shadow", "outside"),
        ("env_file: [a.env, ../x]", "leads out"),
        ("env_file: .git/config", "git's own"),
        ("env_file: [{path: /etc/shadow}]", "no path"),
        ("environment: {A: '${PATH}'}", "PATH"),
        ("environment: [HOME]", "HOME"),
        ("environment: {DOCKER_HOST: }", "DOCKER_HOST"),
        ("command: '${DOCKER_CONFIG:-x}'", "DOCKER_CONFIG"),
        ("labels: {cc-ci.run: x}", "a recipe may not set it"),
    ] {
        one(&service(case), case, mark);
    }
}

#[test]
fn each_reach_for_somebody_elses_objects_is_named() {
    for (case, mark) in [
        ("volumes: {v: {driver: local, driver_opts: {type: none, o: bind, device: /run}}}", "device /run"),
        ("volumes: {v: {driver_opts: {type: tmpfs, device: tmpfs, o: 'size=1m,bind'}}}", "driver_opts"),
        ("volumes: {v: {driver_opts: {type: tmpfs, device: /, o: ''}}}", "driver_opts"),
        ("volumes: {v: {driver: nfs}}", "driver"),
        ("volumes: {v: {external: true, name: app-1234567_ci_localhost_v}}", "is foreign"),
        ("volumes: {v: {external: 'yes', name: app-1234567_ci_localhost_v}}", "is foreign"),
        ("volumes: {v: {name: victim}}", "victim"),
        ("volumes: {v: {name: app-1234567_ci_localhost2_v}}", "does not begin"),
        ("volumes: {v: {x-cluster-spec: {group: g}}}", "x-cluster-spec"),
        ("volumes: {v: {labels: ['com.docker.stack.namespace=x']}}", "a recipe may not set it"),
        ("configs: {c: {external: true, name: app-1234567_ci_localhost_c}}", "is foreign"),
        ("configs: {c: {name: other_c, file: a}}", "other_c"),
        ("configs: {c: {file: /etc/shadow}}", "outside"),
        ("configs: {c: {file: './sub/../../etc/shadow'}}", "leads out"),
        ("configs: {c: {file: '${LEAK}'}}", "outside"),
        ("configs: {c: {file: .git/config}}", "git's own"),
        ("configs: {c: {environment: TOKEN}}", "environment"),
        ("configs: {c: {file: a, template_driver: x}}", "template_driver"),
        ("secrets: {s: {external: true, name: victim_s_v1}}", "victim_s_v1"),
        ("secrets: {s: {external: true}}", "called \"s\""),
        ("secrets: {s: {external: {name: cc-ci-world_key}}}", "cc-ci-world_key"),
        ("secrets: {s: {file: '~/.ssh/id'}}", "outside"),
        ("secrets: {s: {driver: x}}", "driver"),
        ("networks: {n: {external: true}}", "is foreign"),
        ("networks: {n: {driver: macvlan}}", "driver"),
        ("networks: {n: {driver_opts: {parent: eth0}}}", "driver_opts"),
        ("networks: {n: {ipam: {driver: x}}}", "ipam"),
        ("networks: {n: {name: cc-ci-world_default}}", "does not begin"),
        ("include: [other.yml]", "include"),
    ] {
        let found = stack(case);
        assert!(!found.is_empty() && found.iter().any(|text| text.contains(mark)), "{case}: {found:?}");
    }
    for name in ["host", "bridge", "cc-ci-world_default"] {
        assert_eq!(stack(&format!("networks: {{n: {{external: true, name: {name}}}}}")).len(), 2, "{name}");
    }
}

#[test]
fn no_file_can_hide_what_another_says() {
    let app = "services: {app: {image: a}}\n";
    let bind = "volumes: {v: {driver_opts: {type: none, o: bind, device: /run}}}\n";
    let plain = "services: {app: {image: a, volumes: ['v:/x']}}\nvolumes: {v: {driver_opts: {type: tmpfs}}}\n";
    assert!(load(&[app, bind]).iter().any(|text| text.contains("/run")));
    assert!(load(&[&format!("{app}{bind}"), plain]).iter().any(|text| text.contains("/run")));
    let (external, named) = ("networks: {n: {external: true}}\n", "networks: {n: {name: host}}\n");
    assert!(!load(&[&format!("{app}{named}"), external]).is_empty());
    assert!(!load(&[&format!("{app}{external}"), named]).is_empty());
    assert!(
        !load(&["services: {app: {image: a, volumes: ['/etc:/x']}}", "services: {app: {volumes: ['v:/x']}}"])
            .is_empty()
    );
}

#[test]
fn what_comes_by_an_anchor_counts() {
    let text = "x-a: &a {cap_add: [SYS_ADMIN]}\nservices: {app: {image: a, <<: *a}}\n";
    one(&load(&[text]), text, "cap_add");
}

#[test]
fn labels_that_reach_out_are_named() {
    for (case, mark) in [
        ("cc-ci.owner=x", "a recipe may not set it"),
        ("com.docker.stack.namespace=victim", "a recipe may not set it"),
        ("coop-cloud.backupbot.enabled=true", "backup bot"),
        ("traefik.tls.stores.default.defaultcertificate.certfile=x", "certificates"),
        ("traefik.http.routers.${STACK_NAME}.rule=PathPrefix(`/`)", "any host"),
        ("Traefik.HTTP.Routers.${STACK_NAME}.Rule=PathPrefix(`/`)", "any host"),
        ("traefik.http.routers.${STACK_NAME}.rule=Host(`victim.ci.localhost`)", "victim.ci.localhost"),
        ("traefik.http.routers.evil.rule=Host(`${DOMAIN}`)", "names in traefik are shared"),
        ("traefik.http.routers.${STACK_NAME}2.rule=Host(`${DOMAIN}`)", "names in traefik are shared"),
        ("traefik.http.services.evil.loadbalancer.server.port=80", "names in traefik are shared"),
        ("traefik.http.services.${STACK_NAME}.loadbalancer.server.url=http://127.0.0.1", "backend"),
        ("traefik.tcp.services.${STACK_NAME}.loadbalancer.servers[0].address=127.0.0.1:1", "backend"),
        ("traefik.http.services.${STACK_NAME}.mirroring.service=x", "backend"),
        ("traefik.http.routers.${STACK_NAME}.service=api@internal", "own service"),
        ("traefik.http.routers.${STACK_NAME}.service=victim_ci_localhost@docker", "own service"),
        ("traefik.tcp.routers.${STACK_NAME}.rule=HostSNI(`*`)", "share"),
        ("traefik.http.routers.${STACK_NAME}.rule=HostSNI(`*`)", "every name"),
    ] {
        one(&label(case), case, mark);
    }
    let shared = "deploy: {labels: ['traefik.tcp.routers.${STACK_NAME}.rule=HostSNI(`*`)', 'traefik.tcp.routers.${STACK_NAME}.entrypoints=ssh, web-secure']}";
    one(&service(shared), shared, "share");
}

#[test]
fn keys_that_nobody_knows_are_docker_s_to_refuse() {
    let domain: Domain = "a.b".parse().unwrap();
    let owner = Owner { stack: &domain.stack(), domain: &domain };
    for text in [
        "services: {app: {image: a, heathcheck: {}}}",
        "services: {app: {image: a, deploy: {x: 1}}}",
        "services: {app: {image: a}}\nconfigs: {c: {content: x}}",
        "services: {app: {image: a}}\nmodels: {}",
        "services: {'<b>': {image: a}}",
        "services: {app: {image: a}}\nvolumes: {'a/b': }",
    ] {
        let compose = Compose::load(&[("c.yml".to_owned(), text.to_owned())], &BTreeMap::new()).unwrap();
        let found = forbidden(&compose, &owner);
        assert!(matches!(found.as_slice(), [ForbiddenFinding::Unknown(_)]), "{text}: {found:?}");
    }
}

#[test]
fn what_recipes_do_is_allowed() {
    let text = r#"
version: "3.8"
x-env: &env { A: 1 }
services:
  app:
    image: a:1
    build: .
    environment: { <<: *env, DOMAIN: , STACK_NAME: "${STACK_NAME}", TZ: "${TZ:-UTC}" }
    env_file: [app.env]
    cap_add: [NET_BIND_SERVICE, CAP_CHOWN]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    logging: { driver: json-file, options: { max-size: 1m } }
    sysctls: { net.core.somaxconn: 511 }
    networks: { proxy: , internal: { aliases: [x] } }
    volumes:
      - "data:/x"
      - "/anonymous"
      - "/etc/localtime:/etc/localtime:ro"
      - { type: tmpfs, target: /t, tmpfs: { size: 1000 } }
      - { type: volume, source: data, target: /h, volume: { nocopy: true } }
    configs: [{ source: c, target: /c, mode: 0555 }]
    deploy:
      replicas: 1
      placement: { constraints: [node.role == manager] }
      resources: { limits: { memory: 1G }, reservations: { memory: 1G } }
      labels:
        - "traefik.enable=true"
        - "traefik.docker.network=proxy"
        - "traefik.http.services.${STACK_NAME}.loadbalancer.server.port=80"
        - "traefik.http.routers.${STACK_NAME}.rule=Host(`${DOMAIN}`${EXTRA_DOMAINS})"
        - "traefik.http.routers.${STACK_NAME}-api.rule=Host(`${DOMAIN}`) && PathPrefix(`/api`)"
        - "traefik.http.routers.${STACK_NAME}-api.service=${STACK_NAME}"
        - "traefik.http.routers.${STACK_NAME}.middlewares=redirect@file"
        - "traefik.http.middlewares.any-name.redirectregex.regex=^x"
        - "traefik.tcp.routers.${STACK_NAME}-ssh.rule=HostSNI(`*`)"
        - "traefik.tcp.routers.${STACK_NAME}-ssh.entrypoints=gitea-ssh"
        - "traefik.udp.routers.${STACK_NAME}.entrypoints=mumble-udp"
        - "coop-cloud.${STACK_NAME}.version=1.0.0+1"
        - "backupbot.backup=true"
        - "swarm.cronjob.enable=true"
networks:
  proxy: { external: true }
  internal: { driver: overlay, ipam: { config: [{ subnet: 10.1.0.0/24 }] } }
volumes:
  data:
  named: { name: "${STACK_NAME}_named" }
  fast: { driver: local, driver_opts: { type: tmpfs, device: tmpfs, o: "size=100m,uid=1000" } }
configs:
  c: { name: "${STACK_NAME}_c_v1", file: ./c.tmpl, template_driver: golang }
secrets:
  s: { external: true, name: "${STACK_NAME}_s_v1" }
"#;
    assert_eq!(load(&[text]), Vec::<String>::new());
    assert_eq!(
        load(&[
            text,
            "version: '3.8'\nservices: {app: {image: b}}\nnetworks: {proxy: {external: true, name: proxy}}\n"
        ]),
        Vec::<String>::new()
    );
}

#[test]
fn the_documentation_has_the_same_table() {
    let text = include_str!("../../../../docs/security.md");
    for [what, may, may_not] in RULES {
        let row = format!("| {what} | {may} | {may_not} |");
        assert!(text.contains(&row), "docs/security.md has no row {row}");
    }
}
