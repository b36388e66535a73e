package dev.outbox;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How to open a store: options and their values. Every backend knows those that are constants here, and documents its
 * own. A store refuses an option that it does not know, and an option whose promise it cannot keep, so no setting is
 * silently without effect. Immutable; {@link #toString} shows no secrets.
 */
public final class StoreOptions {
    /** The user to log in as; unless set, the user in the URL. A text. Only for stores that are opened by URL. */
    public static final StoreOption<String> USER = StoreOption.text("user");

    /** The password to log in with; unless set, that in the URL. A text. Only for stores that are opened by URL. */
    public static final StoreOption<String> PASSWORD = StoreOption.text("password");

    /**
     * Whether to create what is missing in the database, {@code true} or {@code false}. By default true for H2, and
     * false for all others. In Redis nothing is ever missing.
     */
    public static final StoreOption<Boolean> CREATE_SCHEMA = StoreOption.flag("createSchema");

    /**
     * What the names of tables, collections or keys begin with, so that a database can have several outboxes. The
     * method {@code named} of the class that opens the store says its form. Writers and stores must have the same.
     */
    public static final StoreOption<String> PREFIX = StoreOption.text("prefix");

    /**
     * Whether the store can wake relays up after commits of other processes, {@code true} or {@code false}. By default
     * true for Redis and MongoDB, and false for PostgreSQL. The other SQL databases cannot.
     */
    public static final StoreOption<Boolean> WAKE_UP = StoreOption.flag("wakeUp");

    private static final StoreOptions DEFAULTS = new StoreOptions(Map.of());

    private final Map<String, String> values;

    private StoreOptions(Map<String, String> values) {
        this.values = Collections.unmodifiableMap(new TreeMap<>(values));
    }

    /** Nothing set, every default in force. */
    public static StoreOptions defaults() {
        return DEFAULTS;
    }

    /** Options from names and values, as from a configuration file. */
    public static StoreOptions of(Map<String, String> values) {
        return new StoreOptions(values);
    }

    /**
     * The same with one option set.
     *
     * @throws ConfigurationException if the option cannot have this value
     */
    @CheckReturnValue
    public <T> StoreOptions with(StoreOption<T> option, T value) {
        return with(option.name(), option.write(value));
    }

    /** The same with one option set as text, as from a configuration file. The store checks name and value. */
    @CheckReturnValue
    public StoreOptions with(String name, String value) {
        Map<String, String> more = new TreeMap<>(values);
        more.put(name, value);
        return new StoreOptions(more);
    }

    /** The same with {@link #USER} set. */
    @CheckReturnValue
    public StoreOptions withUser(String user) {
        return with(USER, user);
    }

    /** The same with {@link #PASSWORD} set. */
    @CheckReturnValue
    public StoreOptions withPassword(String password) {
        return with(PASSWORD, password);
    }

    /** The same with {@link #CREATE_SCHEMA} set. */
    @CheckReturnValue
    public StoreOptions withCreateSchema(boolean create) {
        return with(CREATE_SCHEMA, create);
    }

    /** The same with {@link #PREFIX} set. */
    @CheckReturnValue
    public StoreOptions withPrefix(String prefix) {
        return with(PREFIX, prefix);
    }

    /** The same with {@link #WAKE_UP} set. */
    @CheckReturnValue
    public StoreOptions withWakeUp(boolean wakeUp) {
        return with(WAKE_UP, wakeUp);
    }

    /**
     * The value of an option, or null if it is not set.
     *
     * @throws ConfigurationException if the text is no value of this option
     */
    public <T> @Nullable T get(StoreOption<T> option) {
        String value = values.get(option.name());
        return value == null ? null : option.read(value);
    }

    /**
     * The value of an option, or a default if it is not set.
     *
     * @throws ConfigurationException if the text is no value of this option
     */
    public <T> T get(StoreOption<T> option, T defaultValue) {
        T value = get(option);
        return value == null ? defaultValue : value;
    }

    /**
     * Refuses options that a backend does not know, so that a typing error is not taken for a setting.
     *
     * @throws ConfigurationException if there is one, with the names that are known
     */
    public void requireKnown(StoreOption<?>... known) {
        Set<String> names = new TreeSet<>();
        for (StoreOption<?> option : known) {
            names.add(option.name());
        }
        Set<String> unknown = new TreeSet<>(values.keySet());
        unknown.removeAll(names);
        if (!unknown.isEmpty()) {
            throw new ConfigurationException("Unknown option " + unknown + "; this store knows " + names + ".");
        }
    }

    /**
     * Refuses an option that is without effect here.
     *
     * @param why why it is, and what to do instead
     * @throws ConfigurationException if it is set
     */
    public void refuse(StoreOption<?> option, String why) {
        if (values.containsKey(option.name())) {
            throw new ConfigurationException(
                    "Option " + option.name() + " has no effect here: " + why + ". Leave the option out.");
        }
    }

    /** Names and values; unmodifiable. Holds secrets in the clear. */
    public Map<String, String> asMap() {
        return values;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof StoreOptions that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** The names of the options that are set, without their values, any of which may be a secret. */
    @Override
    public String toString() {
        return "StoreOptions" + values.keySet();
    }
}
