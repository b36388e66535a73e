package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.Capability;
import dev.outbox.Operations;
import dev.outbox.Store;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Says in the log, once for each topic, that its messages wait and this relay does not serve it: a name that is
 * mistyped, or a topic that nobody registered, would otherwise wait forever without a word. Another relay may serve it,
 * so it is said only if the same message was first in its partition at two looks in a row.
 *
 * <p>Looking costs what {@link Operations#backlog} costs, so it is done by one worker, every 20 s while there is
 * nothing to do, less and less often while there is. After a look that took long it rests for longer.
 */
final class UnservedTopics {
    private static final Duration OFTEN = Duration.ofSeconds(20);
    private static final Duration SELDOM = Duration.ofMinutes(10);

    /** The pause after a look that was not quick is this many times as long as the look took, or longer. */
    private static final int REST = 20;

    private static final long QUICK = Duration.ofMillis(100).toNanos();

    private final Supplier<List<Operations.Backlog>> backlog;
    private final Duration often;
    private final LongSupplier clock; // System.nanoTime
    private final AtomicLong next;
    private volatile List<String> unserved = List.of();

    // Used by the one thread that has taken the look.
    private final Set<String> said = new HashSet<>();
    private Map<Partition, Duration> before = Map.of();
    private long lastLook; // of before
    private Duration pause;

    UnservedTopics(Store store) {
        this(() -> backlog(store), OFTEN, System::nanoTime);
    }

    UnservedTopics(Supplier<List<Operations.Backlog>> backlog, Duration often, LongSupplier clock) {
        this.backlog = backlog;
        this.often = often;
        this.clock = clock;
        this.pause = often;
        this.next = new AtomicLong(clock.getAsLong() + often.toNanos());
    }

    /**
     * Looks, if it is time to.
     *
     * @param served the topics of the relay
     * @param isIdle whether it found nothing to do just now
     */
    void look(Set<String> served, boolean isIdle) {
        long due = next.get();
        long now = clock.getAsLong();
        // The worker that puts the next look far away looks. The others come too late or too early.
        if (backlog == null
                || served.isEmpty()
                || now - due < 0
                || !next.compareAndSet(due, Long.MAX_VALUE / 2 + now)) {
            return;
        }
        try {
            compare(served, backlog.get(), now);
        } catch (RuntimeException e) {
            LOG.debug("Topics without a relay could not be looked for", e); // rounds report what the store has
        } finally {
            pause = isIdle ? often : pause.compareTo(SELDOM.dividedBy(2)) > 0 ? SELDOM : pause.multipliedBy(2);
            long end = clock.getAsLong();
            long rest = end - now < QUICK ? 0 : REST * (end - now);
            next.set(end + Math.max(pause.toNanos(), rest));
        }
    }

    private static List<Operations.Backlog> backlog(Store store) {
        return store.capabilities().has(Capability.OPERATIONS)
                ? Operations.of(store).backlog()
                : List.of();
    }

    /**
     * The topics that the last look has found, by name.
     *
     * @param served those that are served now, some perhaps since that look
     */
    List<String> topics(Set<String> served) {
        return unserved.stream().filter(topic -> !served.contains(topic)).toList();
    }

    private void compare(Set<String> served, List<Operations.Backlog> waiting, long look) {
        Duration half = Duration.ofNanos((look - lastLook) / 2); // looks of a busy relay are up to ten minutes apart
        Map<Partition, Duration> now = new HashMap<>();
        Set<String> found = new TreeSet<>();
        for (Operations.Backlog partition : waiting) {
            if (served.contains(partition.topic())) {
                continue;
            }
            Partition key = new Partition(partition.topic(), partition.partition());
            now.put(key, partition.oldestAge());
            Duration age = before.get(key);
            // Grown by the time since then, or nearly: it is the same message, which a relay of the topic would have
            // published.
            boolean stays = age != null && partition.oldestAge().minus(age).compareTo(half) > 0;
            if (stays && found.add(partition.topic()) && said.add(partition.topic())) {
                LOG.warn(
                        "[OUTBOX-109] Messages of topic {} have waited for {} and this relay does not serve it, only"
                                + " {}: register the topic with a relay, or correct its name where it is published",
                        partition.topic(),
                        partition.oldestAge(),
                        new TreeSet<>(served));
            }
        }
        before = now;
        lastLook = look;
        unserved = List.copyOf(found);
    }
}
