package dev.outbox;

import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An option of a store: its name, the type of its values, and how they are written as text in a configuration file.
 * {@link StoreOptions} has those that all our stores share. Each backend has its own as constants of the class that
 * opens its store. Immutable.
 *
 * <pre>{@code
 * StoreOptions.defaults().with(StoreOptions.WAKE_UP, true).with(RedisOutbox.LEASE, Duration.ofSeconds(5))
 * StoreOptions.of(Map.of("wakeUp", "true", "leaseMillis", "5000"))     // the same, as text
 * }</pre>
 *
 * @param <T> the type of the values
 */
public final class StoreOption<T> {
    private final String name;
    private final String expected;
    private final Function<String, @Nullable T> read;
    private final Function<T, String> write;

    private StoreOption(String name, String expected, Function<String, @Nullable T> read, Function<T, String> write) {
        this.name = name;
        this.expected = expected;
        this.read = read;
        this.write = write;
    }

    /** An option whose values are texts. */
    public static StoreOption<String> text(String name) {
        return new StoreOption<>(name, "a text", text -> text, text -> text);
    }

    /** An option whose values are {@code true} and {@code false}. */
    public static StoreOption<Boolean> flag(String name) {
        return new StoreOption<>(
                name,
                "true or false",
                text -> text.equals("true") || text.equals("false") ? Boolean.valueOf(text) : null,
                flag -> Boolean.toString(flag));
    }

    /** An option whose values are whole numbers of at least the given one. */
    public static StoreOption<Integer> number(String name, int least) {
        return new StoreOption<>(
                name,
                "a whole number of at least " + least,
                text -> wholeNumber(text, least),
                number -> Integer.toString(number));
    }

    /** An option whose values are times of at least the given one, written as whole milliseconds. */
    public static StoreOption<Duration> millis(String name, Duration least) {
        return new StoreOption<>(
                name,
                "a whole number of at least " + least.toMillis() + ", in milliseconds",
                text -> {
                    Integer millis = wholeNumber(text, Math.toIntExact(least.toMillis()));
                    return millis == null ? null : Duration.ofMillis(millis);
                },
                time -> Long.toString(time.toMillis()));
    }

    private static @Nullable Integer wholeNumber(String text, int least) {
        try {
            int number = Integer.parseInt(text);
            return number >= least ? number : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** The name, as in a configuration file. */
    public String name() {
        return name;
    }

    /** The value that a text stands for. */
    T read(String text) {
        T value = read.apply(text);
        if (value == null) {
            throw new ConfigurationException("Option " + name + " is '" + text + "'; expected " + expected + ".");
        }
        return value;
    }

    /** The text of a value, which is checked. */
    String write(T value) {
        String text = write.apply(value);
        read(text);
        return text;
    }

    /** The {@link #name}. */
    @Override
    public String toString() {
        return name;
    }
}
