package dev.outbox.store.jooq.internal.dialect;

/** Which of the two servers that understand the same statements it is, and what they do not have in common. */
public enum MySqlServerKind {
    MYSQL("MySQL", "8.0.20", "com.mysql.cj.jdbc.Driver", "com.mysql:mysql-connector-j"),
    MARIADB("MariaDB", "10.6", "org.mariadb.jdbc.Driver", "org.mariadb.jdbc:mariadb-java-client");

    private final String product;
    private final String leastVersion;
    private final String driverClass;
    private final String driverArtifact;

    MySqlServerKind(String product, String leastVersion, String driverClass, String driverArtifact) {
        this.product = product;
        this.leastVersion = leastVersion;
        this.driverClass = driverClass;
        this.driverArtifact = driverArtifact;
    }

    public String product() {
        return product;
    }

    int[] leastVersion() {
        return ServerVersion.parse(leastVersion);
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
