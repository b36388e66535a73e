package dev.outbox.spi;

import dev.outbox.MisuseException;
import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the outcomes of a batch until it is closed, and refuses the marks that the contract refuses: after close,
 * of another batch's message, and a second one of the same message (OBX-CLOSE-4). A store's {@code MessageBatch}
 * forwards its marks here and applies {@link #applicable} at close.
 *
 * <p>Used by one thread at a time, like the batch; {@link #isOpen} by any.
 */
public final class BatchOutcomes {
    /**
     * The length, in code points, to which reasons are shortened: they are for reading. NUL characters and halves of
     * surrogate pairs, which not every backend can store, are replaced (OBX-RETRY-6).
     */
    public static final int MAX_REASON_LENGTH = 1_000;

    /**
     * What longer delays are shortened to, ten years: beyond any sensible one, and within what the dates of backends
     * can take.
     */
    public static final Duration LONGEST_DELAY = Duration.ofDays(3650);

    private final PersistedMessage[] messages;
    private final List<PersistedMessage> list;
    private final @Nullable Outcome[] outcomes;
    private @Nullable IdentityHashMap<PersistedMessage, Integer> indexes;
    private int expected;
    private volatile boolean open = true;

    /** Starts with no outcomes for the messages of a batch. */
    public BatchOutcomes(List<PersistedMessage> messages) {
        this.messages = messages.toArray(PersistedMessage[]::new);
        this.list = Collections.unmodifiableList(Arrays.asList(this.messages));
        this.outcomes = new Outcome[this.messages.length];
    }

    /** The messages of the batch; unmodifiable, always the same list. */
    public List<PersistedMessage> messages() {
        return list;
    }

    /** Whether {@link #close} was not called yet. */
    public boolean isOpen() {
        return open;
    }

    /** Carries out {@link dev.outbox.MessageBatch#markPublished}. */
    public void published(PersistedMessage message, @Nullable String publishId) {
        put(message, new Outcome.Published(message, publishId));
    }

    /**
     * Carries out {@link dev.outbox.MessageBatch#markFailed}. The reason of the outcome is one that every backend can
     * store, see {@link #MAX_REASON_LENGTH}, and its delay is no longer than {@link #LONGEST_DELAY}.
     */
    public void failed(PersistedMessage message, String reason, Duration retryAfter) {
        if (retryAfter.isNegative()) {
            throw new MisuseException("retryAfter is negative: " + retryAfter + "; expected zero or more.");
        }
        Duration delay = retryAfter.compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : retryAfter;
        put(message, new Outcome.Failed(message, storable(reason), delay));
    }

    /**
     * Carries out {@link dev.outbox.MessageBatch#deadLetter}. The reason of the outcome is one that every backend can
     * store.
     */
    public void deadLettered(PersistedMessage message, String reason) {
        put(message, new Outcome.DeadLettered(message, storable(reason)));
    }

    /** Carries out {@link dev.outbox.Operations#removePending} on a message of a batch that was taken for it. */
    public void removed(PersistedMessage message) {
        put(message, new Outcome.Removed(message));
    }

    /** Carries out {@link dev.outbox.Operations#movePending} on a message of a batch that was taken for it. */
    public void moved(PersistedMessage message, String topic, int partition) {
        put(message, new Outcome.Moved(message, topic, partition));
    }

    /** Ends the marking; true the first time, false if the batch was closed before and there is nothing to do. */
    public boolean close() {
        boolean first = open;
        open = false;
        return first;
    }

    /** The outcomes so far, in the order of the messages; a new list. */
    public List<Outcome> applicable() {
        List<Outcome> marked = new ArrayList<>(outcomes.length);
        for (@Nullable Outcome outcome : outcomes) {
            if (outcome != null) {
                marked.add(outcome);
            }
        }
        return marked;
    }

    /** The outcome of the message at an index of {@link #messages}, or null if it has none. */
    public @Nullable Outcome at(int index) {
        return outcomes[index];
    }

    /**
     * The reason as every backend can store it, see {@link #MAX_REASON_LENGTH}. Outcomes have such reasons already.
     * This method is for reasons that a store makes up itself.
     */
    public static String storable(String reason) {
        boolean asItIs = reason.length() <= MAX_REASON_LENGTH
                && reason.chars().noneMatch(c -> c == 0 || Character.isSurrogate((char) c));
        if (asItIs) {
            return reason;
        }
        StringBuilder text = new StringBuilder();
        reason.codePoints()
                .limit(MAX_REASON_LENGTH)
                .map(c -> c == 0 || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
                .forEach(text::appendCodePoint);
        return text.toString();
    }

    private void put(PersistedMessage message, Outcome outcome) {
        if (!open) {
            throw new MisuseException("Message " + message.id() + " was marked after its batch was closed: mark first,"
                    + " then close. It is released and will be handed out again.");
        }
        int index = indexOf(message);
        Outcome earlier = outcomes[index];
        if (earlier != null) {
            throw new MisuseException("Message " + message.id() + " is marked already, as "
                    + earlier.getClass().getSimpleName() + "; a message has one outcome.");
        }
        outcomes[index] = outcome;
    }

    /** Marks nearly always come in the order of the messages, so the next one is tried before the map is built. */
    @SuppressWarnings("ReferenceEquality") // an equal message of an earlier batch must not pass
    private int indexOf(PersistedMessage message) {
        if (expected < messages.length && messages[expected] == message) {
            return expected++;
        }
        if (indexes == null) {
            indexes = new IdentityHashMap<>();
            for (int i = 0; i < messages.length; i++) {
                indexes.put(messages[i], i);
            }
        }
        Integer index = indexes.get(message);
        if (index == null) {
            throw new MisuseException("Message " + message.id() + " is not of this batch. Mark the very objects that"
                    + " messages() returned, on the batch that returned them.");
        }
        expected = index + 1;
        return index;
    }
}
