package dev.outbox.histories;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.SharedLog;
import dev.outbox.servers.Clock;
import dev.outbox.servers.PostgresServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** PostgreSQL, with a user for relays that has what the documentation says they need, and one for the application. */
final class PostgresBackend implements Backend {
    private static final Duration A_WHILE = Duration.ofDays(2);
    private static final String GRANT_MESSAGES = "GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_message TO relay";

    private final Clock clock = Clock.real();
    private final PostgresServer server;
    private final String url;
    private final Sql sql;
    private final Odd odd;

    PostgresBackend(SharedLog<Line> log) throws Exception {
        server = PostgresServer.packaged(clock);
        url = server.newDatabase();
        sql = new Sql(url);
        odd = new Odd(log);
        Stores.open(url, StoreOptions.defaults().withCreateSchema(true)).close();
        sql.execute(
                JdbcApplication.TABLE,
                "CREATE USER relay PASSWORD 'relay'",
                "CREATE USER app PASSWORD 'app'",
                "GRANT SELECT, INSERT ON shop, outbox_message TO app",
                GRANT_MESSAGES,
                "GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_dead_letter TO relay",
                "GRANT SELECT, INSERT, UPDATE ON outbox_partition TO relay",
                "GRANT SELECT ON outbox_schema TO relay",
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                        + " $$ BEGIN RAISE EXCEPTION 'a trigger refuses'; END $$");
    }

    @Override
    public String name() {
        return "postgres";
    }

    private String as(String user) {
        return url.replace("user=postgres&password=postgres", "user=" + user + "&password=" + user);
    }

    @Override
    public Way wayOfRelay() throws IOException {
        return Way.Single.to(as("relay"));
    }

    @Override
    public Way wayOfWriters() throws IOException {
        return Way.Single.to(as("app"));
    }

    @Override
    public Map<String, String> options() {
        return Map.of();
    }

    @Override
    public Application connect(Way way) throws Exception {
        return new JdbcApplication(way.url() + "&socketTimeout=20&connectTimeout=5");
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
        return true;
    }

    @Override
    public List<Fault> faults() {
        String quick = "SET lock_timeout = '500ms'";
        return List.of(
                Fault.ofAll("server killed", server::kill, server::restart),
                Fault.ofAll("server stands still", server::pause, server::resume),
                Fault.ofAll("sessions ended", time -> endSessions("usename IN ('app', 'relay')")),
                Fault.ofAll(
                        "relays may only read",
                        () -> {
                            sql.insist("ALTER ROLE relay SET default_transaction_read_only = on");
                            endSessions("usename = 'relay'");
                        },
                        () -> {
                            sql.insist("ALTER ROLE relay RESET default_transaction_read_only");
                            endSessions("usename = 'relay'");
                        }),
                Fault.ofAll(
                        "database read-only",
                        () -> {
                            sql.insist(
                                    "ALTER ROLE relay SET default_transaction_read_only = on",
                                    "ALTER ROLE app SET default_transaction_read_only = on");
                            endSessions("usename = 'relay' AND state = 'idle'");
                        },
                        () -> {
                            sql.insist(
                                    "ALTER ROLE relay RESET default_transaction_read_only",
                                    "ALTER ROLE app RESET default_transaction_read_only");
                            endSessions("usename IN ('app', 'relay') AND state = 'idle'");
                        }),
                Fault.ofAll(
                        "right to delete withdrawn",
                        () -> sql.insist(quick, "REVOKE DELETE ON outbox_message FROM relay"),
                        () -> sql.insist(GRANT_MESSAGES)),
                Fault.ofAll(
                        "right to write withdrawn",
                        () -> sql.insist(quick, "REVOKE INSERT ON outbox_message FROM app"),
                        () -> sql.insist("GRANT INSERT ON outbox_message TO app")),
                Fault.ofAll(
                        "a trigger refuses",
                        () -> sql.insist(
                                quick,
                                "CREATE TRIGGER refuse BEFORE DELETE ON outbox_message"
                                        + " FOR EACH ROW EXECUTE FUNCTION refuse()"),
                        () -> sql.insist(quick, "DROP TRIGGER IF EXISTS refuse ON outbox_message")),
                Fault.ofAll(
                        "dead letters refused",
                        () -> sql.insist(
                                quick,
                                "CREATE TRIGGER refuse BEFORE INSERT ON outbox_dead_letter"
                                        + " FOR EACH ROW EXECUTE FUNCTION refuse()"),
                        () -> sql.insist(quick, "DROP TRIGGER IF EXISTS refuse ON outbox_dead_letter")),
                Fault.ofAll(
                        "row security",
                        () -> sql.insist(quick, "ALTER TABLE outbox_message ENABLE ROW LEVEL SECURITY"),
                        () -> sql.insist(quick, "ALTER TABLE outbox_message DISABLE ROW LEVEL SECURITY")),
                Fault.ofAll(
                        "table locked",
                        time -> sql.lock(
                                time,
                                "SET LOCAL lock_timeout = '5s'",
                                "LOCK TABLE outbox_message IN ACCESS EXCLUSIVE MODE")),
                Fault.ofAll(
                        "tables created by another",
                        time -> Stores.open(url, StoreOptions.defaults().withCreateSchema(true))
                                .close()),
                Fault.ofAll(
                        "idle sessions ended",
                        () -> {
                            sql.insist(
                                    "ALTER ROLE relay SET idle_in_transaction_session_timeout = '1s'",
                                    "ALTER ROLE relay SET idle_session_timeout = '1s'");
                            endSessions("usename = 'relay' AND state = 'idle'");
                        },
                        () -> sql.insist(
                                "ALTER ROLE relay RESET idle_in_transaction_session_timeout",
                                "ALTER ROLE relay RESET idle_session_timeout")),
                Fault.ofAll("server's clock moved", () -> clock.set(A_WHILE), () -> clock.set(Duration.ZERO)),
                Fault.ofAll("a row that cannot be read", this::spoil).concerning(Odd.PLACE));
    }

    private void endSessions(String which) throws Exception {
        sql.insist("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                + which);
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
