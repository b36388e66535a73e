package dev.outbox.store.redis;

import dev.outbox.Capabilities;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A store that says what is done with it: {@code C batch called returned closing id/partition/settled …} when a batch is about to be
 * closed, and {@code K batch end returned} when it was; times are those of {@link System#nanoTime}, which processes of one
 * machine share.
 */
record Recorded(Store store, AtomicInteger batches) implements Store, WakeUps {
    Recorded(Store store) {
        this(store, new AtomicInteger());
    }

    @Override
    public MessageBatch checkout(Set<String> topics, int limit) {
        long called = System.nanoTime();
        MessageBatch batch = store.checkout(topics, limit);
        return batch.messages().isEmpty()
                ? batch
                : new Batch(batch, batches.incrementAndGet(), called, System.nanoTime(), new HashSet<>());
    }

    @Override
    public Capabilities capabilities() {
        return store.capabilities();
    }

    @Override
    public Subscription onWakeUp(Runnable listener) {
        return WakeUps.of(store).onWakeUp(listener);
    }

    @Override
    public void close() {
        store.close();
    }

    private record Batch(MessageBatch batch, int number, long called, long returned, Set<String> settled)
            implements MessageBatch {
        @Override
        public List<PersistedMessage> messages() {
            return batch.messages();
        }

        @Override
        public boolean isHeld() {
            return batch.isHeld();
        }

        @Override
        public void markPublished(PersistedMessage message, @Nullable String publishId) {
            batch.markPublished(message, publishId);
            settled.add(message.id());
        }

        @Override
        public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
            batch.markFailed(message, reason, retryAfter);
        }

        @Override
        public void deadLetter(PersistedMessage message, String reason) {
            batch.deadLetter(message, reason);
            settled.add(message.id());
        }

        @Override
        public void close() {
            RelayMain.say(messages().stream()
                    .map(m -> m.id() + "/" + m.partition() + "/" + settled.contains(m.id()))
                    .collect(Collectors.joining(
                            " ", "C " + number + " " + called + " " + returned + " " + System.nanoTime() + " ", "")));
            String end = "UNKNOWN";
            try {
                batch.close();
                end = "OK";
            } catch (HoldLostException e) {
                end = "NOT_DONE";
                throw e;
            } catch (OutboxException e) {
                throw e;
            } finally {
                RelayMain.say("K " + number + " " + end + " " + System.nanoTime());
            }
        }
    }
}
