package dev.outbox.store.jooq.internal.schema;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.util.List;
import java.util.stream.Collectors;

/** The rights that those who use the tables need. */
public final class Grants {
    /** By table; writers need less. */
    private static final List<String> RELAY = List.of(
            "SELECT, INSERT, UPDATE, DELETE ON outbox_message",
            "SELECT, INSERT, UPDATE ON outbox_partition",
            "SELECT, INSERT, UPDATE, DELETE ON outbox_dead_letter",
            "SELECT ON outbox_schema");

    private Grants() {}

    /** The statements that give a user what its relays need. */
    static String toRelay(Dialect dialect, String user) {
        return dialect.grantOfSchema(user)
                + RELAY.stream()
                        .map(rights -> "GRANT " + dialect.sql(rights) + " TO " + user + ";")
                        .collect(Collectors.joining("\n"));
    }

    /** What writing messages needs. */
    static String toWrite(Dialect dialect, String user) {
        return "GRANT " + dialect.sql("INSERT ON outbox_message") + " TO " + user + ";";
    }
}
