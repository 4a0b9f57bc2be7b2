//! Detects the database in an image by its name. Publishers repack the same few servers under many names.

/// The databases that can be accessed without knowing the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL, with any extensions.
    Postgres,
    /// MariaDB, MySQL, Percona Server: they use one protocol.
    Mariadb,
}

/// Last parts of PostgreSQL images' names. Sources: the projects' own pages on their images (PostGIS, pgvector,
/// TimescaleDB, Citus, ParadeDB, Supabase, Bitnami, Zalando's Spilo); pgautoupgrade by public notes on recipes.
const POSTGRES: &[&str] = &[
    "postgres",
    "postgresql",
    "postgresql-repmgr",
    "postgis",
    "pgvector",
    "pgvecto-rs",
    "pgvecto.rs",
    "vchord-postgres",
    "timescaledb",
    "timescaledb-ha",
    "timescaledb-postgis",
    "pgautoupgrade",
    "docker-pgautoupgrade",
    "citus",
    "paradedb",
    "spilo",
    "alpine-postgres",
    "postgres-alpine",
];

/// The same for MariaDB, MySQL and Percona Server.
const MARIADB: &[&str] = &[
    "mariadb",
    "mariadb-galera",
    "mysql",
    "mysql-server",
    "community-server",
    "percona",
    "percona-server",
    "percona-xtradb-cluster",
    "alpine-mariadb",
    "alpine-mysql",
];

impl Engine {
    /// The database in a service's image; `None` for others, such as an exporter or a backup of one.
    pub fn of_image(image: &str) -> Option<Self> {
        let name = image.split('@').next()?.rsplit('/').next()?.split(':').next()?.to_ascii_lowercase();
        // Spilo's name contains the version of the server.
        let name = name.strip_prefix("spilo-").map_or(name.as_str(), |_| "spilo");
        if POSTGRES.contains(&name) {
            return Some(Self::Postgres);
        }
        MARIADB.contains(&name).then_some(Self::Mariadb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_known_by_each_of_its_images_and_its_tools_are_none() {
        for image in [
            "postgres:15",
            "docker.io/library/postgres:16-alpine",
            "postgis/postgis:17-3.5-alpine",
            "ghcr.io/baosystems/postgis",
            "pgvector/pgvector:pg16",
            "timescale/timescaledb:2.15-pg16",
            "timescale/timescaledb-ha:pg16@sha256:00",
            "pgautoupgrade/pgautoupgrade:16-alpine",
            "bitnami/postgresql:16",
            "bitnamilegacy/postgresql:16",
            "ghcr.io/immich-app/postgres:14-vectorchord0.4",
            "tensorchord/pgvecto-rs:pg14",
            "ghcr.io/zalando/spilo-15:3.0",
            "registry.example.org:5000/postgis:16",
        ] {
            assert_eq!(Engine::of_image(image), Some(Engine::Postgres), "{image}");
        }
        for image in [
            "mariadb:10",
            "mysql:8",
            "mysql/mysql-server:8",
            "percona:8",
            "percona/percona-server:8.0",
            "bitnami/mariadb",
        ] {
            assert_eq!(Engine::of_image(image), Some(Engine::Mariadb), "{image}");
        }
        for image in
            ["prometheuscommunity/postgres-exporter", "phpmyadmin", "postgrest/postgrest", "x/postgres-backup-s3:1", ""]
        {
            assert_eq!(Engine::of_image(image), None, "{image}");
        }
    }
}
