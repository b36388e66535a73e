package dev.outbox.histories;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.SharedLog;
import dev.outbox.servers.Clock;
import dev.outbox.servers.KillableServer;
import dev.outbox.servers.MariaDbServer;
import dev.outbox.servers.MySqlServer;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** MySQL or MariaDB, with a user for relays that has what the documentation says they need, and one for the application. */
final class MySqlBackend implements Backend {
    private static final Duration A_WHILE = Duration.ofDays(2);
    private static final String QUICK = "SET lock_wait_timeout = 1";
    private static final String GRANT_MESSAGES =
            "GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_message TO relay@localhost";
    private static final String REFUSE = " FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a trigger refuses'";

    private final String name;
    private final Clock clock;
    private final KillableServer server;
    private final String url;
    private final Sql sql;
    private final Odd odd;

    private MySqlBackend(String name, Clock clock, KillableServer server, SharedLog<Line> log) throws Exception {
        this.name = name;
        this.clock = clock;
        this.server = server;
        this.url = server.newDatabase();
        this.sql = new Sql(url);
        this.odd = new Odd(log);
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        sql.execute(
                JdbcApplication.TABLE + " ENGINE = InnoDB",
                "CREATE USER relay@localhost IDENTIFIED BY 'relay'",
                "CREATE USER app@localhost IDENTIFIED BY 'app'",
                "GRANT SELECT, INSERT ON shop TO app@localhost",
                "GRANT SELECT, INSERT ON outbox_message TO app@localhost",
                GRANT_MESSAGES,
                "GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_dead_letter TO relay@localhost",
                "GRANT SELECT, INSERT, UPDATE ON outbox_partition TO relay@localhost",
                "GRANT SELECT ON outbox_schema TO relay@localhost");
    }

    static Backend mysql(SharedLog<Line> log) throws Exception {
        Clock clock = Clock.real();
        return new MySqlBackend("mysql", clock, MySqlServer.packaged(clock), log);
    }

    static Backend mariadb(SharedLog<Line> log) throws Exception {
        Clock clock = Clock.real();
        return new MySqlBackend("mariadb", clock, MariaDbServer.packaged(clock), log);
    }

    @Override
    public String name() {
        return name;
    }

    private String as(String user) {
        return url.replace("user=root&password=" + name, "user=" + user + "&password=" + user);
    }

    @Override
    public Way wayOfRelay() throws IOException {
        return Way.Single.to(as("relay"));
    }

    @Override
    public Way wayOfWriters() throws IOException {
        return Way.Single.to(as("app") + "&socketTimeout=20000&connectTimeout=5000");
    }

    @Override
    public Map<String, String> options() {
        return Map.of();
    }

    @Override
    public Application connect(Way way) throws SQLException {
        return new JdbcApplication(way.url());
    }

    @Override
    public Set<String> committed() throws Exception {
        return sql.texts("SELECT tx FROM shop");
    }

    @Override
    public Store administrator() {
        return Stores.open(url);
    }

    @Override
    public boolean asksWhetherClientsAreThere() {
        return false;
    }

    @Override
    public List<Fault> faults() {
        return List.of(
                Fault.ofAll("server killed", server::kill, server::restart),
                Fault.ofAll("server stands still", server::pause, server::resume),
                Fault.ofAll("sessions ended", time -> endSessions("user IN ('app', 'relay')")),
                Fault.ofAll(
                        "database read-only",
                        () -> sql.insist(QUICK, "SET GLOBAL read_only = 1"),
                        () -> sql.insist("SET GLOBAL read_only = 0")),
                Fault.ofAll(
                        "right to delete withdrawn",
                        () -> sql.insist(QUICK, "REVOKE DELETE ON outbox_message FROM relay@localhost"),
                        () -> sql.insist(GRANT_MESSAGES)),
                Fault.ofAll(
                        "right to write withdrawn",
                        () -> sql.insist(QUICK, "REVOKE INSERT ON outbox_message FROM app@localhost"),
                        () -> sql.insist("GRANT INSERT ON outbox_message TO app@localhost")),
                Fault.ofAll(
                        "a trigger refuses",
                        () -> sql.insist(QUICK, "CREATE TRIGGER refuse BEFORE DELETE ON outbox_message" + REFUSE),
                        () -> sql.insist(QUICK, "DROP TRIGGER IF EXISTS refuse")),
                Fault.ofAll(
                        "dead letters refused",
                        () -> sql.insist(QUICK, "CREATE TRIGGER refuse BEFORE INSERT ON outbox_dead_letter" + REFUSE),
                        () -> sql.insist(QUICK, "DROP TRIGGER IF EXISTS refuse")),
                Fault.ofAll(
                        "table locked",
                        time -> sql.lock(time, "SET lock_wait_timeout = 5", "LOCK TABLES outbox_message WRITE")),
                Fault.ofAll(
                        "tables created by another",
                        time -> Stores.open(url, StoreOptions.defaults().withCreateSchema(true))
                                .close()),
                Fault.ofAll(
                        "idle sessions ended",
                        () -> {
                            sql.insist("SET GLOBAL wait_timeout = 1", "SET GLOBAL interactive_timeout = 1");
                            endSessions("user = 'relay' AND command = 'Sleep'");
                        },
                        () -> sql.insist("SET GLOBAL wait_timeout = 28800", "SET GLOBAL interactive_timeout = 28800")),
                Fault.ofAll("server's clock moved", () -> clock.set(A_WHILE), () -> clock.set(Duration.ZERO)),
                Fault.ofAll("a row that cannot be read", this::spoil).concerning(Odd.PLACE));
    }

    private void endSessions(String which) throws Exception {
        for (String session : sql.texts("SELECT id FROM information_schema.processlist WHERE " + which)) {
            try {
                sql.execute("KILL " + session);
            } catch (SQLException e) {
                if (e.getErrorCode() != 1094) { // it has just ended of itself
                    throw e;
                }
            }
        }
    }

    private void spoil(Duration time) throws Exception {
        try (Application application = new JdbcApplication(url)) {
            sql.spoil(
                    application,
                    odd,
                    time,
                    "UPDATE outbox_message SET headers = '{\"a' WHERE topic = '" + Odd.TOPIC + "' AND partition_no = "
                            + Odd.PARTITION);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        clock.close();
    }
}
