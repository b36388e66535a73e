package dev.outbox.store.jooq;

/** Which of the two servers that understand the same statements it is, and what they do not have in common. */
enum MySqlServerKind {
    MYSQL("MySQL", "8.0.20", SqlDatabase.MYSQL, "com.mysql.cj.jdbc.Driver", "com.mysql:mysql-connector-j"),
    MARIADB("MariaDB", "10.6", SqlDatabase.MARIADB, "org.mariadb.jdbc.Driver", "org.mariadb.jdbc:mariadb-java-client");

    private final String product;
    private final String leastVersion;
    private final SqlDatabase database;
    private final String driverClass;
    private final String driverArtifact;

    MySqlServerKind(
            String product, String leastVersion, SqlDatabase database, String driverClass, String driverArtifact) {
        this.product = product;
        this.leastVersion = leastVersion;
        this.database = database;
        this.driverClass = driverClass;
        this.driverArtifact = driverArtifact;
    }

    String product() {
        return product;
    }

    int[] leastVersion() {
        return ServerVersion.parse(leastVersion);
    }

    SqlDatabase database() {
        return database;
    }

    String urlPrefix() {
        return this == MYSQL ? "jdbc:mysql:" : "jdbc:mariadb:";
    }

    String driverClass() {
        return driverClass;
    }

    String driverArtifact() {
        return driverArtifact;
    }

    String ddlResource() {
        return this == MYSQL ? "ddl/mysql.sql" : "ddl/mariadb.sql";
    }
}
