package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.ConfigurationException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The names of the tables and indexes of an outbox. All SQL is written with the default names; what is sent has those
 * of the outbox in their place. They are plain identifiers that need no quotes, so that nothing else can get in through
 * them, and the database takes them for upper or lower case as it does with any.
 *
 * <p>Immutable, except for what it remembers; safe for use by several threads.
 */
public final class TableNames {
    /**
     * What the longest name of an index adds to the prefix must fit into the 63 characters of PostgreSQL; with some
     * room.
     */
    public static final int LONGEST_PREFIX = 40;

    private static final Pattern FORM = Pattern.compile(
            "(?:([A-Za-z_][A-Za-z0-9_]{0,62})\\.)?([A-Za-z_][A-Za-z0-9_]{0," + (LONGEST_PREFIX - 1) + "})");

    /**
     * Whole words: tables and the function of a trigger, or else indexes, which are in the schema of their table and
     * are never called with it.
     */
    private static final Pattern OURS = Pattern.compile("\\boutbox_(?:(message|partition|dead_letter|schema|notify)"
            + "|(message_order|message_id|partition_name|dead_letter_order|dead_letter_message))\\b");

    /** Statements for lists of different lengths are different ones, and each set of topics has one. */
    private static final int MOST_REMEMBERED = 1_000;

    private static final String DEFAULT_PREFIX = "outbox_";

    public static final TableNames DEFAULT = new TableNames(null, DEFAULT_PREFIX);

    private final @Nullable String schema;
    private final String prefix;
    private final Map<String, String> remembered = new ConcurrentHashMap<>();

    private TableNames(@Nullable String schema, String prefix) {
        this.schema = schema;
        this.prefix = prefix;
    }

    /**
     * Names of the form {@code prefix} or {@code schema.prefix}.
     *
     * @throws ConfigurationException if it has another form
     */
    public static TableNames of(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new ConfigurationException("The tables of the outbox are to be called by '" + text
                    + "'; expected a prefix of names such as outbox_, or a schema and a prefix such as shop.outbox_: each of"
                    + " the characters A-Z a-z 0-9 _, not beginning with a digit, the prefix of at most "
                    + LONGEST_PREFIX
                    + " characters and the schema of at most 63.");
        }
        return new TableNames(form.group(1), form.group(2));
    }

    /** The schema that the tables are in, null if the connection finds them as it finds any unqualified name. */
    @Nullable
    public String schema() {
        return schema;
    }

    /** The beginning of the names of all tables, after the schema. */
    public String prefix() {
        return prefix;
    }

    /** SQL, or text, with the names of this outbox in place of the default ones. */
    public String in(String sql) {
        if (schema == null && prefix.equals(DEFAULT_PREFIX)) {
            return sql;
        }
        String known = remembered.get(sql);
        if (known != null) {
            return known;
        }
        if (remembered.size() >= MOST_REMEMBERED) {
            remembered.clear();
        }
        String named = OURS.matcher(sql)
                .replaceAll(
                        found -> found.group(1) == null ? prefix + found.group(2) : qualified(prefix + found.group(1)));
        remembered.put(sql, named);
        return named;
    }

    /** The object of the API that makes these tables, as it is written in Java. */
    public String inCode() {
        return equals(DEFAULT) ? "JdbcOutbox" : "JdbcOutbox.named(\"" + this + "\")";
    }

    /** A name with the schema before it, if there is one. */
    String qualified(String name) {
        return schema == null ? name : schema + "." + name;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TableNames that && toString().equals(that.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    /** As {@link #of} takes it. */
    @Override
    public String toString() {
        return qualified(prefix);
    }
}
