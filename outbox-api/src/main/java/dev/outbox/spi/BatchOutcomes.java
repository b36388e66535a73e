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
 * Remembers the outcomes of a batch until it is closed, and refuses the marks that the contract refuses: after close, of
 * another batch's message, and a second one of the same message (OBX-CLOSE-4). A store's {@code MessageBatch} forwards
 * its marks here and applies {@link #applicable} at close.
 *
 * <p>Used by one thread at a time, like the batch; {@link #isOpen} by any.
 */
public final class BatchOutcomes {
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

    /** Carries out {@link dev.outbox.MessageBatch#markFailed}. */
    public void failed(PersistedMessage message, String reason, Duration retryAfter) {
        if (retryAfter.isNegative()) {
            throw new MisuseException("retryAfter is negative: " + retryAfter + "; expected zero or more.");
        }
        put(message, new Outcome.Failed(message, reason, retryAfter));
    }

    /** Carries out {@link dev.outbox.MessageBatch#deadLetter}. */
    public void deadLettered(PersistedMessage message, String reason) {
        put(message, new Outcome.DeadLettered(message, reason));
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
