package dev.outbox.internal.json;

import java.lang.reflect.Array;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a message that was read is something else than the one that was written.
 *
 * @param path to the place, empty for the message itself
 */
public record Difference(
        String path, @Nullable Object written, @Nullable Object read, String text) {
    /** Without the values, which may be secret. */
    @Override
    public String toString() {
        return (path.isEmpty() ? "the message" : "'" + path + "'") + " " + text;
    }

    /** With the values that differ, cut to a readable length. */
    public String withValues() {
        return this + " (" + shown(written) + ", read as " + shown(read) + ")";
    }

    private static String shown(@Nullable Object value) {
        String text = value != null && value.getClass().isArray()
                ? Objects.requireNonNull(value.getClass().getComponentType()).getTypeName() + "["
                        + Array.getLength(value) + "]"
                : String.valueOf(value);
        return text.length() <= 200 ? text : text.substring(0, 200) + "…";
    }
}
