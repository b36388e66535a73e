package dev.outbox.store.support;

import dev.outbox.Browsing.Page;
import dev.outbox.MisuseException;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a page of messages ends: at a position, whether or not a message is still there.
 *
 * @param partition number of the partition, 0 or more
 * @param major the position, or the first of its two numbers, 0 or more
 * @param minor the second number of a position that has two, else 0
 */
public record Place(int partition, long major, long minor) implements Comparable<Place> {
    private static final Comparator<Place> ORDER = Comparator.comparingInt(Place::partition)
            .thenComparingLong(Place::major)
            .thenComparingLong(Place::minor);

    private static final Pattern TEXT = Pattern.compile("([0-9]{1,10})\\.([0-9]{1,19})\\.([0-9]{1,19})");

    /**
     * The place of which {@link Page#next} is the text; null for null.
     *
     * @throws MisuseException if no page had this text
     */
    static @Nullable Place after(@Nullable String text) {
        if (text == null) {
            return null;
        }
        Matcher numbers = TEXT.matcher(text);
        try {
            if (numbers.matches()) {
                return new Place(
                        Integer.parseInt(numbers.group(1)),
                        Long.parseLong(numbers.group(2)),
                        Long.parseLong(numbers.group(3)));
            }
        } catch (NumberFormatException e) {
            // too large to be the number of anything
        }
        throw new MisuseException("No page ended at '" + text + "'; expected what a page had as next, or null.");
    }

    /** The start of a partition. */
    public static Place startOf(int partition) {
        return new Place(partition, 0, 0);
    }

    @Override
    public int compareTo(Place other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return partition + "." + major + "." + minor;
    }
}
