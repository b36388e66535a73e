package dev.outbox;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How to open a store: names and values, some of which every backend knows. Immutable; {@link #toString} shows no
 * secrets.
 */
public final class StoreOptions {
    /** Name of the option {@link #withUser}. */
    public static final String USER = "user";

    /** Name of the option {@link #withPassword}. */
    public static final String PASSWORD = "password";

    /** Name of the option {@link #withWorkers}. */
    public static final String WORKERS = "workers";

    /** Name of the option {@link #withCreateSchema}. */
    public static final String CREATE_SCHEMA = "createSchema";

    /** What {@link #withWorkers} is unless it is set. */
    public static final int DEFAULT_WORKERS = 4;

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

    /** The same with one option set; backends document the names they know. */
    @CheckReturnValue
    public StoreOptions with(String name, String value) {
        Map<String, String> more = new TreeMap<>(values);
        more.put(name, value);
        return new StoreOptions(more);
    }

    /** Who to log in as; unless set, what the URL says. */
    @CheckReturnValue
    public StoreOptions withUser(String user) {
        return with(USER, user);
    }

    /** The password to log in with; unless set, what the URL says. */
    @CheckReturnValue
    public StoreOptions withPassword(String password) {
        return with(PASSWORD, password);
    }

    /**
     * How many batches will be open at a time, which is how many connections are kept for them; at least 1, by default
     * {@value #DEFAULT_WORKERS}.
     */
    @CheckReturnValue
    public StoreOptions withWorkers(int workers) {
        return with(WORKERS, Integer.toString(workers));
    }

    /** Whether to create what is missing in the database; the default is the backend's, and mostly no. */
    @CheckReturnValue
    public StoreOptions withCreateSchema(boolean create) {
        return with(CREATE_SCHEMA, Boolean.toString(create));
    }

    /** The value of an option, or null if it is not set. */
    public @Nullable String get(String name) {
        return values.get(name);
    }

    /**
     * The value of an option that is a whole number.
     *
     * @throws ConfigurationException if it is not one, or below the least allowed
     */
    public int getInt(String name, int least, int defaultValue) {
        String value = values.get(name);
        if (value == null) {
            return defaultValue;
        }
        try {
            int number = Integer.parseInt(value);
            if (number >= least) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new ConfigurationException(
                "Option " + name + " is '" + value + "'; expected a whole number of at least " + least + ".");
    }

    /**
     * The value of an option that is {@code true} or {@code false}.
     *
     * @throws ConfigurationException if it is neither
     */
    public boolean getBoolean(String name, boolean defaultValue) {
        String value = values.get(name);
        if (value == null) {
            return defaultValue;
        }
        if (value.equals("true") || value.equals("false")) {
            return value.equals("true");
        }
        throw new ConfigurationException("Option " + name + " is '" + value + "'; expected true or false.");
    }

    /**
     * Refuses options that a backend does not know, so that a typing error is not taken for a setting.
     *
     * @throws ConfigurationException if there is one, with the names that are known
     */
    public void requireKnown(Set<String> known) {
        Set<String> unknown = new TreeSet<>(values.keySet());
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            throw new ConfigurationException(
                    "Unknown option " + unknown + "; this store knows " + new TreeSet<>(known) + ".");
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
