package dev.outbox.store.memory.internal;

import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.MisuseException;
import dev.outbox.PendingMessage;
import dev.outbox.spi.Outcome;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** A session with an outbox in this process. */
public final class LocalSession implements Session {
    private final MemoryState outbox;
    private final Map<Long, MemoryState.Hold> holds = new HashMap<>();
    private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
    private long lastHold;
    private volatile boolean open = true;

    /** A new client of an outbox. */
    public LocalSession(MemoryState outbox) {
        this.outbox = outbox;
    }

    @Override
    public synchronized Checkout checkout(Set<String> topics, int limit) {
        if (!open) {
            throw new MisuseException("The store is closed; open another.");
        }
        MemoryState.Hold hold = outbox.checkout(topics, limit);
        long number = ++lastHold;
        if (!hold.messages.isEmpty()) {
            holds.put(number, hold);
        }
        return new Checkout(number, hold.messages);
    }

    @Override
    public synchronized void settle(long number, List<Outcome> outcomes) {
        MemoryState.Hold hold = holds.remove(number);
        if (hold == null) {
            throw new HoldLostException(
                    "The store was closed while the batch was open. Nothing of the batch took effect;"
                            + " its messages come again.");
        }
        outbox.settle(hold, outcomes);
    }

    @Override
    public boolean isHeld(long hold) {
        return open;
    }

    /** Renews the lease of a hold; false if the hold was lost. */
    public synchronized boolean renew(long number) {
        MemoryState.Hold hold = holds.get(number);
        return hold != null && outbox.renew(hold);
    }

    @Override
    public synchronized void close() {
        open = false;
        holds.values().forEach(outbox::release);
        holds.clear();
        subscriptions.forEach(Subscription::close);
    }

    @Override
    public synchronized Subscription onWakeUp(Runnable listener) {
        Caller caller = new Caller(listener);
        if (open) {
            caller.start();
            subscriptions.add(caller);
        }
        return caller;
    }

    /** Calls a listener on a thread of its own, so that it cannot hold up the thread that commits. */
    private final class Caller implements Subscription {
        private final Semaphore commits = new Semaphore(0);
        private final Runnable wakeUp = commits::release;
        private final Thread thread;

        Caller(Runnable listener) {
            thread = new Thread(() -> callAfterCommits(listener), "memory-outbox-wake-up");
            thread.setDaemon(true);
        }

        void start() {
            outbox.addWakeUp(wakeUp);
            thread.start();
        }

        private void callAfterCommits(Runnable listener) {
            try {
                while (true) {
                    commits.acquire();
                    commits.drainPermits();
                    listener.run();
                }
            } catch (InterruptedException e) {
                // closed
            }
        }

        @Override
        public void close() {
            outbox.removeWakeUp(wakeUp);
            subscriptions.remove(this);
            thread.interrupt();
        }
    }

    @Override
    public List<Backlog> backlog() {
        return outbox.backlog();
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return outbox.failingPartitions();
    }

    @Override
    public boolean retryNow(String topic, int partition) {
        return outbox.retryNow(topic, partition);
    }

    @Override
    public int retryNow(String topic) {
        return outbox.retryNow(topic);
    }

    @Override
    public int removePending(String topic, int limit) {
        return outbox.removePending(topic, limit);
    }

    @Override
    public int movePending(String topic, String toTopic, int toPartitions, int limit) {
        return outbox.movePending(topic, toTopic, toPartitions, limit);
    }

    @Override
    public List<DeadLetterTopic> deadLetterTopics() {
        return outbox.deadLetterTopics();
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        return outbox.deadLetters(topic, afterId, limit);
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        return outbox.deadLetter(id);
    }

    @Override
    public int redrive(Collection<String> ids) {
        return outbox.redrive(ids);
    }

    @Override
    public int discard(Collection<String> ids) {
        return outbox.discard(ids);
    }

    @Override
    public Page pending(String topic, @Nullable Integer partition, @Nullable String after, int limit) {
        return outbox.pending(topic, partition, after, limit);
    }

    @Override
    public Optional<PendingMessage> pending(String id) {
        return outbox.pending(id);
    }

    @Override
    public List<Holder> holders() {
        return outbox.holders();
    }
}
