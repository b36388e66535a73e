package dev.outbox.store.jooq.internal.dialect;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What has to be set for a session of MySQL or MariaDB while a batch is open in it: limits by which the server would
 * end it, or a statement of it, are lifted, and one is set by which it ends a session that is silent though {@code
 * SignsOfLife} are given.
 *
 * <p>By one statement each at the beginning and at the end, which leaves the session of an application as it was. The
 * values from before are kept in variables of the session, which also tell that it is still the same session.
 *
 * @param known those of the variables that the server has, since a relative of these servers may lack some, and their
 *     values
 */
public record MySqlSession(Map<String, String> known) {
    public static final MySqlSession UNKNOWN = new MySqlSession(Map.of());

    static final String IS_THE_SAME = "SELECT @outbox_session IS NOT NULL";

    private static final String SILENCE = "wait_timeout";

    /**
     * MariaDB has the first three, each has one of the next two. The last ones are not about time: one refuses
     * statements, and one lets a commit end the session, or begin another transaction.
     */
    private static final List<String> LIFTED = List.of(
            "idle_transaction_timeout",
            "idle_readonly_transaction_timeout",
            "idle_write_transaction_timeout",
            "max_statement_time",
            "max_execution_time",
            "sql_safe_updates",
            "completion_type");

    /** How long the server waits for the rest of something that is under way. */
    private static final List<String> NETWORK = List.of("net_read_timeout", "net_write_timeout");

    /** Galera, and MySQL's group replication. */
    private static final List<String> CLUSTER = List.of(
            "wsrep_on", "wsrep_provider", "group_replication_single_primary_mode", "group_replication_group_name");

    /** The second one is what MariaDB before 11.1 calls it. */
    private static final List<String> ISOLATION = List.of("transaction_isolation", "tx_isolation");

    static MySqlSession of(Connection connection) throws SQLException {
        String names = Stream.of(LIFTED, NETWORK, ISOLATION, CLUSTER, List.of(SILENCE))
                .flatMap(List::stream)
                .map(name -> "'" + name + "'")
                .collect(Collectors.joining(", "));
        Map<String, String> known = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SHOW SESSION VARIABLES WHERE Variable_name IN (" + names + ")")) {
            while (rows.next()) {
                known.put(rows.getString(1), rows.getString(2));
            }
        }
        return new MySqlSession(Map.copyOf(known));
    }

    /** For a session of our own, for good. */
    String own() {
        return "SET @outbox_session = 1"
                + (known.containsKey(SILENCE) ? ", SESSION " + SILENCE + " = " + silence() : "")
                + known(LIFTED).map(name -> ", SESSION " + name + " = 0").collect(Collectors.joining())
                + known(NETWORK).map(name -> ", SESSION " + name + " = 60").collect(Collectors.joining());
    }

    /** For a session of the application, with the isolation of its next transaction. */
    String begin() {
        return "SET @outbox_session = 1"
                + saved().map(name -> ", @outbox_" + name + " = @@session." + name + ", SESSION " + name + " = "
                                + (name.equals(SILENCE) ? silence() : 0))
                        .collect(Collectors.joining())
                + ", @@" + known(ISOLATION).findFirst().orElse(ISOLATION.get(0)) + " = 'READ-COMMITTED'";
    }

    String end() {
        return "SET @outbox_session = NULL"
                + saved().map(name -> ", SESSION " + name + " = @outbox_" + name)
                        .collect(Collectors.joining());
    }

    private Stream<String> saved() {
        return Stream.concat(Stream.of(SILENCE).filter(known::containsKey), known(LIFTED));
    }

    private Stream<String> known(List<String> names) {
        return names.stream().filter(known::containsKey);
    }

    /** By what setting the server is one of several that can be written to, null if it is not. */
    @Nullable
    public String cluster() {
        if (is("wsrep_on", "ON") && !is("wsrep_provider", "none") && !is("wsrep_provider", "")) {
            return "wsrep_on is ON";
        }
        return is("group_replication_single_primary_mode", "OFF") && !is("group_replication_group_name", "")
                ? "group_replication_single_primary_mode is OFF"
                : null;
    }

    private boolean is(String name, String value) {
        return value.equalsIgnoreCase(known.getOrDefault(name, ""));
    }

    private static long silence() {
        return LastAnswer.silence.toSeconds();
    }
}
