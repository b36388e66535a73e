package dev.outbox.store.jooq.fault;

import dev.outbox.servers.Clock;
import dev.outbox.servers.KillableServer;
import dev.outbox.servers.MariaDbServer;
import dev.outbox.servers.MySqlServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Pattern;

/** MySQL and MariaDB, which count and end in the same way. */
enum MySqlDatabase implements Database {
    MYSQL("mysql") {
        @Override
        public String create() throws Exception {
            return MySqlServer.shared().newDatabase();
        }

        @Override
        public void drop(String url) throws Exception {
            MySqlServer.shared().dropDatabase(url);
        }

        @Override
        public KillableServer ownServer(Clock clock) throws Exception {
            return MySqlServer.packaged(clock);
        }
    },
    MARIADB("mariadb") {
        @Override
        public String create() throws Exception {
            return MariaDbServer.shared().newDatabase();
        }

        @Override
        public void drop(String url) throws Exception {
            MariaDbServer.shared().dropDatabase(url);
        }

        @Override
        public KillableServer ownServer(Clock clock) throws Exception {
            return MariaDbServer.packaged(clock);
        }
    };

    /** Behind the byte that says that a statement follows, or that it has no attributes. */
    static final Pattern COMMIT = Pattern.compile("(?:[\u0003\u0001]|; )commit$", Pattern.CASE_INSENSITIVE);

    private final String label;

    MySqlDatabase(String label) {
        this.label = label;
    }

    @Override
    public String label() {
        return label;
    }

    @Override
    public long deadlocks(String url) throws SQLException {
        return Sql.number(url, "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'");
    }

    @Override
    public void endSessions(Connection administrator) throws SQLException {
        for (long session : Sql.numbers(administrator, SESSIONS)) {
            try (Statement statement = administrator.createStatement()) {
                statement.execute("KILL " + session);
            } catch (SQLException e) {
                if (e.getErrorCode() != 1094) { // it has just ended of itself
                    throw e;
                }
            }
        }
    }

    /** Ids of the sessions in the database but the asking one. */
    static final String SESSIONS =
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()";
}
