package dev.outbox;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which capabilities a store has: all of them, except those it does without for a stated reason. Immutable.
 *
 * <pre>{@code
 * Capabilities.all().without(Capability.WAKE_UP, "the database cannot notify its clients");
 * }</pre>
 */
@CheckReturnValue
public final class Capabilities {
    private static final Capabilities ALL = new Capabilities(new EnumMap<>(Capability.class));

    private final Map<Capability, String> without;

    private Capabilities(Map<Capability, String> without) {
        this.without = without;
    }

    /** Every capability there is. */
    public static Capabilities all() {
        return ALL;
    }

    /**
     * The same, without one more.
     *
     * @param reason why, for the users of the store; not blank
     * @throws ConfigurationException if the reason is blank
     */
    public Capabilities without(Capability capability, String reason) {
        if (reason.isBlank()) {
            throw new ConfigurationException("Doing without " + capability + " needs a reason that users can read.");
        }
        Map<Capability, String> less = new EnumMap<>(Capability.class);
        less.putAll(without);
        less.put(capability, reason);
        return new Capabilities(less);
    }

    /** Whether the capability is there. */
    public boolean has(Capability capability) {
        return !without.containsKey(capability);
    }

    /** Why the capability is missing, or null if it is there. */
    public @Nullable String reasonWithout(Capability capability) {
        return without.get(capability);
    }

    /** The missing ones with their reasons; unmodifiable, maybe empty. */
    public Map<Capability, String> missing() {
        return Map.copyOf(without);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Capabilities that && without.equals(that.without);
    }

    @Override
    public int hashCode() {
        return without.hashCode();
    }

    @Override
    public String toString() {
        return without.isEmpty() ? "all capabilities" : "all capabilities without " + without;
    }
}
